-- Grain: force or nation x threat, and `all`: the year that ends with the run, in the manner of a strategic assessment.
-- How many, how they moved, what harm, and how far the figures can be trusted. Crimes of the NPCC scope.
with figures as (
    select
        headlines.period,
        headlines.force_code,
        headlines.threat,
        headlines.n_forces,
        headlines.n_months,
        max(case when headlines.measure = 'offences' then headlines.numerator end) as n_offences,
        max(case when headlines.measure = 'offences_per_1000_women' then headlines.value end) as offences_per_1000_women,
        max(case when headlines.measure = 'threat_share' then headlines.value end) as threat_share,
        max(case when headlines.measure = 'threat_share' then headlines.lowest_force_value end) as lowest_force_share,
        max(case when headlines.measure = 'threat_share' then headlines.highest_force_value end) as highest_force_share,
        max(case when headlines.measure = 'charged_share' then headlines.value end) as charged_share,
        max(case when headlines.measure = 'repeat_victim_share' then headlines.value end) as repeat_victim_share
    from {{ ref('national_statistics') }} as headlines
    inner join {{ ref('statistics_periods') }} as periods
        on headlines.period_kind = periods.period_kind and headlines.period = periods.period
    inner join {{ ref('national_run') }} as run on periods.recorded_month = run.period
    where
        headlines.period_kind = 'rolling_year'
        and headlines.definition_id = 'npcc_policing_scope'
        and headlines.breakdown = 'none'
    group by headlines.period, headlines.force_code, headlines.threat, headlines.n_forces, headlines.n_months
),

changes as (
    select
        period,
        force_code,
        threat,
        previous_value,
        change_share,
        change_share_lower,
        change_share_upper,
        n_force_months,
        break_ids
    from {{ ref('national_statistics_changes') }}
    where
        period_kind = 'rolling_year'
        and definition_id = 'npcc_policing_scope'
        and measure = 'offences'
        and years_back = 1
),

years as (
    select distinct period
    from figures
),

crimes as (
    select
        offences.offence_id,
        offences.force_code,
        scope_sets.threat,
        weights.cchi_days as harm_days
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('statistics_periods') }} as periods
        on offences.recorded_month = periods.recorded_month and periods.period_kind = 'rolling_year'
    inner join years on periods.period = years.period
    inner join {{ ref('scope_sets') }} as scope_sets
        on
            offences.definition_bits = scope_sets.definition_bits
            and offences.threat_bits = scope_sets.threat_bits
            and scope_sets.definition_id = 'npcc_policing_scope'
    left join {{ ref('harm_weights') }} as weights on offences.offence_code = weights.offence_code
),

harms as (
    select
        force_code,
        threat,
        cast(round(sum(harm_days)) as bigint) as harm_days
    from crimes
    group by force_code, threat

    union all

    select
        'national' as force_code,
        threat,
        cast(round(sum(harm_days)) as bigint) as harm_days
    from crimes
    group by threat
),

threat_flags as (
    select distinct
        threat,
        flag
    from {{ ref('threat_conditions') }}
    where flag is not null
),

marked as (
    -- Of the crimes that bear a marker of the threat nationally: whether the force set one of them itself.
    select
        crimes.offence_id,
        crimes.force_code,
        crimes.threat,
        max(case when flags.force_value = 'Y' then 1 else 0 end) as is_marked_by_force
    from crimes
    inner join threat_flags on crimes.threat = threat_flags.threat
    inner join {{ ref('national_offence_flags') }} as flags
        on crimes.offence_id = flags.offence_id and threat_flags.flag = flags.flag and flags.national_value = 'Y'
    group by crimes.offence_id, crimes.force_code, crimes.threat
),

markers as (
    select
        force_code,
        threat,
        count(*) as n_marked,
        sum(is_marked_by_force) as n_marked_by_force
    from marked
    group by force_code, threat

    union all

    select
        'national' as force_code,
        threat,
        count(*) as n_marked,
        sum(is_marked_by_force) as n_marked_by_force
    from marked
    group by threat
),

