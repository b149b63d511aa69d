with source as (
    select * from {{ source('run', 'run_review_removals') }}
)

select
    entry_id,
    offence_id
from source
