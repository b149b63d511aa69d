-- Grain: period x force (or the nation) x flag x rater x reference.
with parameters as (
    {{ statistics_parameters(['interval_z']) }}
),

periods as ({{ flag_periods() }}),

by_force as (
    select
        periods.period,
        periods.period_kind,
        counts.force_code,
        counts.flag,
        counts.rater,
        counts.reference,
        sum(counts.n) as n,
        sum(counts.n_both) as n_both,
        sum(counts.n_rater_only) as n_rater_only,
        sum(counts.n_reference_only) as n_reference_only,
        sum(counts.n_said_no) as n_said_no,
        sum(counts.n_blank) as n_blank
    from {{ ref('national_flag_counts') }} as counts
    inner join periods on counts.recorded_month = periods.recorded_month
    group by periods.period, periods.period_kind, counts.force_code, counts.flag, counts.rater, counts.reference
),

counted as (
    select * from by_force
    union all
    select
        period,
        period_kind,
        'national' as force_code,
        flag,
        rater,
        reference,
        sum(n) as n,
        sum(n_both) as n_both,
        sum(n_rater_only) as n_rater_only,
        sum(n_reference_only) as n_reference_only,
        sum(n_said_no) as n_said_no,
        sum(n_blank) as n_blank
    from by_force
    group by period, period_kind, flag, rater, reference
),

shares as (
    select
        counted.*,
        parameters.interval_z as z,
        cast(counted.n_both as double precision) / counted.n as p11,
        cast(counted.n_rater_only as double precision) / counted.n as p10,
        cast(counted.n_reference_only as double precision) / counted.n as p01,
        cast(counted.n - counted.n_both - counted.n_rater_only - counted.n_reference_only as double precision)
        / counted.n as p00
    from counted
    cross join parameters
),

chance as (
    select
        *,
        p11 + p10 as r1,
        p11 + p01 as c1,
        (p11 + p10) * (p11 + p01) + (p01 + p00) * (p10 + p00) as pe
    from shares
),

kappas as (
    select
        *,
        case when pe < 1 then (p11 + p00 - pe) / (1 - pe) end as kappa
    from chance
),

errors as (
    select
        *,
        case
            when kappa is not null
                then sqrt(greatest(0, {{ kappa_variance('n', 'p11', 'p10', 'p01', 'p00', 'r1', 'c1', 'pe', 'kappa') }}))
        end as kappa_error
    from kappas
)

select
    period,
    period_kind,
    force_code,
    flag,
    rater,
    reference,
    cast(n as bigint) as n,
    cast(n_both as bigint) as n_both,
    cast(n_rater_only as bigint) as n_rater_only,
    cast(n_reference_only as bigint) as n_reference_only,
    cast(n - n_both - n_rater_only - n_reference_only as bigint) as n_neither,
    cast(n_said_no as bigint) as n_said_no,
    cast(n_blank as bigint) as n_blank,
    {% for share, other in [('precision', 'n_rater_only'), ('recall', 'n_reference_only')] %}
        case
            when n_both + {{ other }} > 0 then cast(n_both as double precision) / (n_both + {{ other }})
        end as {{ share }}_share,
        greatest(0, {{ wilson_end('n_both', '(n_both + ' ~ other ~ ')', 'z', '-') }}) as {{ share }}_lower,
        least(1, {{ wilson_end('n_both', '(n_both + ' ~ other ~ ')', 'z', '+') }}) as {{ share }}_upper,
    {% endfor %}
    kappa,
    greatest(-1, kappa - z * kappa_error) as kappa_lower,
    least(1, kappa + z * kappa_error) as kappa_upper
from errors
