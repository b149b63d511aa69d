-- Grain: woman or girl with a profile x thing that was done to her or for her protection, in the order in which it
-- happened. What she herself may be suspected of is not here.
select
    events.person_id,
    {{ place_in_time('events') }} as event_no,
    events.event_id,
    events.event_on,
    events.event_at,
    events.event_kind,
    events.role,
    events.force_code,
    events.source_ref,
    events.offence_id,
    events.reported_at,
    events.is_in_scope,
    events.threats,
    events.outcome_code,
    events.outcome_on,
    events.dash_risk,
    events.children_present,
    events.other_person_ids as suspect_person_ids,
    events.event_in_words
from {{ ref('national_person_events') }} as events
inner join {{ ref('victim_profiles') }} as profiles on events.person_id = profiles.person_id
where events.role in ('victim', 'protected person')
