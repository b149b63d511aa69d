-- Grain: period x force or nation x definition x exact combination of threats: every crime under the definition is in one
-- combination, so that rows sum to the total. What is in no threat has the combination `none`.
with combinations as (
    select
        sets.threat_bits,
        {{ list_as_text(distinct_list('threats.scope_id')) }} as combination,
        count(distinct threats.scope_id) as n_threats
    from (select distinct threat_bits from {{ ref('offence_scope_bits') }}) as sets
    left join {{ ref('scope_bits') }} as threats
        on threats.kind = 'threat' and {{ has_bit('sets.threat_bits', 'threats.bit') }}
    group by sets.threat_bits
),

counted as (
    select
        periods.period_kind,
        periods.period,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        count(*) as n_offences
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('statistics_periods') }} as periods on offences.recorded_month = periods.recorded_month
    group by periods.period_kind, periods.period, offences.force_code, offences.definition_bits, offences.threat_bits
),

by_force as (
    select
        counted.period_kind,
        counted.period,
        counted.force_code,
        sets.definition_id,
        counted.threat_bits,
        sum(counted.n_offences) as n_offences
    from counted
    inner join {{ ref('scope_sets') }} as sets
        on
            counted.definition_bits = sets.definition_bits
            and counted.threat_bits = sets.threat_bits
            and sets.threat = 'all'
    group by counted.period_kind, counted.period, counted.force_code, sets.definition_id, counted.threat_bits
),

together as (
    select * from by_force

    union all

    select
        period_kind,
        period,
        'national' as force_code,
        definition_id,
        threat_bits,
        sum(n_offences) as n_offences
    from by_force
    group by period_kind, period, definition_id, threat_bits
)

select
    together.period,
    together.period_kind,
    together.force_code,
    together.definition_id,
    case when combinations.n_threats = 0 then 'none' else combinations.combination end as combination,
    combinations.n_threats,
    cast(together.n_offences as bigint) as n_offences,
    cast(together.n_offences as double precision)
    / sum(together.n_offences) over (
        partition by together.period_kind, together.period, together.force_code, together.definition_id
    ) as offences_share
from together
inner join combinations on together.threat_bits = combinations.threat_bits
