with source as (
    select * from {{ source('run', 'previous_ranked_perpetrators') }}
)

select
    person_id,
    list_status,
    status_reason,
    national_rank,
    owner_force_code,
    force_rank,
    list_scope_code,
    list_place,
    score,
    n_incidents,
    n_non_crime_incidents,
    n_victims,
    parameters_version,
    weights_version
from source
