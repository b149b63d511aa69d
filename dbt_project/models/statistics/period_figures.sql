-- Grain: period x force or nation x definition x threat x measure x breakdown value, of what no sum of months gives: persons
-- counted once, medians, what is in force on a day. Persons only for spans of a year or more.
with parameters as (
    {{ statistics_parameters(['interval_z']) }}
),

long_kinds as (
    select period_kind
    from {{ ref('period_kinds') }}
    where n_months >= 12
),

coverage as (
    select *
    from {{ ref('statistics_coverage') }}
),

accused as (
    -- Persons named by crime, once each, with the month.
    select distinct
        involvements.person_id,
        offences.offence_id,
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        offences.offence_group
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_involvements') }} as involvements on offences.offence_id = involvements.offence_id
    where
        involvements.role = 'suspect'
        and involvements.person_id is not null
        and involvements.is_identified
        and involvements.allegation_stands
),

accused_counts as (
    select
        periods.period_kind,
        periods.period,
        accused.force_code,
        accused.person_id,
        accused.definition_bits,
        accused.threat_bits,
        accused.offence_group,
        count(*) as n_offences
    from accused
    inner join {{ ref('statistics_periods') }} as periods on accused.recorded_month = periods.recorded_month
    inner join long_kinds on periods.period_kind = long_kinds.period_kind
    group by
        periods.period_kind,
        periods.period,
        accused.force_code,
        accused.person_id,
        accused.definition_bits,
        accused.threat_bits,
        accused.offence_group
),

persons as (
    -- Under every definition and threat, and by group of offence under the definition.
    select
        accused_counts.period_kind,
        accused_counts.period,
        accused_counts.force_code,
        sets.definition_id,
        sets.threat,
        accused_counts.person_id,
        'none' as breakdown,
        'all' as breakdown_value,
        sum(accused_counts.n_offences) as n_offences
    from accused_counts
    inner join {{ ref('scope_sets') }} as sets
        on accused_counts.definition_bits = sets.definition_bits and accused_counts.threat_bits = sets.threat_bits
    group by
        accused_counts.period_kind,
        accused_counts.period,
        accused_counts.force_code,
        sets.definition_id,
        sets.threat,
        accused_counts.person_id

    union all

    select
        accused_counts.period_kind,
        accused_counts.period,
        accused_counts.force_code,
        sets.definition_id,
        sets.threat,
        accused_counts.person_id,
        'offence_group' as breakdown,
        accused_counts.offence_group as breakdown_value,
        sum(accused_counts.n_offences) as n_offences
    from accused_counts
    inner join {{ ref('scope_sets') }} as sets
        on
            accused_counts.definition_bits = sets.definition_bits
            and accused_counts.threat_bits = sets.threat_bits
            and sets.threat = 'all'
    group by
        accused_counts.period_kind,
        accused_counts.period,
        accused_counts.force_code,
        sets.definition_id,
        sets.threat,
        accused_counts.person_id,
        accused_counts.offence_group
),

{#- A person of two forces is one in the nation. #}
placed_persons as (
    select * from persons

    union all

    select
        period_kind,
        period,
        'national' as force_code,
        definition_id,
        threat,
        person_id,
        breakdown,
        breakdown_value,
        sum(n_offences) as n_offences
    from persons
    group by period_kind, period, definition_id, threat, person_id, breakdown, breakdown_value
),

person_figures as (
    select
        period_kind,
        period,
        force_code,
        definition_id,
        threat,
        breakdown,
        breakdown_value,
        count(*) as n_persons,
        {{ count_where('n_offences > 1') }} as n_several,
        cast(max(n_offences) as bigint) as most_offences
    from placed_persons
    group by period_kind, period, force_code, definition_id, threat, breakdown, breakdown_value
),

charges as (
    select
        periods.period_kind,
        periods.period,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        offences.charge_days,
        count(*) as n
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('statistics_periods') }} as periods on offences.recorded_month = periods.recorded_month
    where offences.charge_days is not null
    group by
        periods.period_kind,
        periods.period,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        offences.charge_days
),

charge_scopes as (
    select
        charges.period_kind,
        charges.period,
        charges.force_code,
        sets.definition_id,
        sets.threat,
        charges.charge_days,
        sum(charges.n) as n
    from charges
    inner join {{ ref('scope_sets') }} as sets
        on charges.definition_bits = sets.definition_bits and charges.threat_bits = sets.threat_bits
    group by
        charges.period_kind,
        charges.period,
        charges.force_code,
        sets.definition_id,
        sets.threat,
        charges.charge_days
),

