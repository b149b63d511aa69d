-- Grain: person x crime: one allegation with its terms and what it adds to the person's score. Rows of a person sum to
-- the score exactly: contributions are decimals, and what is not counted adds 0.
--   contribution = m_p * s^a * 2^(-age/h) * o * l
-- A view: a row is a few multiplications of what stands in the repository, and to write millions of them takes longer
-- than to make them.
{{ config(materialized='view') }}
with parameters as (
    {{ ranking_parameters([
        'severity_exponent',
        'severity_exponent_grave',
        'half_life_days',
        'window_months',
        'recent_months',
        'cut_months',
        'harm_window_days',
    ]) }}
),

run as (
    -- The days that bound a window, once: they are the same for every allegation.
    select
        run.ranked_at,
        {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as window_from,
        {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }} as recent_from,
        {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as cut_from,
        parameters.severity_exponent,
        parameters.severity_exponent_grave,
        parameters.half_life_days,
        parameters.harm_window_days
    from {{ ref('national_run') }} as run
    cross join parameters
),

allegations as (
    select
        allegations.*,
        {{ dbt.datediff('allegations.reported_at', 'run.ranked_at', 'second') }}
        / 86400.0 as age_days,
        allegations.reported_at > run.window_from as is_in_window,
        allegations.reported_at > run.recent_from as is_recent,
        run.severity_exponent,
        run.severity_exponent_grave,
        run.half_life_days,
        run.harm_window_days
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join run
    -- As one condition: two comparisons with `run` would be planned as a join that hardly anything passes.
    where coalesce(allegations.reported_at <= run.ranked_at and allegations.reported_at > run.cut_from, false)
),

multiplied as (
    select
        allegations.*,
        persons.person_no,
        persons.is_named_by_several_forces,
        persons.n_incidents,
        persons.n_non_crime_incidents,
        persons.n_victims,
        persons.multiplier,
        power(cast(2 as double precision), -allegations.age_days / allegations.half_life_days) as decay
    from allegations
    inner join {{ ref('person_multipliers') }} as persons on allegations.person_id = persons.person_id
)

select
    person_id,
    person_no,
    is_named_by_several_forces,
    offence_id,
    force_code,
    crime_ref,
    suspect_no,
    record_id,
    offence_code,
    definition_id,
    definition_version,
    committed_from,
    reported_at,
    cast(age_days as double precision) as age_days,
    suspect_status,
    outcome_code,
    outcome_on,
    is_outcome_known,
    n_co_suspects,
    severity_days,
    is_severity_mapped,
    weights_version,
    decay,
    cast(outcome_weight as bigint) as outcome_weight,
    link_probability,
    multiplier,
    n_incidents,
    n_non_crime_incidents,
    n_victims,
    is_in_window,
    is_recent,
    is_counted,
    not_counted_reason,
    cast(
        multiplier * power(severity_days, severity_exponent) * decay * outcome_weight * link_probability
        as decimal(18, 12)
    ) as contribution,
    cast(
        multiplier * power(severity_days, severity_exponent_grave) * decay * outcome_weight * link_probability
        as decimal(18, 12)
    ) as contribution_grave,
    cast(
        case when is_counted and age_days <= harm_window_days then severity_days else 0 end as decimal(18, 2)
    ) as contribution_gravest_harm
from multiplied
