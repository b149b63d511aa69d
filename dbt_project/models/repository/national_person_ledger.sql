-- Grain: nominal x run of linkage in which something happened to the person id it bears; every run up to this one.
select
    record_id,
    cast(run_no as bigint) as run_no,
    {{ dbt.split_part('record_id', "'|'", 1) }} as force_code,
    event,
    cause,
    from_person_id,
    to_person_id,
    as_of as changed_at,
    decision_id,
    model_version
from {{ source('linkage', 'person_ledger') }}
