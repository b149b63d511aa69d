-- Grain: person with a profile x thing that happened to them, in one role, in the order in which it happened. Who is a
-- suspect here may be a victim there: every row says which.
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
    events.standing,
    events.standing_in_words,
    events.outcome_code,
    events.outcome_on,
    events.dash_risk,
    events.children_present,
    events.other_person_ids,
    events.event_in_words
from {{ ref('national_person_events') }} as events
inner join {{ ref('perpetrator_profiles') }} as profiles on events.person_id = profiles.person_id
