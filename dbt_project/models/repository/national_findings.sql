-- Grain: submission x extract x rule, with the rows that broke it beside the rows received.
with broken as (
    select
        submission_id,
        force_code,
        period,
        coalesce(extract, 'submission') as extract,
        rule,
        severity,
        count(*) as n_findings,
        count(distinct coalesce(row_number, 0)) as n_rows
    from {{ ref('stg_run__findings') }}
    group by submission_id, force_code, period, coalesce(extract, 'submission'), rule, severity
)

select
    broken.submission_id,
    broken.extract,
    broken.rule,
    broken.severity,
    submissions.force_code,
    submissions.period,
    broken.n_findings,
    broken.n_rows,
    cast(coalesce(received.n_received, 1) as bigint) as n_rows_received
from broken
inner join {{ ref('stg_run__submissions') }} as submissions on broken.submission_id = submissions.submission_id
left join {{ ref('stg_run__submission_rows') }} as received
    on broken.submission_id = received.submission_id and broken.extract = received.extract
