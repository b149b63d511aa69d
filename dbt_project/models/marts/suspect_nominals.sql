-- Grain: one nominal of a person considered for the ranked list, or with a profile: what a search by name, birth date,
-- address or identifier looks through, and what says which forces know the person.
with persons as (
    select person_id from {{ ref('ranked_perpetrators') }}
    union
    select person_id from {{ ref('perpetrator_profiles') }}
)

select
    records.record_id,
    links.person_id,
    links.person_group_id,
    records.force_code,
    records.person_ref,
    records.forenames,
    records.surname,
    records.date_of_birth,
    records.sex,
    records.postcode,
    records.earlier_postcodes,
    records.pnc_id,
    records.cro_number,
    records.phone,
    records.alias_full_names,
    records.alias_dates_of_birth,
    links.link_probability,
    links.withheld
from {{ ref('std_person_records') }} as records
inner join {{ ref('national_person_records') }} as links on records.record_id = links.record_id
inner join persons on links.person_id = persons.person_id
