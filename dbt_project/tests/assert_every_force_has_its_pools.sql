-- Every body of the programme has a row under every lens, with or without persons; its persons add up.
with pools as (
    select
        force_code,
        count(*) as n_lenses,
        sum(n_listed) as n_listed
    from {{ ref('perpetrator_list_pools') }}
    group by force_code
),

listed as (
    select
        owner_force_code,
        count(*) as n_listed
    from {{ ref('perpetrator_lists') }}
    where list_kind = 'force_top'
    group by owner_force_code
)

select forces.code
from {{ ref('forces') }} as forces
inner join {{ ref('national_run') }} as run on forces.programme = run.programme
left join pools on forces.code = pools.force_code
left join listed on forces.code = listed.owner_force_code
where
    (forces.active_to is null or forces.active_to >= run.period)
    and (forces.active_from is null or forces.active_from <= run.period_end)
    and (coalesce(pools.n_lenses, 0) <> {{ ranking_lenses() | length }} or pools.n_listed <> coalesce(listed.n_listed, 0))
