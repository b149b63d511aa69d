-- Grain: one suspect of one crime that stands in the repository. A suspect is not an offender.
with suspects as (
    select
        offences.offence_id,
        offences.force_code,
        offences.submission_period,
        offences.committed_from,
        suspects.suspect_no,
        suspects.age,
        suspects.sex,
        suspects.status,
        suspects.arrested_on,
        suspects.charged_on,
        suspects.force_code || '|' || suspects.person_ref as record_id
    from {{ ref('stg_extracts__suspects') }} as suspects
    inner join {{ ref('std_offences') }} as offences
        on
            suspects.force_code = offences.force_code
            and suspects.crime_ref = offences.crime_ref
            and suspects.submission_id = offences.submission_id
)

select
    suspects.offence_id,
    suspects.suspect_no,
    suspects.force_code,
    suspects.submission_period,
    suspects.record_id,
    suspects.status,
    suspects.status <> 'unidentified' as is_identified,
    statuses.allegation_stands,
    suspects.arrested_on,
    suspects.charged_on,
    coalesce(suspects.sex, persons.sex, 'U') as sex,
    coalesce(suspects.age, {{ age_on('persons.date_of_birth', 'suspects.committed_from') }}) as age,
    -- A recorded age and a birth date may disagree; whoever must not treat a child as an adult takes the lower.
    least(
        coalesce(suspects.age, {{ age_on('persons.date_of_birth', 'suspects.committed_from') }}),
        coalesce({{ age_on('persons.date_of_birth', 'suspects.committed_from') }}, suspects.age)
    ) as youngest_age
from suspects
left join {{ ref('suspect_statuses') }} as statuses on suspects.status = statuses.code
left join {{ ref('std_persons') }} as persons on suspects.record_id = persons.record_id
