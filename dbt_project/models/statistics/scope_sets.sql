-- Grain: set of definitions x set of threats that some crime meets x definition x threat in them; 'all' is the definition.
with sets as (
    select distinct
        definition_bits,
        threat_bits
    from {{ ref('offence_scope_bits') }}
),

definitions as (
    select
        sets.definition_bits,
        sets.threat_bits,
        definitions.scope_id as definition_id,
        definitions.bit as definition_bit
    from sets
    inner join {{ ref('scope_bits') }} as definitions
        on definitions.kind = 'definition' and {{ has_bit('sets.definition_bits', 'definitions.bit') }}
)

select
    definitions.definition_bits,
    definitions.threat_bits,
    definitions.definition_id,
    definitions.definition_bit,
    threats.scope_id as threat
from definitions
inner join {{ ref('scope_bits') }} as threats
    on threats.kind = 'threat' and {{ has_bit('definitions.threat_bits', 'threats.bit') }}

union all

select
    definition_bits,
    threat_bits,
    definition_id,
    definition_bit,
    'all' as threat
from definitions
