-- Grain: person x crime: one allegation with what it adds to the person's score. Rows of a person sum to the score
-- exactly: contributions are decimals, and what is not counted stays with its reason and adds 0.
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
    ]) }}
),

allegations as (
    select
        allegations.*,
        run.ranked_at,
        parameters.severity_exponent,
        parameters.severity_exponent_grave,
        parameters.half_life_days,
        parameters.multiplier_exponent,
        parameters.multiplier_cap,
        {{ dbt.datediff('allegations.reported_at', 'run.ranked_at', 'second') }}
        / 86400.0 as age_days,
        allegations.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as is_in_window,
        allegations.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }} as is_recent
    from {{ ref('national_vawg_allegations') }} as allegations
    inner join {{ ref('national_person_gates') }} as gates on allegations.person_id = gates.person_id
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where
        -- Children and the dead have no score and no row here, for whatever reason anybody might look.
        not gates.is_child
        and not gates.is_deceased
        and allegations.reported_at <= run.ranked_at
        and allegations.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}
),

crime_victims as (
    select
        victims.offence_id,
        {{ distinct_list('victims.person_id') }} as victim_ids
    from {{ ref('national_involvements') }} as victims
    inner join (select distinct offence_id from allegations) as crimes on victims.offence_id = crimes.offence_id
    where victims.role = 'victim' and victims.sex = 'F' and victims.person_id is not null
    group by victims.offence_id
),

victims as (
    -- Women and girls among the victims. Those without a nominal cannot be told apart between crimes: they count once.
    select
        allegations.person_id,
        count(distinct victims.person_id)
        + max(case when victims.person_id is null then 1 else 0 end) as n_victims
    from allegations
    inner join {{ ref('national_involvements') }} as victims
        on allegations.offence_id = victims.offence_id and victims.role = 'victim' and victims.sex = 'F'
    where allegations.is_counted and allegations.is_in_window
    group by allegations.person_id
),

incidents as (
    select
        person_id,
        count(distinct offence_id) as n_incidents
    from allegations
    where is_counted and is_in_window
    group by person_id
),

multiplied as (
    select
        allegations.*,
        coalesce(crime_victims.victim_ids, {{ empty_list('varchar') }}) as victim_ids,
        cast(coalesce(incidents.n_incidents, 0) as bigint) as n_incidents,
        cast(coalesce(victims.n_victims, 0) as bigint) as n_victims,
        power(
            least(greatest(coalesce(incidents.n_incidents, 0), 1), allegations.multiplier_cap)
            * least(greatest(coalesce(victims.n_victims, 0), 1), allegations.multiplier_cap),
            allegations.multiplier_exponent / 2
        ) as multiplier,
        power(cast(2 as double precision), -allegations.age_days / allegations.half_life_days) as decay
    from allegations
    left join incidents on allegations.person_id = incidents.person_id
    left join victims on allegations.person_id = victims.person_id
    left join crime_victims on allegations.offence_id = crime_victims.offence_id
)

select
    person_id,
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
    victim_ids,
    severity_days,
    is_severity_mapped,
    weights_version,
    decay,
    cast(outcome_weight as bigint) as outcome_weight,
    link_probability,
    multiplier,
    n_incidents,
    n_victims,
    is_in_window,
    is_recent,
    is_counted,
    not_counted_reason,
    cast(
        multiplier * power(severity_days, severity_exponent) * decay * outcome_weight * link_probability
        as decimal(28, 12)
    ) as contribution,
    cast(
        multiplier * power(severity_days, severity_exponent_grave) * decay * outcome_weight * link_probability
        as decimal(28, 12)
    ) as contribution_grave
from multiplied
