with source as (
    select * from {{ source('run', 'run_review_decisions') }}
)

select
    entry_id,
    person_id,
    record_id,
    origin,
    state,
    is_frozen,
    reason_code,
    decided_at,
    valid_until
from source
