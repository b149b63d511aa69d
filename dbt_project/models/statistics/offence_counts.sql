-- Grain: month of recording x force x definition x threat x breakdown value of crimes. Crimes are read once and grouped by
-- the sets of definitions and threats they meet; sets are put into definitions and threats afterwards.
with grouped as (
    select
        recorded_month,
        force_code,
        definition_bits,
        threat_bits,
        {{ breakdown_of_set(offence_breakdowns()) }} as breakdown,
        {{ value_of_set(offence_breakdowns()) }} as breakdown_value,
        count(*) as n_offences,
        {{ count_where('is_closed') }} as n_closed,
        {{ count_where('is_closed and is_charged') }} as n_charged,
        {{ count_where("outcome_stage = 'victim_not_supporting'") }} as n_victim_not_supporting,
        {{ count_where("outcome_stage = 'evidential_difficulty'") }} as n_evidential_difficulty,
        {{ count_where('has_child_suspect') }} as n_child_suspect,
        {{ count_where('has_child_suspect is not null') }} as n_suspect_age_known,
        sum(n_arrested_suspects) as n_arrests
    from {{ ref('statistical_offences') }}
    group by grouping sets (
        (recorded_month, force_code, definition_bits, threat_bits)
        {%- for column in offence_breakdowns() %},
        (recorded_month, force_code, definition_bits, threat_bits, {{ column }})
        {%- endfor %}
    )
),

flagged as (
    select
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        'flag' as breakdown,
        flags.flag as breakdown_value,
        count(*) as n_offences
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_offence_flags') }} as flags on offences.offence_id = flags.offence_id
    where flags.force_value = 'Y'
    group by
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        flags.flag
),

also_threats as (
    select
        grouped.recorded_month,
        grouped.force_code,
        grouped.definition_bits,
        grouped.threat_bits,
        threats.scope_id as also_threat,
        grouped.n_offences
    from grouped
    inner join {{ ref('scope_bits') }} as threats
        on threats.kind = 'threat' and {{ has_bit('grouped.threat_bits', 'threats.bit') }}
    where grouped.breakdown = 'none'
)

select
    grouped.recorded_month,
    grouped.force_code,
    sets.definition_id,
    sets.threat,
    grouped.breakdown,
    grouped.breakdown_value,
    {%- for column in ['n_offences', 'n_closed', 'n_charged', 'n_victim_not_supporting', 'n_evidential_difficulty',
                       'n_child_suspect', 'n_suspect_age_known', 'n_arrests'] %}
    cast(sum(grouped.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from grouped
inner join {{ ref('scope_sets') }} as sets
    on grouped.definition_bits = sets.definition_bits and grouped.threat_bits = sets.threat_bits
group by
    grouped.recorded_month,
    grouped.force_code,
    sets.definition_id,
    sets.threat,
    grouped.breakdown,
    grouped.breakdown_value

{% for relation, breakdown, value, condition in [
    ('flagged', "'flag'", 'breakdown_value', 'true'),
    ('also_threats', "'also_threat'", 'also_threat', 'sets.threat <> counted.also_threat'),
] %}
    union all

    select
        counted.recorded_month,
        counted.force_code,
        sets.definition_id,
        sets.threat,
        {{ breakdown }} as breakdown,
        counted.{{ value }} as breakdown_value,
        cast(sum(counted.n_offences) as bigint) as n_offences,
        {%- for column in ['n_closed', 'n_charged', 'n_victim_not_supporting', 'n_evidential_difficulty',
                           'n_child_suspect', 'n_suspect_age_known', 'n_arrests'] %}
        cast(null as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }} as counted
    inner join {{ ref('scope_sets') }} as sets
        on counted.definition_bits = sets.definition_bits and counted.threat_bits = sets.threat_bits
    where {{ condition }}
    group by
        counted.recorded_month,
        counted.force_code,
        sets.definition_id,
        sets.threat,
        counted.{{ value }}
{% endfor %}
