-- Grain: person with an allegation in the last six years, neither child nor dead: how often and to how many, and the
-- multiplier that follows. What is the same for all allegations of a person is reckoned, and kept, once.
--   m_p = (N * V)^(b/2)
with parameters as (
    {{ ranking_parameters([
        'multiplier_exponent',
        'multiplier_cap',
        'window_months',
        'cut_months',
        'incidents_count_in_n',
    ]) }}
),

run as (
    -- The days that bound a window, once: they are the same for every allegation.
    select
        run.ranked_at,
        {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as window_from,
        {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as cut_from
    from {{ ref('national_run') }} as run
    cross join parameters
),

incidents as (
    select
        allegations.person_no,
        {{ count_where('allegations.is_counted and allegations.reported_at > run.window_from') }} as n_incidents,
        min(allegations.force_code) as first_force_code,
        max(allegations.force_code) as last_force_code
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join run
    -- As one condition: two comparisons with `run` would be planned as a join that hardly anything passes.
    where coalesce(allegations.reported_at <= run.ranked_at and allegations.reported_at > run.cut_from, false)
    group by allegations.person_no
),

person_victims as (
    -- Women and girls among the victims. Those without a nominal cannot be told apart between crimes: one nought
    -- stands for all of them.
    select distinct
        allegations.person_no,
        coalesce(victims.person_no, 0) as victim_no
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join run
    inner join {{ ref('national_involvements') }} as victims on allegations.offence_id = victims.offence_id
    where
        allegations.is_counted
        and coalesce(allegations.reported_at <= run.ranked_at and allegations.reported_at > run.window_from, false)
        and victims.role = 'victim' and victims.sex = 'F'
),

victims as (
    select
        person_no,
        count(*) as n_victims
    from person_victims
    group by person_no
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
)

select
    incidents.person_no,
    incidents.first_force_code,
    incidents.first_force_code < incidents.last_force_code as is_named_by_several_forces,
    incidents.n_incidents,
    cast(coalesce(non_crime_incidents.n_non_crime_incidents, 0) as bigint) as n_non_crime_incidents,
    cast(coalesce(victims.n_victims, 0) as bigint) as n_victims,
    {{ ranking_multiplier(
        'incidents.n_incidents'
        ~ ' + parameters.incidents_count_in_n * coalesce(non_crime_incidents.n_non_crime_incidents, 0)',
        'coalesce(victims.n_victims, 0)',
    ) }} as multiplier
from incidents
inner join {{ ref('national_person_gates') }} as gates on incidents.person_no = gates.person_no
cross join parameters
left join victims on incidents.person_no = victims.person_no
left join non_crime_incidents on gates.person_id = non_crime_incidents.person_id
-- Children and the dead have no score and no row here, for whatever reason anybody might look.
where not gates.is_child and not gates.is_deceased
