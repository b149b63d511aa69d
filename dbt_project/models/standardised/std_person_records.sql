{{
    config(
        post_hook="{{ write_parquet(this, env_var('VAWG_DATA') ~ '/standardised/std_person_records.parquet', 'record_id') }}"
    )
}}
-- Grain: one nominal of one force, cleaned for linkage; also written as Parquet, which is all that linkage reads.
with placeholder_names as (
    select value as name
    from {{ ref('placeholders') }}
    where kind = 'name'
),

placeholder_postcodes as (
    select value as postcode
    from {{ ref('placeholders') }}
    where kind = 'postcode'
),

placeholder_phones as (
    select value as phone
    from {{ ref('placeholders') }}
    where kind = 'phone'
),

placeholder_dates as (
    select cast(value as date) as date_of_birth
    from {{ ref('placeholders') }}
    where kind = 'date_of_birth'
),

cleaned as (
    select
        record_id,
        force_code,
        person_ref,
        {{ clean_name('forenames') }} as forenames,
        {{ clean_name('surname') }} as surname,
        date_of_birth,
        case when sex in ('M', 'F') then sex end as sex,
        upper(replace(postcode, ' ', '')) as postcode,
        pnc_id,
        cro_number,
        {{ regexp_replace_all('phone', "'^(\\+|00)44'", "'0'") }} as phone
    from {{ ref('std_persons') }}
),

aliases_cleaned as (
    select
        persons.record_id,
        {{ clean_name('aliases.forenames') }} as forenames,
        {{ clean_name('aliases.surname') }} as surname,
        aliases.date_of_birth
    from {{ ref('stg_extracts__person_aliases') }} as aliases
    inner join {{ ref('std_persons') }} as persons
        on
            aliases.force_code = persons.force_code
            and aliases.person_ref = persons.person_ref
            and aliases.submission_id = persons.submission_id
),

aliases_real as (
    select
        aliases_cleaned.record_id,
        case
            when forename_placeholders.name is null
                then {{ dbt.split_part('aliases_cleaned.forenames', "' '", 1) }}
        end as forename_1,
        case when surname_placeholders.name is null then aliases_cleaned.surname end as surname,
        case when placeholder_dates.date_of_birth is null then aliases_cleaned.date_of_birth end as date_of_birth
    from aliases_cleaned
    left join placeholder_names as forename_placeholders on aliases_cleaned.forenames = forename_placeholders.name
    left join placeholder_names as surname_placeholders on aliases_cleaned.surname = surname_placeholders.name
    left join placeholder_dates on aliases_cleaned.date_of_birth = placeholder_dates.date_of_birth
),

aliases as (
    select
        record_id,
        {{ distinct_list("forename_1 || ' ' || surname") }} as alias_full_names,
        {{ distinct_list('surname') }} as alias_surnames,
        {{ distinct_list('date_of_birth') }} as alias_dates_of_birth
    from aliases_real
    group by record_id
),

real_values as (
    select
        cleaned.record_id,
        cleaned.force_code,
        cleaned.person_ref,
        cleaned.date_of_birth,
        cleaned.sex,
        cleaned.pnc_id,
        cleaned.cro_number,
        case when forename_placeholders.name is null then cleaned.forenames end as forenames,
        case when surname_placeholders.name is null then cleaned.surname end as surname,
        case when placeholder_postcodes.postcode is null then cleaned.postcode end as postcode,
        case when placeholder_phones.phone is null then cleaned.phone end as phone
    from cleaned
    left join placeholder_names as forename_placeholders on cleaned.forenames = forename_placeholders.name
    left join placeholder_names as surname_placeholders on cleaned.surname = surname_placeholders.name
    left join placeholder_postcodes on cleaned.postcode = placeholder_postcodes.postcode
    left join placeholder_phones on cleaned.phone = placeholder_phones.phone
)

select
    real_values.record_id,
    real_values.force_code,
    real_values.person_ref,
    {{ dbt.split_part('real_values.forenames', "' '", 1) }} as forename_1,
    real_values.forenames,
    real_values.surname,
    real_values.date_of_birth,
    real_values.sex,
    real_values.postcode,
    substring(real_values.postcode, 1, length(real_values.postcode) - 3) as postcode_district,
    real_values.pnc_id,
    real_values.cro_number,
    real_values.phone,
    coalesce(aliases.alias_full_names, {{ empty_list('varchar') }}) as alias_full_names,
    coalesce(aliases.alias_surnames, {{ empty_list('varchar') }}) as alias_surnames,
    coalesce(aliases.alias_dates_of_birth, {{ empty_list('date') }}) as alias_dates_of_birth
from real_values
left join aliases on real_values.record_id = aliases.record_id
