-- Grain: force x month of submission x field x value as written (upper case, trimmed).
-- Words are mapped here once, over distinct values; the large tables then join on equality.
with raw_values as (
    select
        force_code,
        period,
        'location_type' as field,
        {{ raw_key('location_type') }} as raw_key,
        count(*) as n_rows
    from {{ ref('stg_extracts__offences') }}
    where location_type is not null
    group by force_code, period, {{ raw_key('location_type') }}

    union all

    select
        force_code,
        period,
        'relationship' as field,
        {{ raw_key('relationship') }} as raw_key,
        count(*) as n_rows
    from {{ ref('stg_extracts__relationships') }}
    group by force_code, period, {{ raw_key('relationship') }}

    union all

    select
        force_code,
        period,
        'flag' as field,
        {{ raw_key('flag') }} as raw_key,
        count(*) as n_rows
    from {{ ref('stg_extracts__flags') }}
    group by force_code, period, {{ raw_key('flag') }}
),

mappings as (
    select
        record_system,
        field,
        {{ raw_key('raw_value') }} as raw_key,
        min(national_code) as national_code
    from {{ ref('code_mappings') }}
    group by record_system, field, {{ raw_key('raw_value') }}
)

select
    raw_values.force_code,
    raw_values.period,
    raw_values.field,
    raw_values.raw_key,
    systems.record_system,
    mappings.national_code,
    raw_values.n_rows
from raw_values
left join {{ ref('force_record_systems') }} as systems
    on
        raw_values.force_code = systems.force_code
        and raw_values.period >= systems.valid_from
        and (systems.valid_to is null or raw_values.period <= systems.valid_to)
left join mappings
    on
        systems.record_system = mappings.record_system
        and raw_values.field = mappings.field
        and raw_values.raw_key = mappings.raw_key
