with source as (
    select * from {{ source('run', 'run_submissions') }}
),

renamed as (
    select
        submission_id,
        force_code,
        period,
        sequence,
        status,
        received_at,
        extracted_at,
        contract_version,
        content_hash,
        status in ('accepted', 'accepted_in_part') as is_accepted
    from source
)

select * from renamed
