-- Grain: person x crime: one allegation with its terms and what it adds to the person's score. Rows of a person sum to
-- the score exactly: contributions are decimals, and what is not counted adds 0. Only what scores are made of is here: at
-- millions of rows every further column is carried through every step.
--   contribution = m_p * s^a * 2^(-age/h) * o * l,   m_p = (N * V)^(b/2)
with parameters as (
    {{ ranking_parameters([
        'severity_exponent',
        'severity_exponent_grave',
        'half_life_days',
        'multiplier_exponent',
        'multiplier_cap',
        'window_months',
        'recent_months',
        'cut_months',
        'harm_window_days',
        'incidents_count_in_n',
    ]) }}
),

run as (
    -- The days that bound a window, once: they are the same for every allegation.
    select
        run.ranked_at,
        {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as window_from,
        {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }} as recent_from,
        {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as cut_from
    from {{ ref('national_run') }} as run
    cross join parameters
),

allegations as (
    select
        allegations.person_id,
        allegations.offence_id,
        allegations.record_id,
        allegations.force_code,
        allegations.offence_code,
        allegations.reported_at,
        allegations.severity_days,
        allegations.is_severity_mapped,
        allegations.is_outcome_known,
        allegations.outcome_weight,
        allegations.link_probability,
        allegations.is_counted,
        {{ dbt.datediff('allegations.reported_at', 'run.ranked_at', 'second') }}
        / 86400.0 as age_days,
        allegations.reported_at > run.window_from as is_in_window,
        allegations.reported_at > run.recent_from as is_recent
    from {{ ref('national_vawg_allegations') }} as allegations
    inner join {{ ref('national_person_gates') }} as gates on allegations.person_id = gates.person_id
    cross join run
    where
        -- Children and the dead have no score and no row here, for whatever reason anybody might look.
        not gates.is_child
        and not gates.is_deceased
        and allegations.reported_at <= run.ranked_at
        and allegations.reported_at > run.cut_from
),

crime_victims as (
    -- Women and girls among the victims. Those without a nominal cannot be told apart between crimes: one blank stands
    -- for all of them.
    select distinct
        offence_id,
        coalesce(person_id, '') as victim_id
    from {{ ref('national_involvements') }}
    where role = 'victim' and sex = 'F'
),

person_victims as (
    select
        allegations.person_id,
        crime_victims.victim_id,
        count(*) as n_offences,
        min(allegations.offence_id) as offence_id
    from allegations
    inner join crime_victims on allegations.offence_id = crime_victims.offence_id
    where allegations.is_counted and allegations.is_in_window
    group by allegations.person_id, crime_victims.victim_id
),

victims as (
    select
        person_id,
        count(*) as n_victims
    from person_victims
    group by person_id
),

victims_of_one_crime as (
    select
        person_id,
        offence_id,
        count(*) as n_victims_only_here
    from person_victims
    where n_offences = 1
    group by person_id, offence_id
),

incidents as (
    select
        person_id,
        count(*) as n_incidents
    from allegations
    where is_counted and is_in_window
    group by person_id
),

non_crime_incidents as (
    select
        incidents.suspect_person_id as person_id,
        count(*) as n_non_crime_incidents
    from {{ ref('national_incidents') }} as incidents
    cross join run
    where
        incidents.suspect_person_id is not null
        and incidents.occurred_at > run.window_from
        and incidents.occurred_at <= run.ranked_at
    group by incidents.suspect_person_id
),

multiplied as (
    select
        allegations.*,
        parameters.severity_exponent,
        parameters.severity_exponent_grave,
        parameters.harm_window_days,
        cast(coalesce(incidents.n_incidents, 0) as bigint) as n_incidents,
        cast(coalesce(non_crime_incidents.n_non_crime_incidents, 0) as bigint) as n_non_crime_incidents,
        cast(coalesce(victims.n_victims, 0) as bigint) as n_victims,
        {{ ranking_multiplier(
            'coalesce(incidents.n_incidents, 0)'
            ~ ' + parameters.incidents_count_in_n * coalesce(non_crime_incidents.n_non_crime_incidents, 0)',
            'coalesce(victims.n_victims, 0)',
        ) }} as multiplier,
        power(cast(2 as double precision), -allegations.age_days / parameters.half_life_days) as decay
    from allegations
    cross join parameters
    left join incidents on allegations.person_id = incidents.person_id
    left join victims on allegations.person_id = victims.person_id
    left join non_crime_incidents on allegations.person_id = non_crime_incidents.person_id
)

select
    multiplied.person_id,
    multiplied.offence_id,
    multiplied.record_id,
    multiplied.force_code,
    multiplied.offence_code,
    multiplied.reported_at,
    cast(multiplied.age_days as double precision) as age_days,
    multiplied.severity_days,
    multiplied.is_severity_mapped,
    multiplied.is_outcome_known,
    multiplied.decay,
    multiplied.link_probability,
    multiplied.multiplier,
    multiplied.n_incidents,
    multiplied.n_non_crime_incidents,
    multiplied.n_victims,
    cast(coalesce(victims_of_one_crime.n_victims_only_here, 0) as bigint) as n_victims_only_here,
    multiplied.is_in_window,
    multiplied.is_recent,
    multiplied.is_counted,
    cast(
        multiplied.multiplier * power(multiplied.severity_days, multiplied.severity_exponent)
        * multiplied.decay * multiplied.outcome_weight * multiplied.link_probability
        as decimal(18, 12)
    ) as contribution,
    cast(
        multiplied.multiplier * power(multiplied.severity_days, multiplied.severity_exponent_grave)
        * multiplied.decay * multiplied.outcome_weight * multiplied.link_probability
        as decimal(18, 12)
    ) as contribution_grave,
    cast(
        case
            when multiplied.is_counted and multiplied.age_days <= multiplied.harm_window_days
                then multiplied.severity_days
            else 0
        end as decimal(18, 2)
    ) as contribution_gravest_harm
from multiplied
left join victims_of_one_crime
    on
        multiplied.person_id = victims_of_one_crime.person_id
        and multiplied.offence_id = victims_of_one_crime.offence_id
