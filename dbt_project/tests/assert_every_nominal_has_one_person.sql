-- Linkage lost nobody: every current nominal is in the crosswalk.
select records.record_id
from {{ ref('std_person_records') }} as records
left join {{ ref('national_person_records') }} as linked on records.record_id = linked.record_id
where linked.record_id is null
