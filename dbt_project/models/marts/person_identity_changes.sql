-- Grain: change of an id (merge or split, of one id into another in one run) x nominal that it concerns: those it moved,
-- and those that bore one of the two ids before and after, so that every force that used such an id can be told.
with changes as (
    select
        run_no,
        event,
        from_person_id,
        to_person_id,
        min(cause) as cause,
        min(decision_id) as decision_id,
        min(changed_at) as changed_at,
        min(model_version) as model_version
    from {{ ref('national_person_ledger') }}
    where event in ('merge', 'split')
    group by run_no, event, from_person_id, to_person_id
),

spells as (
    -- From which run and until which a nominal bore an id.
    select
        record_id,
        force_code,
        to_person_id as person_id,
        run_no as since_run_no,
        lead(run_no) over (
            partition by record_id
            order by run_no asc
        ) as until_run_no
    from {{ ref('national_person_ledger') }}
    where event <> 'correct'
),

affected_ids as (
    select
        changes.*,
        changes.from_person_id as person_id
    from changes

    union all

    select
        changes.*,
        changes.to_person_id as person_id
    from changes
)

select
    run_no,
    record_id,
    from_person_id,
    to_person_id,
    force_code,
    event,
    cause,
    changed_at,
    decision_id,
    model_version,
    true as is_own_record
from {{ ref('national_person_ledger') }}
where event in ('merge', 'split')

union all

select
    affected_ids.run_no,
    spells.record_id,
    affected_ids.from_person_id,
    affected_ids.to_person_id,
    spells.force_code,
    affected_ids.event,
    affected_ids.cause,
    affected_ids.changed_at,
    affected_ids.decision_id,
    affected_ids.model_version,
    false as is_own_record
from affected_ids
inner join spells
    on
        affected_ids.person_id = spells.person_id
        and affected_ids.run_no > spells.since_run_no
        and (spells.until_run_no is null or affected_ids.run_no < spells.until_run_no)
