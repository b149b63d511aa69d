with source as (
    select * from {{ source('run', 'run_parameters') }}
)

select
    programme,
    period,
    period_end,
    as_of,
    ranked_at,
    snapshot_key
from source
