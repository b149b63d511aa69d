-- Grain: period x force or nation x definition x threat x measure x years back: a headline figure beside the same figure of an
-- earlier year, like with like: only the months of a force that both years have.
with parameters as (
    {{ statistics_parameters(['interval_z']) }}
),

months as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

pairs as (
    select
        later.force_code,
        later.recorded_month,
        earlier.recorded_month as earlier_month,
        comparisons.years_back
    from months as later
    cross join {{ ref('period_comparisons') }} as comparisons
    inner join months as earlier
        on
            later.force_code = earlier.force_code
            and earlier.recorded_month
            = cast({{ dbt.dateadd('month', '-12 * comparisons.years_back', 'later.recorded_month') }} as date)
),

headlines as (
    select
        counts.*,
        measures.kind,
        measures.unit,
        measures.per
    from {{ ref('national_monthly_counts') }} as counts
    inner join {{ ref('statistics_measures') }} as measures on counts.measure = measures.measure
    where counts.breakdown = 'none' and measures.kind in ('count', 'share', 'rate', 'mean')
),

sides as (
    {% for month, side in [('recorded_month', 'later'), ('earlier_month', 'earlier')] %}
        select
            periods.period_kind,
            periods.period,
            pairs.years_back,
            headlines.force_code,
            headlines.definition_id,
            headlines.threat,
            headlines.measure,
            '{{ side }}' as side,
            headlines.numerator,
            headlines.denominator
        from pairs
        inner join {{ ref('statistics_periods') }} as periods on pairs.recorded_month = periods.recorded_month
        inner join headlines
            on pairs.force_code = headlines.force_code and pairs.{{ month }} = headlines.recorded_month
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

by_force as (
    select
        period_kind,
        period,
        years_back,
        force_code,
        definition_id,
        threat,
        measure,
        sum(case when side = 'later' then numerator else 0 end) as numerator,
        sum(case when side = 'later' then denominator end) as denominator,
        sum(case when side = 'earlier' then numerator else 0 end) as previous_numerator,
        sum(case when side = 'earlier' then denominator end) as previous_denominator
    from sides
    group by period_kind, period, years_back, force_code, definition_id, threat, measure
),

together as (
    select * from by_force

    union all

    select
        period_kind,
        period,
        years_back,
        'national' as force_code,
        definition_id,
        threat,
        measure,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(previous_numerator) as previous_numerator,
        sum(previous_denominator) as previous_denominator
    from by_force
    group by period_kind, period, years_back, definition_id, threat, measure
),

compared_months as (
    select distinct
        periods.period_kind,
        periods.period,
        periods.period_end,
        pairs.years_back,
        pairs.force_code,
        pairs.recorded_month
    from pairs
    inner join {{ ref('statistics_periods') }} as periods on pairs.recorded_month = periods.recorded_month
),

coverage as (
    select
        period_kind,
        period,
        period_end,
        years_back,
        case when grouping(force_code) = 0 then force_code else 'national' end as force_code,
        count(distinct force_code) as n_forces,
        count(distinct recorded_month) as n_months,
        count(*) as n_force_months
    from compared_months
    group by grouping sets (
        (period_kind, period, period_end, years_back),
        (period_kind, period, period_end, years_back, force_code)
    )
),

breaks as (
    select
        coverage.period_kind,
        coverage.period,
        coverage.years_back,
        breaks.threat,
        {{ list_as_text(distinct_list('breaks.break_id')) }} as break_ids
    from coverage
    inner join {{ ref('statistics_breaks') }} as breaks
        on
            breaks.breaks_on <= coverage.period_end
            and breaks.breaks_on > {{ dbt.dateadd('month', '-12 * coverage.years_back', 'coverage.period') }}
    where coverage.force_code = 'national'
    group by coverage.period_kind, coverage.period, coverage.years_back, breaks.threat
),

valued as (
    select
        together.*,
        coverage.n_forces,
        coverage.n_months,
        coverage.n_force_months,
        breaks.break_ids,
        measures.unit,
        measures.kind,
        parameters.interval_z as z,
        measures.is_about_people
        and together.force_code <> 'national'
        and measures.kind <> 'count'
        and least(together.denominator, together.previous_denominator) < suppression.suppress_below as suppressed,
        {%- for prefix in ['', 'previous_'] %}
        case
            when measures.kind = 'count' then cast(together.{{ prefix }}numerator as double precision)
            when together.{{ prefix }}denominator > 0
                then
                    cast(together.{{ prefix }}numerator as double precision)
                    * measures.per
                    / together.{{ prefix }}denominator
        end as {{ prefix }}value{{ ',' if not loop.last }}
        {%- endfor %}
    from together
    inner join coverage
        on
            together.period_kind = coverage.period_kind
            and together.period = coverage.period
            and together.years_back = coverage.years_back
            and together.force_code = coverage.force_code
    inner join {{ ref('statistics_measures') }} as measures on together.measure = measures.measure
    cross join parameters
    cross join ({{ statistics_parameters(['suppress_below']) }}) as suppression
    left join breaks
        on
            together.period_kind = breaks.period_kind
            and together.period = breaks.period
            and together.years_back = breaks.years_back
            and together.threat = breaks.threat
)

select
    period,
    period_kind,
    force_code,
    definition_id,
    threat,
    measure,
    unit,
    years_back,
    case when not coalesce(suppressed, false) then value end as value,
    case when not coalesce(suppressed, false) then previous_value end as previous_value,
    case when not coalesce(suppressed, false) then value - previous_value end as change,
    case when not coalesce(suppressed, false) and previous_value > 0 then value / previous_value - 1 end as change_share,
    case
        when kind = 'count' and numerator > 0 and previous_numerator > 0
            then
                exp(ln(numerator * 1.0 / previous_numerator) - z * sqrt(1.0 / numerator + 1.0 / previous_numerator)) - 1
    end as change_share_lower,
    case
        when kind = 'count' and numerator > 0 and previous_numerator > 0
            then
                exp(ln(numerator * 1.0 / previous_numerator) + z * sqrt(1.0 / numerator + 1.0 / previous_numerator)) - 1
    end as change_share_upper,
    n_forces,
    n_months,
    n_force_months,
    break_ids
from valued
