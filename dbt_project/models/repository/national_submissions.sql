-- Grain: one submission within the run, held ones too.
with row_counts as (
    select
        submission_id,
        sum(n_received) as n_received,
        sum(n_accepted) as n_accepted,
        sum(n_quarantined) as n_quarantined
    from {{ ref('stg_run__submission_rows') }}
    group by submission_id
)

select
    submissions.submission_id,
    submissions.force_code,
    submissions.period,
    submissions.sequence,
    submissions.status,
    submissions.status <> 'held' as is_in,
    submissions.received_at,
    submissions.extracted_at,
    submissions.contract_version,
    submissions.content_hash,
    cast(coalesce(row_counts.n_received, 0) as bigint) as n_received,
    cast(coalesce(row_counts.n_accepted, 0) as bigint) as n_accepted,
    cast(coalesce(row_counts.n_quarantined, 0) as bigint) as n_quarantined
from {{ ref('stg_run__submissions') }} as submissions
left join row_counts on submissions.submission_id = row_counts.submission_id
