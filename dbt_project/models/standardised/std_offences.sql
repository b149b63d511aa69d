-- Grain: one crime, in the version that stands. Cancelled and transferred crimes keep their row and are not counted.
with current_offences as (
    {{ current_records('stg_extracts__offences', 'offences', 'crime_ref') }}
),

first_reports as (
    -- An amendment must not make an old report new, nor may a crime that was taken back and sent again.
    select
        force_code,
        crime_ref,
        min(reported_at) as reported_at
    from {{ ref('stg_extracts__offences') }}
    group by force_code, crime_ref
)

select
    offences.force_code || '|' || offences.crime_ref as offence_id,
    offences.force_code,
    offences.crime_ref,
    offences.submission_id,
    offences.period as submission_period,
    offences.extracted_at,
    offences.offence_code,
    codes.offence_group,
    codes.offence_subgroup,
    codes.is_against_a_person,
    offences.committed_from,
    offences.committed_to,
    offences.committed_time_known,
    first_reports.reported_at,
    offences.recorded_at,
    cast({{ dbt.date_trunc('month', 'offences.recorded_at') }} as date) as recorded_month,
    offences.location_type as location_type_raw,
    mappings.national_code as location_type,
    offences.postcode_sector,
    coalesce(offences.outcome_code, '0') as outcome_code,
    outcomes.outcome_group,
    coalesce(outcomes.is_charge, false) as is_charged,
    coalesce(offences.outcome_code, '0') <> '0' as is_closed,
    offences.outcome_date as outcome_on,
    offences.status,
    offences.status = 'live' as is_counted,
    offences.cancellation_reason,
    offences.transferred_to_force,
    offences.injury,
    offences.weapon,
    offences.modus_operandi
from {{ ref('stg_extracts__offences') }} as offences
inner join current_offences
    on
        offences.force_code = current_offences.force_code
        and offences.crime_ref = current_offences.crime_ref
        and offences.submission_id = current_offences.submission_id
inner join first_reports
    on
        offences.force_code = first_reports.force_code
        and offences.crime_ref = first_reports.crime_ref
left join {{ ref('offence_codes') }} as codes on offences.offence_code = codes.code
left join {{ ref('outcome_codes') }} as outcomes on coalesce(offences.outcome_code, '0') = outcomes.code
left join {{ ref('std_value_mappings') }} as mappings
    on
        offences.force_code = mappings.force_code
        and offences.period = mappings.period
        and mappings.field = 'location_type'
        and {{ raw_key('offences.location_type') }} = mappings.raw_key
