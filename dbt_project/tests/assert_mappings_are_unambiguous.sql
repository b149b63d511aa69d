-- A word of a record system means one thing, and a force runs one record system at a time.
select
    record_system as named,
    field,
    {{ raw_key('raw_value') }} as raw_key
from {{ ref('code_mappings') }}
group by record_system, field, {{ raw_key('raw_value') }}
having count(distinct national_code) > 1

union all

select
    systems.force_code as named,
    'record_system' as field,
    systems.record_system as raw_key
from {{ ref('force_record_systems') }} as systems
inner join {{ ref('force_record_systems') }} as successors
    on systems.force_code = successors.force_code and systems.valid_from < successors.valid_from
where systems.valid_to is null or systems.valid_to >= successors.valid_from
