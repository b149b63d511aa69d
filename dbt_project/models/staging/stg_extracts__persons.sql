with source as (
    select * from {{ source('extracts', 'persons') }}
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
        source.person_ref,
        source.forenames,
        source.surname,
        source.date_of_birth,
        source.sex,
        source.ethnicity_self_defined,
        source.ethnicity_officer_defined,
        source.disability,
        source.postcode,
        source.pnc_id,
        source.cro_number,
        source.phone,
        source.deceased_on,
        source.in_custody
    from source
    inner join submissions on source.submission_id = submissions.submission_id
)

select * from in_scope
