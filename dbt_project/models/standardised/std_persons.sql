-- Grain: one nominal of one force, in the version that stands. A birth date that is a placeholder is no birth date.
with current_persons as (
    {{ current_records('stg_extracts__persons', 'persons', 'person_ref') }}
),

placeholder_dates as (
    select cast(value as date) as date_of_birth
    from {{ ref('placeholders') }}
    where kind = 'date_of_birth'
)

select
    persons.force_code || '|' || persons.person_ref as record_id,
    persons.force_code,
    persons.person_ref,
    persons.submission_id,
    persons.extracted_at,
    persons.forenames,
    persons.surname,
    case when placeholder_dates.date_of_birth is null then persons.date_of_birth end as date_of_birth,
    persons.sex,
    persons.ethnicity_self_defined,
    persons.ethnicity_officer_defined,
    persons.disability,
    persons.postcode,
    persons.pnc_id,
    persons.cro_number,
    persons.phone,
    persons.deceased_on,
    persons.in_custody
from {{ ref('stg_extracts__persons') }} as persons
inner join current_persons
    on
        persons.force_code = current_persons.force_code
        and persons.person_ref = current_persons.person_ref
        and persons.submission_id = current_persons.submission_id
left join placeholder_dates on persons.date_of_birth = placeholder_dates.date_of_birth
