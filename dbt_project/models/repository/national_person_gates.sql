-- Grain: person with an allegation: what keeps them off the list whatever their score, as known to the run; and what the
-- linkage says of them, so that who scores them need not ask twice.
with parameters as (
    {{ ranking_parameters(['adult_age']) }}
),

allegations as (
    select
        allegations.person_no,
        min(allegations.age_at_offence) as youngest_age_at_offence,
        -- The age a recorded age implies on the day of ranking, for those without any birth date.
        min(
            allegations.age_at_offence
            + floor(
                {{ dbt.datediff('allegations.committed_from', 'run.ranked_at', 'day') }}
                / 366.0
            )
        ) as implied_age,
        -- An outcome "offender died" on a crime with no other suspect speaks of this person.
        max(case when allegations.outcome_code = '5' and allegations.n_co_suspects = 0 then 1 else 0 end) as died_by_outcome
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join {{ ref('national_run') }} as run
    group by allegations.person_no
),

ages as (
    select
        persons.person_id,
        persons.person_no,
        persons.person_group_id,
        persons.model_version,
        persons.in_custody,
        persons.withheld,
        (persons.deceased_on is not null and persons.deceased_on <= run.period_end)
        or allegations.died_by_outcome = 1 as is_deceased,
        coalesce({{ age_on('persons.latest_date_of_birth', 'run.ranked_at') }}, allegations.implied_age) as age,
        parameters.adult_age
    from allegations
    inner join {{ ref('national_persons') }} as persons on allegations.person_no = persons.person_no
    cross join {{ ref('national_run') }} as run
    cross join parameters
)

select
    person_id,
    person_no,
    person_group_id,
    model_version,
    coalesce(age < adult_age, false) as is_child,
    age is null as is_age_unknown,
    is_deceased,
    withheld,
    in_custody
from ages
