-- Grain: force of the programme, whether it sent anything or not: how far what it sends lets its people be compared with
-- those of other forces. A force under a gate keeps its people on every list; the caveat stands beside them.
-- Crimes are those of the scope that was ranked, reported in the last `recent_months`.
with parameters as (
    {{ ranking_parameters(['recent_months', 'min_link_probability']) }}
),

run as (
    select
        run.programme,
        run.period,
        run.period_end,
        run.as_of,
        run.ranked_at,
        {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }} as recent_from,
        parameters.min_link_probability
    from {{ ref('national_run') }} as run
    cross join parameters
),

forces as ({{ active_forces() }}),

crimes as (
    select
        offences.offence_id,
        offences.force_code,
        offences.reported_at,
        offences.outcome_on,
        offences.n_identified_suspects
    from {{ ref('national_offences') }} as offences
    inner join {{ ref('national_offence_scopes') }} as scopes
        on
            offences.offence_id = scopes.offence_id
            and scopes.definition_id = 'npcc_policing_scope'
            and scopes.threat = 'all'
            and scopes.is_counted
    inner join run on offences.reported_at > run.recent_from and offences.reported_at <= run.ranked_at
),

returns as (
    select
        submissions.force_code,
        max(submissions.period) as last_period,
        max(submissions.received_at) as last_received_at
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
    group by submissions.force_code
),

measured as (
    select
        force_code,
        'named_suspect' as gate_id,
        count(*) as n_units,
        avg(cast(case when n_identified_suspects > 0 then 1 else 0 end as double precision)) as measure
    from crimes
    group by force_code

    union all

    select
        suspects.force_code,
        'identifiable_suspect' as gate_id,
        count(*) as n_units,
        avg(
            cast(
                case when records.date_of_birth is not null and records.has_strong_identifier then 1 else 0 end
                as double precision
            )
        ) as measure
    from {{ ref('national_involvements') }} as suspects
    inner join crimes on suspects.offence_id = crimes.offence_id
    inner join {{ ref('national_person_records') }} as records on suspects.record_id = records.record_id
    where suspects.role = 'suspect'
    group by suspects.force_code

    union all

    select
        suspects.force_code,
        'sure_link' as gate_id,
        count(*) as n_units,
        avg(
            cast(case when suspects.link_probability >= run.min_link_probability then 1 else 0 end as double precision)
        ) as measure
    from {{ ref('national_involvements') }} as suspects
    inner join crimes on suspects.offence_id = crimes.offence_id
    cross join run
    where suspects.role = 'suspect' and suspects.person_id is not null
    group by suspects.force_code

    union all

    -- Of all crimes, not those of the scope: the scope asks for the victim's sex, so that in it everybody's is known.
    select
        victims.force_code,
        'victim_sex_known' as gate_id,
        count(*) as n_units,
        avg(cast(case when victims.sex <> 'U' then 1 else 0 end as double precision)) as measure
    from {{ ref('national_involvements') }} as victims
    inner join {{ ref('national_offences') }} as offences on victims.offence_id = offences.offence_id
    inner join run on offences.reported_at > run.recent_from and offences.reported_at <= run.ranked_at
    where victims.role = 'victim' and victims.is_person and offences.is_counted
    group by victims.force_code

    union all

    select
        force_code,
        'outcome_lag' as gate_id,
        count(*) as n_units,
        avg(
            cast(
                {{ dbt.datediff('reported_at', 'outcome_on', 'day') }}
                as double precision
            )
        ) as measure
    from crimes
    where outcome_on is not null
    group by force_code

    union all

    select
        mappings.force_code,
        'mapped' as gate_id,
        sum(mappings.n_rows) as n_units,
        cast(sum(case when mappings.national_code is not null then mappings.n_rows else 0 end) as double precision)
        / sum(mappings.n_rows) as measure
    from {{ ref('national_value_mappings') }} as mappings
    inner join run on mappings.period > run.recent_from and mappings.period <= run.ranked_at
    group by mappings.force_code

    union all

    select
        returns.force_code,
        'months_behind' as gate_id,
        1 as n_units,
        cast(
            {{ dbt.datediff('returns.last_period', 'run.period', 'month') }}
            as double precision
        ) as measure
    from returns
    cross join run
),

