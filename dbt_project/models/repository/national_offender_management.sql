-- Grain: one spell of one nominal under a scheme.
select
    spells.record_id,
    spells.scheme_code,
    spells.managed_from_on,
    spells.force_code,
    spells.scheme,
    spells.managed_to_on,
    records.person_id
from {{ ref('std_offender_management') }} as spells
left join {{ ref('national_person_records') }} as records on spells.record_id = records.record_id
