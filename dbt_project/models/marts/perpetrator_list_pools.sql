-- Grain: reporting body of the run's programme x lens: whose list its people stand on, how deep that list goes and where
-- it ends. A body with nobody has its row.
with lists as (
    select
        lens,
        list_scope,
        list_scope_code,
        sum(case when list_kind = 'force_top' then 1 else 0 end) as n_on_list,
        sum(case when list_kind = 'force_next' then 1 else 0 end) as n_on_next,
        min(case when list_kind = 'force_top' then score end) as lowest_score,
        min(case when list_kind = 'force_next' then score end) as lowest_score_next
    from {{ ref('perpetrator_lists') }}
    where list_kind in ('force_top', 'force_next')
    group by lens, list_scope, list_scope_code
),

forces_on_lists as (
    select
        lens,
        owner_force_code,
        sum(case when list_kind = 'force_top' then 1 else 0 end) as n_listed,
        sum(case when list_kind = 'force_next' then 1 else 0 end) as n_next,
        sum(case when list_kind = 'national_top' then 1 else 0 end) as n_national,
        sum(case when list_kind = 'national_quota' then 1 else 0 end) as n_national_quota
    from {{ ref('perpetrator_lists') }}
    group by lens, owner_force_code
),

scopes as (
    {% for lens in ranking_lenses() %}
        select
            '{{ lens.name }}' as lens,
            force_code,
            region,
            list_scope,
            list_scope_code,
            n_scored,
            {{ lens.n_eligible }} as n_eligible,
            {{ lens.n_eligible_in_pool }} as n_eligible_in_pool,
            n_forces_in_pool,
            is_pool_small
        from {{ ref('list_scopes') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    run.period,
    scopes.force_code,
    scopes.lens,
    scopes.region,
    scopes.list_scope,
    scopes.list_scope_code,
    scopes.n_scored,
    scopes.n_eligible,
    scopes.n_eligible_in_pool,
    scopes.n_forces_in_pool,
    scopes.is_pool_small,
    cast(coalesce(forces_on_lists.n_listed, 0) as bigint) as n_listed,
    cast(coalesce(forces_on_lists.n_next, 0) as bigint) as n_next,
    cast(coalesce(lists.n_on_list, 0) as bigint) as n_on_list,
    case when scopes.n_eligible_in_pool > 0
            then cast(coalesce(lists.n_on_list, 0) as double precision) / scopes.n_eligible_in_pool
    end as depth_share,
    -- A list that is not full cuts nobody off.
    case when scopes.n_eligible_in_pool > lists.n_on_list then lists.lowest_score end as cut_off_score,
    case when scopes.n_eligible_in_pool > lists.n_on_list + lists.n_on_next then lists.lowest_score_next end
        as next_cut_off_score,
    cast(coalesce(forces_on_lists.n_national, 0) as bigint) as n_national,
    case when scopes.lens = '{{ ranking_lenses()[0].name }}'
            then cast(coalesce(forces_on_lists.n_national_quota, 0) as bigint)
    end as n_national_quota
from scopes
cross join {{ ref('national_run') }} as run
left join lists
    on
        scopes.lens = lists.lens
        and scopes.list_scope = lists.list_scope
        and scopes.list_scope_code = lists.list_scope_code
left join forces_on_lists
    on
        scopes.lens = forces_on_lists.lens
        and scopes.force_code = forces_on_lists.owner_force_code
