-- Grain: one crime that stands: the set of definitions it meets and the set of threats, as bits.
select
    scopes.offence_id,
    {{ bits_of('definitions.bit') }} as definition_bits,
    {{ bits_of('threats.bit') }} as threat_bits
from {{ ref('national_offence_scopes') }} as scopes
inner join {{ ref('scope_bits') }} as definitions
    on definitions.kind = 'definition' and scopes.definition_id = definitions.scope_id
left join {{ ref('scope_bits') }} as threats
    on threats.kind = 'threat' and scopes.threat = threats.scope_id
where scopes.is_counted
group by scopes.offence_id
