-- Grain: set of definitions x set of threats that some crime meets x definition x threat in them; 'all' is the definition.
-- `scope_no` numbers definition and threat together: what persons are grouped by is numbers, for speed.
with found_sets as (
    select distinct
        definition_bits,
        threat_bits
    from {{ ref('offence_scope_bits') }}
),

definitions as (
    select
        found_sets.definition_bits,
        found_sets.threat_bits,
        definitions.scope_id as definition_id,
        definitions.scope_bit as definition_bit,
        definitions.scope_no as definition_no
    from found_sets
    inner join {{ ref('scope_bits') }} as definitions
        on definitions.kind = 'definition' and {{ has_bit('found_sets.definition_bits', 'definitions.scope_bit') }}
)

select
    definitions.definition_bits,
    definitions.threat_bits,
    definitions.definition_id,
    definitions.definition_bit,
    threats.scope_id as threat,
    1000 * definitions.definition_no + threats.scope_no as scope_no
from definitions
inner join {{ ref('scope_bits') }} as threats
    on threats.kind = 'threat' and {{ has_bit('definitions.threat_bits', 'threats.scope_bit') }}

union all

select
    definition_bits,
    threat_bits,
    definition_id,
    definition_bit,
    'all' as threat,
    1000 * definition_no as scope_no
from definitions
