-- Grain: period x force or nation x definition x threat x measure x breakdown value, of what no sum of months gives: persons
-- counted once, medians, what is in force on a day. Persons only for spans of a year or more.
with parameters as (
    {{ statistics_parameters(['interval_z']) }}
),

long_periods as (
    -- Spans that persons are counted over, numbered.
    select
        periods.period_kind,
        periods.period,
        periods.recorded_month,
        dense_rank() over (order by periods.period_kind, periods.period) as period_no
    from {{ ref('statistics_periods') }} as periods
    inner join {{ ref('period_kinds') }} as kinds on periods.period_kind = kinds.period_kind
    where kinds.has_persons
),

coverage as (
    select *
    from {{ ref('statistics_coverage') }}
),

sent as (
    select distinct force_code
    from coverage
    where force_code <> 'national'
),

bodies as (
    select
        force_code,
        row_number() over (order by force_code) as force_no
    from sent
),

accused as (
    -- Persons named by crime, once each.
    select distinct
        involvements.person_no,
        offences.offence_id,
        offences.recorded_month,
        bodies.force_no,
        offences.definition_bits,
        offences.threat_bits,
        offences.offence_group
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_involvements') }} as involvements on offences.offence_id = involvements.offence_id
    inner join bodies on offences.force_code = bodies.force_code
    where
        involvements.role = 'suspect'
        and involvements.person_no is not null
        and involvements.is_identified
        and involvements.allegation_stands
),

accused_counts as (
    select
        long_periods.period_no,
        accused.force_no,
        accused.person_no,
        accused.definition_bits,
        accused.threat_bits,
        accused.offence_group,
        count(*) as n_offences
    from accused
    inner join long_periods on accused.recorded_month = long_periods.recorded_month
    group by
        long_periods.period_no,
        accused.force_no,
        accused.person_no,
        accused.definition_bits,
        accused.threat_bits,
        accused.offence_group
),

persons as (
    -- Under every definition and threat, and by group of offence under the definition.
    select
        accused_counts.period_no,
        accused_counts.force_no,
        scope_sets.scope_no,
        accused_counts.person_no,
        'all' as offence_group,
        sum(accused_counts.n_offences) as n_offences
    from accused_counts
    inner join {{ ref('scope_sets') }} as scope_sets
        on
            accused_counts.definition_bits = scope_sets.definition_bits
            and accused_counts.threat_bits = scope_sets.threat_bits
    group by accused_counts.period_no, accused_counts.force_no, scope_sets.scope_no, accused_counts.person_no

    union all

    select
        accused_counts.period_no,
        accused_counts.force_no,
        scope_sets.scope_no,
        accused_counts.person_no,
        accused_counts.offence_group,
        sum(accused_counts.n_offences) as n_offences
    from accused_counts
    inner join {{ ref('scope_sets') }} as scope_sets
        on
            accused_counts.definition_bits = scope_sets.definition_bits
            and accused_counts.threat_bits = scope_sets.threat_bits
            and scope_sets.threat = 'all'
    group by
        accused_counts.period_no,
        accused_counts.force_no,
        scope_sets.scope_no,
        accused_counts.person_no,
        accused_counts.offence_group
),

-- A person of two forces is one in the nation, whose number is 0.
counted_persons as (
    select
        force_no,
        period_no,
        scope_no,
        offence_group,
        count(*) as n_persons,
        {{ count_where('n_offences > 1') }} as n_several,
        max(n_offences) as most_offences
    from persons
    group by force_no, period_no, scope_no, offence_group

    union all

    select
        0 as force_no,
        period_no,
        scope_no,
        offence_group,
        count(*) as n_persons,
        {{ count_where('n_offences > 1') }} as n_several,
        max(n_offences) as most_offences
    from (
        select
            period_no,
            scope_no,
            person_no,
            offence_group,
            sum(n_offences) as n_offences
        from persons
        group by period_no, scope_no, person_no, offence_group
    ) as nation
    group by period_no, scope_no, offence_group
),

numbered_periods as (
    select distinct
        period_no,
        period_kind,
        period
    from long_periods
),

numbered_scopes as (
    select distinct
        scope_no,
        definition_id,
        threat
    from {{ ref('scope_sets') }}
),

person_figures as (
    select
        periods.period_kind,
        periods.period,
        coalesce(bodies.force_code, 'national') as force_code,
        scopes.definition_id,
        scopes.threat,
        case when counted_persons.offence_group = 'all' then 'none' else 'offence_group' end as breakdown,
        counted_persons.offence_group as breakdown_value,
        counted_persons.n_persons,
        counted_persons.n_several,
        cast(counted_persons.most_offences as bigint) as most_offences
    from counted_persons
    inner join numbered_periods as periods on counted_persons.period_no = periods.period_no
    inner join numbered_scopes as scopes on counted_persons.scope_no = scopes.scope_no
    left join bodies on counted_persons.force_no = bodies.force_no
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
        scope_sets.definition_id,
        scope_sets.threat,
        charges.charge_days,
        sum(charges.n) as n
    from charges
    inner join {{ ref('scope_sets') }} as scope_sets
        on charges.definition_bits = scope_sets.definition_bits and charges.threat_bits = scope_sets.threat_bits
    group by
        charges.period_kind,
        charges.period,
        charges.force_code,
        scope_sets.definition_id,
        scope_sets.threat,
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
        sum(placed_charges.n) over (
            partition by
                placed_charges.period_kind,
                placed_charges.period,
                placed_charges.force_code,
                placed_charges.definition_id,
                placed_charges.threat
            order by placed_charges.charge_days
        ) as n_up_to,
        sum(placed_charges.n) over (
            partition by
                placed_charges.period_kind,
                placed_charges.period,
                placed_charges.force_code,
                placed_charges.definition_id,
                placed_charges.threat
        ) as n_all
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
    group by grouping sets (  -- noqa: PRS
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