placed_charges as (
    select * from charge_scopes

    union all

    select
        period_kind,
        period,
        'national' as force_code,
        definition_id,
        threat,
        charge_days,
        sum(n) as n
    from charge_scopes
    group by period_kind, period, definition_id, threat, charge_days
),

running_charges as (
    select
        placed_charges.*,
        sum(n) over (
            partition by period_kind, period, force_code, definition_id, threat
            order by charge_days
        ) as n_up_to,
        sum(n) over (partition by period_kind, period, force_code, definition_id, threat) as n_all
    from placed_charges
),

medians as (
    -- The middle one of the crimes in order of days, the mean of two where their number is even; bounds are the ranks
    -- n/2 -+ z/2 sqrt(n).
    select
        running_charges.period_kind,
        running_charges.period,
        running_charges.force_code,
        running_charges.definition_id,
        running_charges.threat,
        max(running_charges.n_all) as n_all,
        min(case when running_charges.n_up_to * 2 >= running_charges.n_all then running_charges.charge_days end) as middle,
        min(case when running_charges.n_up_to * 2 >= running_charges.n_all + 1 then running_charges.charge_days end)
            as upper_middle,
        min(
            case
                when
                    running_charges.n_up_to
                    >= greatest(1, floor((running_charges.n_all - parameters.interval_z * sqrt(running_charges.n_all)) / 2))
                    then running_charges.charge_days
            end
        ) as lower,
        min(
            case
                when
                    running_charges.n_up_to
                    >= least(
                        running_charges.n_all,
                        ceil(1 + (running_charges.n_all + parameters.interval_z * sqrt(running_charges.n_all)) / 2)
                    )
                    then running_charges.charge_days
            end
        ) as upper
    from running_charges
    cross join parameters
    group by
        running_charges.period_kind,
        running_charges.period,
        running_charges.force_code,
        running_charges.definition_id,
        running_charges.threat
),

orders as (
    select
        coverage.period_kind,
        coverage.period,
        orders.force_code,
        orders.order_type
    from {{ ref('national_protective_orders') }} as orders
    inner join coverage
        on
            orders.force_code = coverage.force_code
            and orders.granted_on <= coverage.period_end
            and coalesce(orders.rescinded_on > coverage.period_end, true)
            and coalesce(orders.expires_on >= coverage.period_end, true)
    cross join {{ ref('national_run') }} as run
    where coverage.period_end <= run.period_end
),

order_figures as (
    select
        period_kind,
        period,
        case when grouping(force_code) = 0 then force_code else 'national' end as force_code,
        {{ breakdown_of_set(['order_type']) }} as breakdown,
        {{ value_of_set(['order_type']) }} as breakdown_value,
        count(*) as n
    from orders
    group by grouping sets (
        (period_kind, period),
        (period_kind, period, order_type),
        (period_kind, period, force_code),
        (period_kind, period, force_code, order_type)
    )
)

{% for measure, numerator, denominator in [
    ('named_suspects', 'n_persons', 'null'),
    ('suspects_several_offences_share', 'n_several', 'n_persons'),
    ('most_offences_of_one_suspect', 'most_offences', 'null'),
] %}
    select
        period_kind,
        period,
        force_code,
        definition_id,
        threat,
        '{{ measure }}' as measure,
        breakdown,
        breakdown_value,
        {{ numerator }} as numerator,
        cast({{ denominator }} as bigint) as denominator,
        cast(null as double precision) as value,
        cast(null as double precision) as lower,
        cast(null as double precision) as upper
    from person_figures

    union all
{% endfor %}

select
    period_kind,
    period,
    force_code,
    definition_id,
    threat,
    'days_to_charge_median' as measure,
    'none' as breakdown,
    'all' as breakdown_value,
    cast(null as bigint) as numerator,
    cast(n_all as bigint) as denominator,
    (middle + upper_middle) / 2.0 as value,
    cast(lower as double precision) as lower,
    cast(upper as double precision) as upper
from medians

union all

select
    period_kind,
    period,
    force_code,
    'none' as definition_id,
    'all' as threat,
    'orders_in_force' as measure,
    breakdown,
    breakdown_value,
    n as numerator,
    null as denominator,
    null as value,
    null as lower,
    null as upper
from order_figures

union all

select
    figures.period_kind,
    figures.period,
    figures.force_code,
    figures.definition_id,
    figures.threat,
    figures.measure,
    figures.breakdown,
    figures.breakdown_value,
    figures.numerator,
    figures.denominator,
    figures.value,
    null as lower,
    null as upper
from {{ ref('harm_figures') }} as figures
