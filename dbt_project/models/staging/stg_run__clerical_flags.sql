-- Grain: crime x national flag that somebody judged by reading the record.
select
    force_code || '|' || crime_ref as offence_id,
    flag,
    value,
    labelled_on
from {{ source('run', 'run_clerical_flags') }}
