with source as (
    select * from {{ source('run', 'run_identity_decisions') }}
)

select
    decision_id,
    kind,
    record_id_l,
    record_id_r
from source
