with source as (
    select * from {{ source('extracts', 'offences') }}
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
        source.offence_code,
        source.committed_from,
        source.committed_to,
        source.committed_time_known,
        source.reported_at,
        source.recorded_at,
        source.location_type,
        source.postcode_sector,
        source.outcome_code,
        source.outcome_date,
        source.status,
        source.cancellation_reason,
        source.cancellation_authorised_by,
        source.transferred_to_force,
        source.injury,
        source.weapon,
        source.modus_operandi
    from source
    inner join submissions on source.submission_id = submissions.submission_id
)

select * from in_scope
