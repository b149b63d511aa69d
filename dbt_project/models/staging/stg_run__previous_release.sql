with source as (
    select * from {{ source('run', 'previous_release') }}
)

select
    release_id,
    period,
    as_of,
    ranked_at
from source
