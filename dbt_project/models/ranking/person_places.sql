-- Grain: listed person: their places in the nation, in their owner force and on the list of their scope, under each lens.
-- Nobody else is sorted, and nobody else has a place.
with listed as (
    select
        persons.person_id,
        persons.person_no,
        persons.owner_force_code,
        persons.is_eligible_gravest_harm,
        -- Two scores that differ by less than 1e-9 are one score.
        cast(persons.score as decimal(28, 9)) as score_for_rank,
        persons.score_grave,
        persons.score_gravest_harm,
        persons.score_rfg,
        {{ dbt.hash("run.snapshot_key || persons.person_id") }} as tie_break,
        persons.latest_reported_at,
        persons.max_severity_days,
        persons.n_victims,
        persons.n_incidents,
        scopes.list_scope_code
    from {{ ref('scored_persons') }} as persons
    cross join {{ ref('national_run') }} as run
    left join {{ ref('list_scopes') }} as scopes on persons.owner_force_code = scopes.force_code
    where persons.list_status = 'listed'
),

ordered as (
    -- Who comes first of those with one score, under whatever lens: reckoned once, as a number. Never names, ids or
    -- references: a keyed digest of the id is last, so no two share a place.
    select
        person_no,
        owner_force_code,
        list_scope_code,
        is_eligible_gravest_harm,
        score_for_rank,
        score_grave,
        score_gravest_harm,
        score_rfg,
        row_number() over (
            order by
                latest_reported_at desc,
                max_severity_days desc,
                n_victims desc,
                n_incidents desc,
                tie_break asc
        ) as order_of_equals
    from listed
),

ranked as (
    -- Numbers alone: what is sorted is carried through every sort.
    select
        person_no,
        owner_force_code,
        list_scope_code,
        is_eligible_gravest_harm,
        {{ place_on_the_list('score_for_rank') }} as national_rank,
        {{ place_on_the_list('score_grave') }} as national_rank_grave,
        {{ place_on_the_list('score_gravest_harm', within=['is_eligible_gravest_harm']) }} as national_rank_gravest_harm,
        {{ place_on_the_list('score_rfg') }} as national_rank_rfg
    from ordered
),

placed as (
    -- Who is before whom in the nation is so in the force and in the scope.
    select
        *,
        row_number() over (partition by owner_force_code order by national_rank) as force_rank,
        row_number() over (partition by list_scope_code order by national_rank) as list_place,
        row_number() over (
            partition by is_eligible_gravest_harm, list_scope_code order by national_rank_gravest_harm
        ) as list_place_gravest_harm,
        row_number() over (partition by list_scope_code order by national_rank_rfg) as list_place_rfg
    from ranked
)

select
    listed.person_id,
    placed.list_scope_code,
    listed.tie_break,
    placed.national_rank,
    bands.band as rank_band,
    placed.force_rank,
    placed.list_place,
    placed.national_rank_grave,
    case when placed.is_eligible_gravest_harm then placed.national_rank_gravest_harm end as national_rank_gravest_harm,
    case when placed.is_eligible_gravest_harm then placed.list_place_gravest_harm end as list_place_gravest_harm,
    placed.national_rank_rfg,
    placed.list_place_rfg
from placed
inner join listed on placed.person_no = listed.person_no
left join {{ ref('rank_bands') }} as bands on placed.national_rank between bands.rank_from and bands.rank_to
