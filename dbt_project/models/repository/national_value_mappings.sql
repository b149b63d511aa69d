-- Grain: force x month of submission x field x value as written.
select
    force_code,
    period,
    field,
    raw_key,
    record_system,
    national_code,
    n_rows
from {{ ref('std_value_mappings') }}
