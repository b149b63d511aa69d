-- Grain: kind of period x period x force or nation: the returns behind it.
with months as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

covered as (
    select
        periods.period_kind,
        periods.period,
        periods.period_end,
        periods.recorded_month,
        months.force_code,
        cast(
            {{ dbt.datediff('periods.recorded_month', dbt.dateadd('month', 1, 'periods.recorded_month'), 'day') }} as bigint
        ) as n_days
    from {{ ref('statistics_periods') }} as periods
    inner join months on periods.recorded_month = months.recorded_month
),

national_months as (
    select distinct
        period_kind,
        period,
        period_end,
        recorded_month,
        n_days
    from covered
),

national as (
    select
        period_kind,
        period,
        period_end,
        count(*) as n_months,
        sum(n_days) as n_days
    from national_months
    group by period_kind, period, period_end
),

forces as (
    select
        period_kind,
        period,
        count(distinct force_code) as n_forces
    from covered
    group by period_kind, period
)

select
    period_kind,
    period,
    period_end,
    force_code,
    cast(1 as bigint) as n_forces,
    count(*) as n_months,
    cast(sum(n_days) as bigint) as n_days
from covered
group by period_kind, period, period_end, force_code

union all

select
    national.period_kind,
    national.period,
    national.period_end,
    'national' as force_code,
    forces.n_forces,
    national.n_months,
    cast(national.n_days as bigint) as n_days
from national
inner join forces on national.period_kind = forces.period_kind and national.period = forces.period
