-- Grain: crime x national flag.
select
    offence_id,
    flag,
    force_code,
    submission_period,
    force_raw_value,
    force_value,
    inferred_value,
    inferred_confidence,
    inferred_basis,
    inferred_version,
    national_value,
    national_basis
from {{ ref('std_offence_flags') }}
