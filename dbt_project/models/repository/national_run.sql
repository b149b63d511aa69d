-- Grain: one row, the run.
select
    programme,
    period,
    period_end,
    as_of,
    ranked_at,
    snapshot_key
from {{ ref('stg_run__parameters') }}
