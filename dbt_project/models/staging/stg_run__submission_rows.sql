with source as (
    select * from {{ source('run', 'run_submission_rows') }}
)

select
    submission_id,
    extract,
    n_received,
    n_accepted,
    n_quarantined
from source
