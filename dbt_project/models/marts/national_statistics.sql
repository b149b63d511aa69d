-- Grain: one figure: period x force x definition x threat x measure x breakdown value.
with parameters as (
    {{ statistics_parameters(['suppress_below', 'interval_z', 'range_min_denominator']) }}
),

-- Breakdowns of single forces only for the kinds of period that say so: a month of a force is too few people.
by_force as (
    select
        periods.period_kind,
        periods.period,
        counts.force_code,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.sum_of_squares) as sum_of_squares
    from {{ ref('national_monthly_counts') }} as counts
    inner join {{ ref('statistics_periods') }} as periods on counts.recorded_month = periods.recorded_month
    inner join {{ ref('period_kinds') }} as kinds on periods.period_kind = kinds.period_kind
    where counts.breakdown = 'none' or kinds.has_force_breakdowns
    group by
        periods.period_kind,
        periods.period,
        counts.force_code,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value
),

national_months as (
    select
        recorded_month,
        definition_id,
        threat,
        measure,
        breakdown,
        breakdown_value,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(sum_of_squares) as sum_of_squares
    from {{ ref('national_monthly_counts') }}
    group by recorded_month, definition_id, threat, measure, breakdown, breakdown_value
),

summed as (
    select * from by_force

    union all

    select
        periods.period_kind,
        periods.period,
        'national' as force_code,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.sum_of_squares) as sum_of_squares
    from national_months as counts
    inner join {{ ref('statistics_periods') }} as periods on counts.recorded_month = periods.recorded_month
    group by
        periods.period_kind,
        periods.period,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value
),

figures as (
    select
        period_kind,
        period,
        force_code,
        definition_id,
        threat,
        measure,
        breakdown,
        breakdown_value,
        numerator,
        denominator,
        sum_of_squares,
        cast(null as double precision) as known_value,
        cast(null as double precision) as known_lower,
        cast(null as double precision) as known_upper
    from summed

    union all

    select
        summed.period_kind,
        summed.period,
        summed.force_code,
        summed.definition_id,
        summed.threat,
        'offences_per_day' as measure,
        summed.breakdown,
        summed.breakdown_value,
        summed.numerator,
        coverage.n_days as denominator,
        null as sum_of_squares,
        null as known_value,
        null as known_lower,
        null as known_upper
    from summed
    inner join {{ ref('statistics_coverage') }} as coverage
        on
            summed.period_kind = coverage.period_kind
            and summed.period = coverage.period
            and summed.force_code = coverage.force_code
    where summed.measure = 'offences' and summed.breakdown = 'none'

    union all

    select
        period_kind,
        period,
        force_code,
        definition_id,
        threat,
        measure,
        breakdown,
        breakdown_value,
        numerator,
        denominator,
        null as sum_of_squares,
        value as known_value,
        lower as known_lower,
        upper as known_upper
    from {{ ref('period_figures') }}
),

share_bases as (
    -- Of values of one breakdown that are known; where they overlap, of all.
    select
        figures.period_kind,
        figures.period,
        figures.force_code,
        figures.definition_id,
        figures.threat,
        figures.measure,
        case when figures.breakdown = 'none' then 'also_threat' else figures.breakdown end as breakdown,
        sum(figures.numerator) as share_base
    from figures
    inner join {{ ref('statistics_measures') }} as measures
        on figures.measure = measures.measure and measures.kind = 'count'
    where
        figures.breakdown not in ('also_threat', 'list')
        and {{ is_value_known('figures.breakdown_value') }}
    group by
        figures.period_kind,
        figures.period,
        figures.force_code,
        figures.definition_id,
        figures.threat,
        figures.measure,
        case when figures.breakdown = 'none' then 'also_threat' else figures.breakdown end
),

judged as (
    select
        figures.*,
        coverage.n_forces,
        coverage.n_months,
        measures.unit,
        measures.kind,
        measures.per,
        measures.interval_method,
        parameters.interval_z as z,
        parameters.range_min_denominator,
        -- What a few people of one force are is not published; crimes are.
        figures.force_code <> 'national'
        and measures.is_about_people
        and (figures.breakdown <> 'none' or measures.kind in ('share', 'mean'))
        and coalesce(figures.denominator, figures.numerator) between 1 and parameters.suppress_below - 1 as suppressed,
        case when {{ is_value_known('figures.breakdown_value') }} then share_bases.share_base end as share_base
    from figures
    inner join {{ ref('statistics_coverage') }} as coverage
        on
            figures.period_kind = coverage.period_kind
            and figures.period = coverage.period
            and figures.force_code = coverage.force_code
    inner join {{ ref('statistics_measures') }} as measures on figures.measure = measures.measure
    cross join parameters
    left join share_bases
        on
            figures.period_kind = share_bases.period_kind
            and figures.period = share_bases.period
            and figures.force_code = share_bases.force_code
            and figures.definition_id = share_bases.definition_id
            and figures.threat = share_bases.threat
            and figures.measure = share_bases.measure
            and figures.breakdown = share_bases.breakdown
),

