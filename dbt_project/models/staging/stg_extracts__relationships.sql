with source as (
    select * from {{ source('extracts', 'relationships') }}
),

submissions as (
    select submission_id
    from {{ ref('stg_run__submissions') }}
    where is_accepted
),

in_scope as (
    select
        source.submission_id,
        source.force_code,
        source.period,
        source.sequence,
        source.extracted_at,
        source.row_number,
        source.crime_ref,
        source.victim_no,
        source.suspect_no,
        source.relationship
    from source
    inner join submissions on source.submission_id = submissions.submission_id
)

select * from in_scope
