-- Grain: one domestic incident that was not recorded as a crime, in the version that stands.
with current_incidents as (
    {{ current_records('stg_extracts__incidents', 'incidents', 'incident_ref') }}
)

select
    incidents.force_code || '|' || incidents.incident_ref as incident_id,
    incidents.force_code,
    incidents.incident_ref,
    incidents.occurred_at,
    incidents.dash_risk,
    incidents.force_code || '|' || incidents.victim_person_ref as victim_record_id,
    incidents.force_code || '|' || incidents.suspect_person_ref as suspect_record_id,
    incidents.children_present
from {{ ref('stg_extracts__incidents') }} as incidents
inner join current_incidents
    on
        incidents.force_code = current_incidents.force_code
        and incidents.incident_ref = current_incidents.incident_ref
        and incidents.submission_id = current_incidents.submission_id
