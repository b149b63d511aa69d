-- Grain: list x person: who stands on which list of the month. A list is its kind, its lens and whose it is. Nobody is
-- twice on one list; nobody here is a child or dead.
with parameters as (
    {{ ranking_parameters(['top_force', 'next_force', 'top_national', 'next_national']) }}
),

perpetrators as (
    select
        perpetrators.*,
        scopes.n_eligible_in_pool,
        scopes.n_eligible_in_pool_gravest_harm,
        scopes.is_pool_small
    from {{ ref('ranked_perpetrators') }} as perpetrators
    left join {{ ref('list_scopes') }} as scopes on perpetrators.owner_force_code = scopes.force_code
    -- Who is neither listed nor held comes in by one grave report or by a decision; most do not, and are left at once.
    where
        perpetrators.list_status <> 'ineligible'
        or perpetrators.latest_serious_reported_at is not null
        or perpetrators.review_entry_id is not null
),

placed as (
    {% for lens in ranking_lenses() %}
        select
            '{{ lens.name }}' as lens,
            person_id,
            owner_force_code,
            list_scope,
            list_scope_code,
            {{ lens.list_place }} as list_place,
            {{ lens.national_rank }} as national_place,
            cast({{ lens.score }} as decimal(28, 12)) as score,
            {{ lens.n_eligible_in_pool }} as n_eligible,
            is_pool_small
        from perpetrators
        where {{ lens.national_rank }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

national_pools as (
    select
        lens,
        count(*) as n_eligible
    from placed
    group by lens
),

quota as (
    -- The same number of places as the nation's list, given out force by force: every force's first, then its seconds ...
    -- A force under a data gate is given none: its people stand on every other list, with the caveat.
    select
        perpetrators.person_id,
        perpetrators.owner_force_code,
        perpetrators.score,
        row_number() over (
            order by perpetrators.force_rank asc, perpetrators.score desc, perpetrators.national_rank asc
        ) as place
    from perpetrators
    left join {{ ref('ranking_data_gates') }} as gates on perpetrators.owner_force_code = gates.force_code
    where perpetrators.list_status = 'listed' and not coalesce(gates.has_caveat, false)
),

members as (
    select
        case when placed.list_place <= parameters.top_force then 'force_top' else 'force_next' end as list_kind,
        placed.lens,
        placed.list_scope,
        placed.list_scope_code,
        placed.list_place as place,
        placed.person_id,
        placed.owner_force_code,
        placed.score,
        placed.n_eligible,
        placed.is_pool_small,
        cast(null as {{ dbt.type_string() }}) as reason,
        cast(null as timestamp) as dated_at
    from placed
    cross join parameters
    where placed.list_scope_code is not null and placed.list_place <= parameters.top_force + parameters.next_force

    union all

    select
        case when placed.national_place <= parameters.top_national then 'national_top' else 'national_next' end as list_kind,
        placed.lens,
        'national' as list_scope,
        'national' as list_scope_code,
        placed.national_place as place,
        placed.person_id,
        placed.owner_force_code,
        placed.score,
        national_pools.n_eligible,
        false as is_pool_small,
        null as reason,
        null as dated_at
    from placed
    inner join national_pools on placed.lens = national_pools.lens
    cross join parameters
    where placed.national_place <= parameters.top_national + parameters.next_national

    union all

    select
        'national_quota' as list_kind,
        '{{ ranking_lenses()[0].name }}' as lens,
        'national' as list_scope,
        'national' as list_scope_code,
        quota.place,
        quota.person_id,
        quota.owner_force_code,
        quota.score,
        national_pools.n_eligible,
        false as is_pool_small,
        null as reason,
        null as dated_at
    from quota
    inner join national_pools on national_pools.lens = '{{ ranking_lenses()[0].name }}'
    cross join parameters
    where quota.place <= parameters.top_national

    union all

    -- No place on these: they are in order of the report, and a score would be read as one.
    select
        'serious_single' as list_kind,
        'none' as lens,
        'force' as list_scope,
        owner_force_code as list_scope_code,
        null as place,
        person_id,
        owner_force_code,
        null as score,
        null as n_eligible,
        null as is_pool_small,
        coalesce(status_reason, 'below_the_cut') as reason,
        latest_serious_reported_at as dated_at
    from perpetrators
    where is_on_serious_single_list

    union all

    -- Whose age is not known may be a child: no score.
    select
        'held' as list_kind,
        'none' as lens,
        'force' as list_scope,
        owner_force_code as list_scope_code,
        null as place,
        person_id,
        owner_force_code,
        case when status_reason <> 'age_unknown' then score end as score,
        null as n_eligible,
        null as is_pool_small,
        status_reason as reason,
        latest_reported_at as dated_at
    from perpetrators
    where list_status = 'held'

    union all

    -- An officer's proposal stands beside the lists, marked, and is reviewed like any other entry.
    select
        'added_by_officer' as list_kind,
        'none' as lens,
        'force' as list_scope,
        perpetrators.owner_force_code as list_scope_code,
        null as place,
        perpetrators.person_id,
        perpetrators.owner_force_code,
        null as score,
        null as n_eligible,
        null as is_pool_small,
        perpetrators.status_reason as reason,
        decisions.decided_at as dated_at
    from perpetrators
    inner join {{ ref('national_list_decisions') }} as decisions on perpetrators.person_id = decisions.person_id
    where decisions.is_added_by_officer and perpetrators.list_status = 'ineligible'
),

ordered as (
    select
        members.*,
        {{ dbt.hash("run.snapshot_key || members.person_id") }} as tie_break,
        run.period
    from members
    cross join {{ ref('national_run') }} as run
)

select
    ordered.period,
    ordered.list_kind,
    ordered.lens,
    ordered.list_scope,
    ordered.list_scope_code,
    ordered.person_id,
    ordered.place,
    row_number() over (
        partition by ordered.list_kind, ordered.lens, ordered.list_scope, ordered.list_scope_code
        order by ordered.place asc, ordered.dated_at desc, ordered.tie_break asc
    ) as shown_order,
    ordered.owner_force_code,
    ordered.score,
    ordered.reason,
    cast(ordered.dated_at as date) as dated_on,
    count(*) over (partition by ordered.list_kind, ordered.lens, ordered.list_scope, ordered.list_scope_code)
        as n_on_list,
    ordered.n_eligible,
    ordered.is_pool_small,
    -- Bands are of the default lens. Not a condition of the join: with one side alone in it, it is no longer a hash join.
    case
        when ordered.lens <> '{{ ranking_lenses()[0].name }}' then null
        when ordered.list_kind in ('force_top', 'force_next') then uncertainty.band_force
        when ordered.list_kind in ('national_top', 'national_next') then uncertainty.band_national
    end as certainty_band,
    gates.caveat as force_caveat
from ordered
left join {{ ref('ranking_data_gates') }} as gates on ordered.owner_force_code = gates.force_code
left join {{ ref('ranked_perpetrator_uncertainty') }} as uncertainty on ordered.person_id = uncertainty.person_id
