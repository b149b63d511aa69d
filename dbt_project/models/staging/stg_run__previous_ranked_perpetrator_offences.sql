with source as (
    select * from {{ source('run', 'previous_ranked_perpetrator_offences') }}
)

select
    person_id,
    offence_id,
    record_id,
    offence_code,
    reported_at,
    age_days,
    severity_days,
    decay,
    outcome_weight,
    link_probability,
    is_in_window,
    is_counted,
    victim_ids
from source
