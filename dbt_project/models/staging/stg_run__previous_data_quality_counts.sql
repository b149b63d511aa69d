with source as (
    select * from {{ source('run', 'previous_data_quality_counts') }}
)

select
    force_code,
    period,
    check_id,
    n_checked,
    n_passed
from source