medians as (
    select
        measured.gate_id,
        percentile_cont(0.5) within group (order by measured.measure) as national_median
    from measured
    inner join {{ ref('ranking_gates') }} as gates
        on measured.gate_id = gates.gate_id and measured.n_units >= gates.min_units
    inner join forces on measured.force_code = forces.force_code
    group by measured.gate_id
),

judged as (
    select
        measured.force_code,
        measured.gate_id,
        gates.caveat,
        measured.n_units,
        measured.measure,
        medians.national_median,
        coalesce(
            measured.n_units >= gates.min_units
            and (
                measured.measure < gates.below_median_factor * medians.national_median
                or measured.measure > gates.above_median_factor * medians.national_median
                or measured.measure > gates.above_number
            ),
            false
        ) as is_under
    from measured
    inner join {{ ref('ranking_gates') }} as gates on measured.gate_id = gates.gate_id
    left join medians on measured.gate_id = medians.gate_id
),

caveats as (
    select
        force_code,
        count(*) as n_gates_under,
        {{ dbt.listagg('caveat', "'; '", 'order by gate_id') }} as caveats
    from judged
    where is_under
    group by force_code
),

wide as (
    select
        force_code,
        max(case when gate_id = 'named_suspect' then n_units end) as n_crimes,
        max(case when gate_id = 'named_suspect' then measure end) as named_suspect_share,
        max(case when gate_id = 'identifiable_suspect' then n_units end) as n_suspect_records,
        max(case when gate_id = 'identifiable_suspect' then measure end) as identifiable_suspect_share,
        max(case when gate_id = 'sure_link' then measure end) as sure_link_share,
        max(case when gate_id = 'victim_sex_known' then measure end) as victim_sex_known_share,
        max(case when gate_id = 'outcome_lag' then measure end) as outcome_lag_days,
        max(case when gate_id = 'mapped' then measure end) as mapped_share,
        max(case when gate_id = 'months_behind' then measure end) as months_behind
    from judged
    group by force_code
),

links as (
    select
        suspects.force_code,
        min(suspects.link_probability) as lowest_link_probability,
        avg(suspects.link_probability) as mean_link_probability
    from {{ ref('national_involvements') }} as suspects
    inner join crimes on suspects.offence_id = crimes.offence_id
    where suspects.role = 'suspect' and suspects.person_id is not null
    group by suspects.force_code
)

select
    forces.period,
    forces.force_code,
    cast(coalesce(wide.n_crimes, 0) as bigint) as n_crimes,
    wide.named_suspect_share,
    cast(coalesce(wide.n_suspect_records, 0) as bigint) as n_suspect_records,
    wide.identifiable_suspect_share,
    wide.sure_link_share,
    links.lowest_link_probability,
    -- A mean of floats depends on the order they are summed in.
    round(links.mean_link_probability, 9) as mean_link_probability,
    wide.victim_sex_known_share,
    round(wide.outcome_lag_days, 6) as outcome_lag_days,
    wide.mapped_share,
    returns.last_period,
    cast(wide.months_behind as bigint) as months_behind,
    cast(
        {{ dbt.datediff('returns.last_received_at', 'forces.as_of', 'day') }}
        as bigint
    ) as load_age_days,
    cast(coalesce(caveats.n_gates_under, case when returns.last_period is null then 1 else 0 end) as bigint)
        as n_gates_under,
    returns.last_period is null or coalesce(caveats.n_gates_under, 0) > 0 as has_caveat,
    case
        when returns.last_period is null then 'This force has no return in the run.'
        when caveats.n_gates_under > 0 then 'This force ' || caveats.caveats || '.'
    end as caveat
from forces
left join wide on forces.force_code = wide.force_code
left join links on forces.force_code = links.force_code
left join caveats on forces.force_code = caveats.force_code
left join returns on forces.force_code = returns.force_code
