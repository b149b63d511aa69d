-- Grain: one domestic incident that was not recorded as a crime.
select
    incidents.incident_id,
    incidents.force_code,
    incidents.incident_ref,
    incidents.occurred_at,
    incidents.dash_risk,
    incidents.children_present,
    victims.person_id as victim_person_id,
    suspects.person_id as suspect_person_id
from {{ ref('std_incidents') }} as incidents
left join {{ ref('national_person_records') }} as victims on incidents.victim_record_id = victims.record_id
left join {{ ref('national_person_records') }} as suspects on incidents.suspect_record_id = suspects.record_id
