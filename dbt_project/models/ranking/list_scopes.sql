-- Grain: reporting body of the run's programme: whose list its people stand on. A body with enough eligible persons has
-- its own; the others of its region share the region's, and it says so where even that pool is small.
with parameters as (
    {{ ranking_parameters(['min_pool_persons']) }}
),

persons as (
    select
        owner_force_code,
        sum(case when n_counted > 0 then 1 else 0 end) as n_scored,
        sum(case when list_status = 'listed' then 1 else 0 end) as n_eligible,
        sum(case when is_eligible_gravest_harm then 1 else 0 end) as n_eligible_gravest_harm
    from {{ ref('scored_persons') }}
    group by owner_force_code
),

active_forces as ({{ active_forces() }}),

forces as (
    select
        active_forces.force_code,
        coalesce(active_forces.region, active_forces.label) as region,
        coalesce(persons.n_scored, 0) as n_scored,
        coalesce(persons.n_eligible, 0) as n_eligible,
        coalesce(persons.n_eligible_gravest_harm, 0) as n_eligible_gravest_harm,
        parameters.min_pool_persons
    from active_forces
    cross join parameters
    left join persons on active_forces.force_code = persons.owner_force_code
),

scoped as (
    select
        *,
        case when n_eligible >= min_pool_persons then 'force' else 'region' end as list_scope,
        case when n_eligible >= min_pool_persons then force_code else region end as list_scope_code
    from forces
),

pooled as (
    select
        *,
        sum(n_eligible) over (partition by list_scope, list_scope_code) as n_eligible_in_pool,
        sum(n_eligible_gravest_harm) over (partition by list_scope, list_scope_code) as n_eligible_in_pool_gravest_harm,
        count(*) over (partition by list_scope, list_scope_code) as n_forces_in_pool
    from scoped
)

select
    force_code,
    region,
    list_scope,
    list_scope_code,
    cast(n_scored as bigint) as n_scored,
    cast(n_eligible as bigint) as n_eligible,
    cast(n_eligible_gravest_harm as bigint) as n_eligible_gravest_harm,
    cast(n_eligible_in_pool as bigint) as n_eligible_in_pool,
    cast(n_eligible_in_pool_gravest_harm as bigint) as n_eligible_in_pool_gravest_harm,
    n_forces_in_pool,
    n_eligible_in_pool < min_pool_persons as is_pool_small
from pooled