expected as (
    select count(*) as n_forces from ({{ active_forces() }}) as forces
),

returns as (
    select
        period,
        force_code,
        cast(sum(n_months) as double precision) / 12 as returns_share
    from {{ ref('statistics_coverage') }}
    where period_kind = 'rolling_year' and force_code <> 'national'
    group by period, force_code

    union all

    select
        coverage.period,
        'national' as force_code,
        cast(sum(coverage.n_months) as double precision) / (12 * max(expected.n_forces)) as returns_share
    from {{ ref('statistics_coverage') }} as coverage
    cross join expected
    where coverage.period_kind = 'rolling_year' and coverage.force_code <> 'national'
    group by coverage.period
),

assessed as (
    select
        figures.*,
        changes.previous_value,
        changes.change_share,
        changes.change_share_lower,
        changes.change_share_upper,
        changes.n_force_months,
        changes.break_ids,
        harms.harm_days,
        case when markers.n_marked > 0 then cast(markers.n_marked_by_force as double precision) / markers.n_marked end
            as force_marker_share,
        returns.returns_share,
        case when figures.lowest_force_share > 0 then figures.highest_force_share / figures.lowest_force_share end
            as force_spread
    from figures
    left join changes
        on
            figures.period = changes.period
            and figures.force_code = changes.force_code
            and figures.threat = changes.threat
    left join harms on figures.force_code = harms.force_code and figures.threat = harms.threat
    left join markers on figures.force_code = markers.force_code and figures.threat = markers.threat
    left join returns on figures.period = returns.period and figures.force_code = returns.force_code
),

components as (
    {% for component, column in [
        ('returns', 'returns_share'), ('marker', 'force_marker_share'), ('spread', 'force_spread')
    ] %}
        select
            force_code,
            threat,
            '{{ component }}' as component,
            {{ column }} as measure
        from assessed
        where {{ column }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

graded as (
    select
        components.force_code,
        components.threat,
        components.component,
        grades.reason,
        case
            when grades.more_is_better and components.measure >= grades.high_at then 3
            when not grades.more_is_better and components.measure <= grades.high_at then 3
            when grades.more_is_better and components.measure >= grades.moderate_at then 2
            when not grades.more_is_better and components.measure <= grades.moderate_at then 2
            else 1
        end as grade
    from components
    inner join {{ ref('assessment_confidence') }} as grades on components.component = grades.component
),

confidence as (
    select
        force_code,
        threat,
        min(grade) as grade,
        {{ dbt.listagg("case when grade < 3 then reason end", "'; '", 'order by component') }} as reasons
    from graded
    group by force_code, threat
)

select
    assessed.period,
    assessed.force_code,
    assessed.threat,
    assessed.n_forces,
    assessed.n_months,
    assessed.n_offences,
    assessed.threat_share,
    assessed.offences_per_1000_women,
    cast(assessed.previous_value as bigint) as n_offences_year_before,
    assessed.change_share,
    assessed.change_share_lower,
    assessed.change_share_upper,
    case
        when assessed.change_share_lower > 0 then 'rising'
        when assessed.change_share_upper < 0 then 'falling'
        when assessed.change_share is not null then 'no clear change'
    end as trend,
    assessed.n_force_months as n_force_months_compared,
    assessed.break_ids,
    assessed.harm_days,
    cast(assessed.harm_days as double precision) / nullif(assessed.n_offences, 0) as harm_per_offence_days,
    cast(assessed.harm_days as double precision)
    / nullif(max(case when assessed.threat = 'all' then assessed.harm_days end) over (partition by assessed.force_code), 0)
        as harm_share,
    assessed.charged_share,
    assessed.repeat_victim_share,
    assessed.returns_share,
    assessed.force_marker_share,
    assessed.force_spread,
    case confidence.grade when 3 then 'high' when 2 then 'moderate' when 1 then 'low' end as confidence,
    confidence.reasons as confidence_reasons
from assessed
left join confidence on assessed.force_code = confidence.force_code and assessed.threat = confidence.threat
