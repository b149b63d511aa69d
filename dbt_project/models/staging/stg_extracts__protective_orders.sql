with source as (
    select * from {{ source('extracts', 'protective_orders') }}
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
        source.order_ref,
        source.state_no,
        source.order_type,
        source.respondent_person_ref,
        source.protected_person_ref,
        source.court,
        source.granted_on,
        source.varied_on,
        source.rescinded_on,
        source.expires_on,
        source.breach_crime_ref
    from source
    inner join submissions on source.submission_id = submissions.submission_id
)

select * from in_scope
