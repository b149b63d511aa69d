-- Grain: crime x definition x threat; 'all' is the definition itself.
select
    offence_id,
    definition_id,
    threat,
    definition_version,
    force_code,
    is_counted
from {{ ref('std_vawg_offences') }}
