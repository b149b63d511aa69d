-- Grain: one definition or threat, with the bit that stands for it in sets of them.
with scopes as (
    select distinct
        'definition' as kind,
        definition_id as scope_id
    from {{ ref('vawg_definitions') }}

    union all

    select distinct
        'threat' as kind,
        threat as scope_id
    from {{ ref('threats') }}
)

select
    kind,
    scope_id,
    cast(power(2, row_number() over (partition by kind order by scope_id) - 1) as bigint) as bit
from scopes
