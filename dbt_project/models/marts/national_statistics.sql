-- Grain: one figure: period x force x definition x threat x measure x breakdown value.
with parameters as (
    select
        max(case when parameter = 'suppress_below' then number end) as suppress_below,
        max(case when parameter = 'interval_z' then number end) as z
    from {{ ref('statistics_parameters') }}
),

months as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

periods as (
    -- A month belongs to its quarter, its financial year (April to March) and the rolling year that ends with the run.
    select distinct
        recorded_month,
        'month' as period_kind,
        recorded_month as period
    from months

    union all

    select distinct
        recorded_month,
        'quarter' as period_kind,
        cast({{ dbt.date_trunc('quarter', 'recorded_month') }} as date) as period
    from months

    union all

    select distinct
        recorded_month,
        'financial_year' as period_kind,
        cast(
            {{ dbt.dateadd('month', 3, dbt.date_trunc('year', dbt.dateadd('month', -3, 'recorded_month'))) }} as date
        ) as period
    from months

    union all

    select distinct
        months.recorded_month,
        'rolling_year' as period_kind,
        cast({{ dbt.dateadd('month', -11, 'run.period') }} as date) as period
    from months
    cross join {{ ref('national_run') }} as run
    where months.recorded_month >= cast({{ dbt.dateadd('month', -11, 'run.period') }} as date)
),

coverage as (
    select
        periods.period_kind,
        periods.period,
        months.force_code,
        1 as n_forces,
        count(*) as n_months
    from periods
    inner join months on periods.recorded_month = months.recorded_month
    group by periods.period_kind, periods.period, months.force_code

    union all

    select
        periods.period_kind,
        periods.period,
        'national' as force_code,
        count(distinct months.force_code) as n_forces,
        count(distinct months.recorded_month) as n_months
    from periods
    inner join months on periods.recorded_month = months.recorded_month
    group by periods.period_kind, periods.period
),

by_force as (
    select
        periods.period,
        periods.period_kind,
        counts.force_code,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator
    from {{ ref('national_monthly_counts') }} as counts
    inner join periods on counts.recorded_month = periods.recorded_month
    group by
        periods.period,
        periods.period_kind,
        counts.force_code,
        counts.definition_id,
        counts.threat,
        counts.measure,
        counts.breakdown,
        counts.breakdown_value
),

figures as (
    select * from by_force

    union all

    select
        period,
        period_kind,
        'national' as force_code,
        definition_id,
        threat,
        measure,
        breakdown,
        breakdown_value,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from by_force
    group by period, period_kind, definition_id, threat, measure, breakdown, breakdown_value
),

judged as (
    select
        figures.*,
        coverage.n_forces,
        coverage.n_months,
        parameters.z,
        figures.denominator is not null as is_share,
        -- What a few people of one force are is not published; crimes are.
        figures.force_code <> 'national'
        and figures.breakdown <> 'none'
        and figures.measure in ('victims', 'suspects', 'victims_female_share')
        and coalesce(figures.denominator, figures.numerator) between 1 and parameters.suppress_below - 1 as suppressed
    from figures
    inner join coverage
        on
            figures.period_kind = coverage.period_kind
            and figures.period = coverage.period
            and figures.force_code = coverage.force_code
    cross join parameters
),

shares as (
    select
        judged.*,
        case
            when judged.is_share and judged.denominator > 0 and not judged.suppressed
                then cast(judged.numerator as double precision) / judged.denominator
        end as share
    from judged
),

wilson as (
    select
        shares.*,
        (shares.share + shares.z * shares.z / (2 * shares.denominator))
        / (1 + shares.z * shares.z / shares.denominator) as centre,
        shares.z
        * sqrt(
            shares.share * (1 - shares.share) / shares.denominator
            + shares.z * shares.z / (4.0 * shares.denominator * shares.denominator)
        )
        / (1 + shares.z * shares.z / shares.denominator) as half_width
    from shares
)

select
    period,
    period_kind,
    force_code,
    definition_id,
    threat,
    measure,
    breakdown,
    breakdown_value,
    case
        when is_share then share
        when not suppressed then cast(numerator as double precision)
    end as value,
    case when not suppressed then cast(numerator as bigint) end as numerator,
    case when not suppressed then cast(denominator as bigint) end as denominator,
    cast(n_forces as bigint) as n_forces,
    cast(n_months as bigint) as n_months,
    case when share is not null then greatest(0, centre - half_width) end as lower,
    case when share is not null then least(1, centre + half_width) end as upper,
    suppressed
from wilson
