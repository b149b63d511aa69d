{{
    config(
        post_hook="{{ write_parquet(this, env_var('VAWG_DATA') ~ '/standardised/std_person_records.parquet', 'record_id') }}"
    )
}}
-- Grain: one nominal of one force, gathered as the force wrote it; also written as Parquet, which is all that linkage reads.
-- Linkage does the cleaning, so that a nominal is cleaned in one way on whatever road it comes.
with aliases as (
    select
        persons.record_id,
        {{ distinct_list("aliases.forenames || ' ' || aliases.surname") }} as alias_full_names,
        {{ distinct_list('aliases.surname') }} as alias_surnames,
        {{ distinct_list('aliases.date_of_birth') }} as alias_dates_of_birth
    from {{ ref('stg_extracts__person_aliases') }} as aliases
    inner join {{ ref('std_persons') }} as persons
        on
            aliases.force_code = persons.force_code
            and aliases.person_ref = persons.person_ref
            and aliases.submission_id = persons.submission_id
    group by persons.record_id
),

taken_back as (
    select
        force_code,
        record_ref as person_ref,
        max(extracted_at) as deletion_extracted_at
    from {{ ref('stg_extracts__deletions') }}
    where extract = 'persons'
    group by force_code, record_ref
),

-- What a force took back is not read again when it sends the nominal anew.
earlier_versions as (
    select
        persons.record_id,
        {{ distinct_list('versions.postcode') }} as earlier_postcodes
    from {{ ref('std_persons') }} as persons
    inner join {{ ref('stg_extracts__persons') }} as versions
        on persons.force_code = versions.force_code and persons.person_ref = versions.person_ref
    left join taken_back
        on persons.force_code = taken_back.force_code and persons.person_ref = taken_back.person_ref
    where
        (persons.postcode is null or versions.postcode <> persons.postcode)
        and (taken_back.deletion_extracted_at is null or taken_back.deletion_extracted_at <= versions.extracted_at)
    group by persons.record_id
)

select
    persons.record_id,
    persons.force_code,
    persons.person_ref,
    persons.forenames,
    persons.surname,
    persons.date_of_birth,
    persons.sex,
    persons.postcode,
    coalesce(earlier_versions.earlier_postcodes, {{ empty_list('varchar') }}) as earlier_postcodes,
    persons.pnc_id,
    persons.cro_number,
    persons.phone,
    coalesce(aliases.alias_full_names, {{ empty_list('varchar') }}) as alias_full_names,
    coalesce(aliases.alias_surnames, {{ empty_list('varchar') }}) as alias_surnames,
    coalesce(aliases.alias_dates_of_birth, {{ empty_list('date') }}) as alias_dates_of_birth
from {{ ref('std_persons') }} as persons
left join earlier_versions on persons.record_id = earlier_versions.record_id
left join aliases on persons.record_id = aliases.record_id