valued as (
    select
        judged.*,
        case
            when judged.suppressed then null
            when judged.known_value is not null then judged.known_value
            when judged.kind in ('count', 'extreme') then cast(judged.numerator as double precision)
            when judged.denominator > 0
                then cast(judged.numerator as double precision) * judged.per / judged.denominator
        end as value,
        case
            when not judged.suppressed and judged.share_base > 0
                then cast(judged.numerator as double precision) / judged.share_base
        end as share
    from judged
),

bounded as (
    select
        valued.*,
        case
            when valued.value is null then null
            when valued.interval_method = 'wilson' then {{ wilson('valued.value', 'valued.denominator', 'valued.z', '-') }}
            when valued.interval_method = 'byar'
                then {{ byar_lower('valued.numerator', 'valued.z') }} * valued.per / valued.denominator
            when valued.interval_method = 'normal' and valued.denominator > 1
                then
                    valued.value
                    - valued.z
                    * sqrt(
                        greatest(valued.sum_of_squares - valued.value * valued.numerator, 0)
                        / (valued.denominator - 1.0)
                        / valued.denominator
                    )
            else valued.known_lower
        end as lower,
        case
            when valued.value is null then null
            when valued.interval_method = 'wilson' then {{ wilson('valued.value', 'valued.denominator', 'valued.z', '+') }}
            when valued.interval_method = 'byar'
                then {{ byar_upper('valued.numerator', 'valued.z') }} * valued.per / valued.denominator
            when valued.interval_method = 'normal' and valued.denominator > 1
                then
                    valued.value
                    + valued.z
                    * sqrt(
                        greatest(valued.sum_of_squares - valued.value * valued.numerator, 0)
                        / (valued.denominator - 1.0)
                        / valued.denominator
                    )
            else valued.known_upper
        end as upper,
        case when valued.share is not null then {{ wilson('valued.share', 'valued.share_base', 'valued.z', '-') }} end
            as share_lower,
        case when valued.share is not null then {{ wilson('valued.share', 'valued.share_base', 'valued.z', '+') }} end
            as share_upper
    from valued
),

ranges as (
    -- Forces with every month that the nation has, whose figure rests on enough.
    select
        forces.period_kind,
        forces.period,
        forces.definition_id,
        forces.threat,
        forces.measure,
        forces.breakdown,
        forces.breakdown_value,
        min(forces.value) as lowest_force_value,
        max(forces.value) as highest_force_value,
        count(*) as n_forces_compared
    from bounded as forces
    inner join {{ ref('statistics_coverage') }} as nation
        on
            forces.period_kind = nation.period_kind
            and forces.period = nation.period
            and nation.force_code = 'national'
            and forces.n_months = nation.n_months
    where
        forces.force_code <> 'national'
        and forces.kind in ('share', 'rate', 'mean', 'median')
        and forces.value is not null
        and forces.denominator >= forces.range_min_denominator
    group by
        forces.period_kind,
        forces.period,
        forces.definition_id,
        forces.threat,
        forces.measure,
        forces.breakdown,
        forces.breakdown_value
),

breaks as (
    select
        spans.period_kind,
        spans.period,
        breaks.threat,
        {{ list_as_text(distinct_list('breaks.break_id')) }} as break_ids
    from {{ ref('statistics_coverage') }} as spans
    inner join {{ ref('statistics_breaks') }} as breaks
        on breaks.breaks_on > spans.period and breaks.breaks_on <= spans.period_end
    where spans.force_code = 'national'
    group by spans.period_kind, spans.period, breaks.threat
)

select
    bounded.period,
    bounded.period_kind,
    bounded.force_code,
    bounded.definition_id,
    bounded.threat,
    bounded.measure,
    bounded.breakdown,
    bounded.breakdown_value,
    bounded.value,
    case when not bounded.suppressed then cast(bounded.numerator as bigint) end as numerator,
    case when not bounded.suppressed then cast(bounded.denominator as bigint) end as denominator,
    bounded.n_forces,
    bounded.n_months,
    {%- for bound, clamp in [('lower', 'greatest(0, '), ('upper', 'least(1, ')] %}
    case
        when bounded.{{ bound }} is null then null
        when bounded.kind = 'share' then {{ clamp }}bounded.{{ bound }})
        else bounded.{{ bound }}
    end as {{ bound }},
    {%- endfor %}
    bounded.suppressed,
    bounded.unit,
    case when not bounded.suppressed then cast(bounded.share_base as bigint) end as share_base,
    bounded.share,
    case when bounded.share is not null then greatest(0, bounded.share_lower) end as share_lower,
    case when bounded.share is not null then least(1, bounded.share_upper) end as share_upper,
    ranges.lowest_force_value,
    ranges.highest_force_value,
    case when bounded.force_code = 'national' then coalesce(ranges.n_forces_compared, 0) end as n_forces_compared,
    breaks.break_ids
from bounded
left join ranges
    on
        bounded.force_code = 'national'
        and bounded.period_kind = ranges.period_kind
        and bounded.period = ranges.period
        and bounded.definition_id = ranges.definition_id
        and bounded.threat = ranges.threat
        and bounded.measure = ranges.measure
        and bounded.breakdown = ranges.breakdown
        and bounded.breakdown_value = ranges.breakdown_value
left join breaks
    on
        bounded.period_kind = breaks.period_kind
        and bounded.period = breaks.period
        and bounded.threat = breaks.threat
