-- Grain: one victim of one crime that stands in the repository. Age as recorded, or from the nominal's birth date.
with victims as (
    select
        offences.offence_id,
        offences.force_code,
        offences.submission_period,
        offences.committed_from,
        victims.victim_no,
        victims.victim_type,
        victims.age,
        victims.sex,
        victims.ethnicity,
        victims.dash_risk,
        victims.supports_prosecution,
        victims.force_code || '|' || victims.person_ref as record_id,
        victims.victim_type in ('person', 'police') as is_person
    from {{ ref('stg_extracts__victims') }} as victims
    inner join {{ ref('std_offences') }} as offences
        on
            victims.force_code = offences.force_code
            and victims.crime_ref = offences.crime_ref
            and victims.submission_id = offences.submission_id
)

select
    victims.offence_id,
    victims.victim_no,
    victims.force_code,
    victims.submission_period,
    victims.record_id,
    victims.victim_type,
    victims.is_person,
    victims.ethnicity,
    victims.dash_risk,
    victims.supports_prosecution,
    coalesce(victims.sex, persons.sex, case when victims.is_person then 'U' end) as sex,
    coalesce(victims.age, {{ age_on('persons.date_of_birth', 'victims.committed_from') }}) as age,
    case
        when victims.age is not null then 'recorded'
        when persons.date_of_birth is not null then 'birth date'
    end as age_basis
from victims
left join {{ ref('std_persons') }} as persons on victims.record_id = persons.record_id
