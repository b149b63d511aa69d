-- Grain: month of recording x force x definition x threat x relationship: victim-suspect pairs.
with grouped as (
    select
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        coalesce(relationships.relationship, 'unmapped') as relationship,
        coalesce(relationships.relationship_group, 'unmapped') as relationship_group,
        {{ count_where("relationships.victim_sex = 'F'") }} as n_female,
        count(*) as n
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_relationships') }} as relationships on offences.offence_id = relationships.offence_id
    group by
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        coalesce(relationships.relationship, 'unmapped'),
        coalesce(relationships.relationship_group, 'unmapped')
)

select
    grouped.recorded_month,
    grouped.force_code,
    sets.definition_id,
    sets.threat,
    grouped.relationship,
    grouped.relationship_group,
    cast(sum(grouped.n_female) as bigint) as n_female,
    cast(sum(grouped.n) as bigint) as n
from grouped
inner join {{ ref('scope_sets') }} as sets
    on grouped.definition_bits = sets.definition_bits and grouped.threat_bits = sets.threat_bits
group by
    grouped.recorded_month,
    grouped.force_code,
    sets.definition_id,
    sets.threat,
    grouped.relationship,
    grouped.relationship_group
