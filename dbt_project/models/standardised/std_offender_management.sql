-- Grain: one spell of one nominal under a scheme, of the version that stands.
with current_spells as (
    {{ current_records('stg_extracts__offender_management', 'offender_management', 'person_ref') }}
)

select
    spells.force_code || '|' || spells.person_ref as record_id,
    spells.force_code,
    spells.person_ref,
    spells.scheme as scheme_code,
    schemes.scheme,
    spells.managed_from as managed_from_on,
    spells.managed_to as managed_to_on
from {{ ref('stg_extracts__offender_management') }} as spells
inner join current_spells
    on
        spells.force_code = current_spells.force_code
        and spells.person_ref = current_spells.person_ref
        and spells.submission_id = current_spells.submission_id
left join {{ ref('management_schemes') }} as schemes on spells.scheme = schemes.code
