-- A force that sent nothing has its rows too: as many as any other.
with forces as (
    select forces.code as force_code
    from {{ ref('forces') }} as forces
    inner join {{ ref('national_run') }} as run on forces.programme = run.programme
    where
        (forces.active_from is null or forces.active_from <= run.period_end)
        and (forces.active_to is null or forces.active_to >= run.period)
),

checks as (
    select distinct check_id from {{ ref('data_quality_scorecards') }}
)

select
    forces.force_code,
    checks.check_id
from forces
cross join checks
left join {{ ref('data_quality_scorecards') }} as scorecards
    on forces.force_code = scorecards.force_code and checks.check_id = scorecards.check_id
where scorecards.check_id is null or scorecards.n_passed > scorecards.n_checked or scorecards.n_passed < 0
