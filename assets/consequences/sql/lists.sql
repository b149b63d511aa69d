-- force x list x person: who would enter or leave, under the default lens. A list is ranked anew with those whom the force
-- touches as they would be. Of the others only so many are looked at as could come up.
create table list_changes as
with parameters as (
    select
        max(case when parameter = 'top_national' then number end) as top_national,
        max(case when parameter = 'top_force' then number end) as top_force
    from now.codes.ranking_parameters
    cross join now.repository.national_run as run
    where run.period >= valid_from and (valid_to is null or run.period <= valid_to)
),

scores as (
    select
        persons.person_id,
        cast(persons.score as decimal(28, 9)) as score_for_rank,
        persons.latest_reported_at, persons.max_severity_days, persons.n_victims, persons.n_incidents,
        md5(run.snapshot_key || persons.person_id) as tie_break
    from now.ranking.scored_persons as persons
    cross join now.repository.national_run as run
    where persons.list_status = 'listed'
),

members as (
    select
        'national' as list_kind, 'national' as list_scope_code, places.national_rank as place, parameters.top_national as top,
        scores.*
    from scores
    inner join now.ranking.person_places as places on scores.person_id = places.person_id
    cross join parameters
    union all
    select 'scope' as list_kind, places.list_scope_code, places.list_place as place, parameters.top_force as top, scores.*
    from scores
    inner join now.ranking.person_places as places on scores.person_id = places.person_id
    cross join parameters
    where places.list_scope_code is not null
),

others as (
    select
        alternatives.force_code, alternatives.person_id, scopes.list_scope_code,
        cast(alternatives.score as decimal(28, 9)) as score_for_rank,
        alternatives.latest_reported_at, alternatives.max_severity_days, alternatives.n_victims, alternatives.n_incidents,
        md5(run.snapshot_key || alternatives.person_id) as tie_break
    from alternatives
    cross join now.repository.national_run as run
    left join now.ranking.list_scopes as scopes on alternatives.owner_force_code = scopes.force_code
    where alternatives.list_status = 'listed'
),

newcomers as (
    select 'national' as list_kind, others.* replace ('national' as list_scope_code), parameters.top_national as top
    from others
    cross join parameters
    union all
    select 'scope' as list_kind, others.*, parameters.top_force as top
    from others
    cross join parameters
    where others.list_scope_code is not null
),

touched_members as (
    select touched.force_code, members.*
    from members
    inner join touched on members.person_id = touched.person_id
),

affected as (
    select force_code, list_kind, list_scope_code, sum(n) as n_touched, max(top) as top
    from (
        select force_code, list_kind, list_scope_code, 1 as n, top from touched_members
        union all
        select force_code, list_kind, list_scope_code, 0 as n, top from newcomers
    )
    group by force_code, list_kind, list_scope_code
),

candidates as (
    select
        affected.force_code, affected.list_kind, affected.list_scope_code, affected.top, members.person_id,
        members.score_for_rank, members.latest_reported_at, members.max_severity_days, members.n_victims,
        members.n_incidents, members.tie_break
    from affected
    inner join members
        on
            affected.list_kind = members.list_kind and affected.list_scope_code = members.list_scope_code
            and members.place <= affected.top + affected.n_touched
    anti join touched on affected.force_code = touched.force_code and members.person_id = touched.person_id
    union all
    select
        force_code, list_kind, list_scope_code, top, person_id,
        score_for_rank, latest_reported_at, max_severity_days, n_victims, n_incidents, tie_break
    from newcomers
),

ranked as (
    select
        *,
        row_number() over (
            partition by force_code, list_kind, list_scope_code
            order by
                score_for_rank desc, latest_reported_at desc, max_severity_days desc,
                n_victims desc, n_incidents desc, tie_break asc
        ) as place
    from candidates
),

was_on as (
    select affected.force_code, members.list_kind, members.list_scope_code, members.person_id, members.place
    from affected
    inner join members
        on
            affected.list_kind = members.list_kind and affected.list_scope_code = members.list_scope_code
            and members.place <= members.top
),

would_be_on as (
    select force_code, list_kind, list_scope_code, person_id, place from ranked where place <= top
),

changes as (
    select
        coalesce(past.force_code, later.force_code) as force_code,
        coalesce(past.list_kind, later.list_kind) as list_kind,
        coalesce(past.list_scope_code, later.list_scope_code) as list_scope_code,
        coalesce(past.person_id, later.person_id) as person_id,
        case when past.person_id is null then 'enters' else 'leaves' end as movement,
        past.place as place_now,
        later.place as place_mended
    from was_on as past
    full outer join would_be_on as later
        on
            past.force_code = later.force_code and past.list_kind = later.list_kind
            and past.list_scope_code = later.list_scope_code and past.person_id = later.person_id
    where past.person_id is null or later.person_id is null

    union all

    select
        coalesce(past.force_code, later.force_code) as force_code,
        'eligible' as list_kind,
        'national' as list_scope_code,
        coalesce(past.person_id, later.person_id) as person_id,
        case when past.person_id is null then 'enters' else 'leaves' end as movement,
        past.place as place_now,
        null as place_mended
    from (select * from touched_members where list_kind = 'national') as past
    full outer join others as later on past.force_code = later.force_code and past.person_id = later.person_id
    where past.person_id is null or later.person_id is null
)

select changes.*, touched.person_id is not null as is_own_record
from changes
left join touched on changes.force_code = touched.force_code and changes.person_id = touched.person_id;
