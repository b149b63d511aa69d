with source as (
    select * from {{ source('run', 'findings') }}
),

submissions as (
    select submission_id from {{ ref('stg_run__submissions') }}
),

in_scope as (
    select
        source.finding_key,
        source.submission_id,
        source.force_code,
        source.period,
        source.sequence,
        source.extract,
        source.row_number,
        source.record_ref,
        source.field,
        source.rule,
        source.severity
    from source
    inner join submissions on source.submission_id = submissions.submission_id
)

select * from in_scope
