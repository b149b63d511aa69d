-- Grain: one person today of whom people decided something about the list, with what is in force at the run's knowledge
-- cut. A decision is about nominals: it holds for whoever has them today, however persons were merged or split since.
-- What protects (a removal, a freeze, a deferral) holds for everybody who has any of them; what is to a person's
-- disadvantage holds for nobody where the nominals have come apart, until somebody has looked again.
with parameters as (
    {{ ranking_parameters(['cut_months']) }}
),

entries as (
    select distinct
        entry_id,
        person_id as decided_person_id,
        origin,
        state,
        is_frozen,
        reason_code,
        decided_at,
        valid_until
    from {{ ref('stg_run__review_decisions') }}
),

holders as (
    select
        decisions.entry_id,
        records.person_id
    from {{ ref('stg_run__review_decisions') }} as decisions
    inner join {{ ref('national_person_records') }} as records on decisions.record_id = records.record_id

    union distinct

    -- The id itself, where every nominal the person had then was withdrawn since and others came.
    select
        entries.entry_id,
        persons.person_id
    from entries
    inner join {{ ref('national_persons') }} as persons on entries.decided_person_id = persons.person_id
),

splits as (
    select
        entry_id,
        count(*) > 1 as is_split
    from holders
    group by entry_id
),

records_since as (
    -- Nominals that the person has today and nobody had before them when the entry was last acted on.
    select
        holders.entry_id,
        holders.person_id,
        count(*) as n_records_since
    from holders
    inner join {{ ref('national_person_records') }} as records on holders.person_id = records.person_id
    left join {{ ref('stg_run__review_decisions') }} as decisions
        on holders.entry_id = decisions.entry_id and records.record_id = decisions.record_id
    where decisions.record_id is null
    group by holders.entry_id, holders.person_id
),

removed_facts as (
    select distinct
        holders.person_id,
        removals.offence_id
    from {{ ref('stg_run__review_removals') }} as removals
    inner join holders on removals.entry_id = holders.entry_id
),

removed_persons as (
    select distinct holders.person_id
    from holders
    inner join entries on holders.entry_id = entries.entry_id and entries.state = 'removed'
),

new_allegations as (
    -- All removals of a person hold together; an allegation that counts today and is in none of them is new. What is too
    -- old to count for a list was not before who removed.
    select
        removed_persons.person_id,
        count(*) as n_new_allegations
    from removed_persons
    inner join {{ ref('national_vawg_allegations') }} as allegations
        on removed_persons.person_id = allegations.person_id and allegations.is_counted
    left join removed_facts
        on
            allegations.person_id = removed_facts.person_id
            and allegations.offence_id = removed_facts.offence_id
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where
        removed_facts.offence_id is null
        and allegations.reported_at <= run.ranked_at
        and allegations.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}
    group by removed_persons.person_id
),

judged as (
    select
        holders.person_id,
        entries.*,
        splits.is_split,
        coalesce(records_since.n_records_since, 0) as n_records_since,
        coalesce(new_allegations.n_new_allegations, 0) as n_new_allegations_since,
        entries.origin = 'added_by_officer'
        and entries.state in ('proposed', 'triaged', 'deferred', 'confirmed', 'active') as is_live_add_in,
        case
            when entries.is_frozen then 'frozen'
            when entries.state = 'removed' and coalesce(new_allegations.n_new_allegations, 0) = 0
                then 'removed_on_these_facts'
            when entries.state = 'removed' then 'let_back_in'
            when splits.is_split and entries.state in ('confirmed', 'active', 'triaged', 'proposed')
                then 'needs_new_look'
            else entries.state
        end as list_decision
    from holders
    inner join entries on holders.entry_id = entries.entry_id
    inner join splits on holders.entry_id = splits.entry_id
    left join records_since
        on holders.entry_id = records_since.entry_id and holders.person_id = records_since.person_id
    left join new_allegations on holders.person_id = new_allegations.person_id
),

ranked as (
    -- Of several decisions the one that protects most comes first, then the one that goes furthest, then the latest.
    select
        judged.*,
        max(case when judged.is_live_add_in then 1 else 0 end) over (partition by judged.person_id) as added,
        row_number() over (
            partition by judged.person_id
            order by
                case judged.list_decision
                    when 'frozen' then 1
                    when 'removed_on_these_facts' then 2
                    when 'deferred' then 3
                    when 'needs_new_look' then 4
                    when 'active' then 5
                    when 'confirmed' then 6
                    when 'triaged' then 7
                    when 'proposed' then 8
                    when 'let_back_in' then 9
                    else 10
                end,
                judged.decided_at desc,
                judged.entry_id desc
        ) as decision_rank
    from judged
)

select
    person_id,
    list_decision,
    entry_id,
    decided_person_id,
    origin,
    added = 1 as is_added_by_officer,
    reason_code,
    decided_at,
    valid_until,
    cast(n_new_allegations_since as bigint) as n_new_allegations_since,
    cast(n_records_since as bigint) as n_records_since,
    is_split
from ranked
where decision_rank = 1
