with source as (
    select * from {{ source('run', 'previous_offence_scope_states') }}
)

select
    offence_id,
    force_code,
    recorded_month,
    offence_code,
    is_counted,
    definitions,
    threats,
    definition_versions
from source
