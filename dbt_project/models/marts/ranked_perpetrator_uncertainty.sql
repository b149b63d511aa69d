-- Grain: listed person who may be near an end of a list: how firmly they stand on it, over the draws of `ranking_draws`.
with parameters as (
    {{ ranking_parameters([
        'top_national',
        'top_force',
        'band_clear_p',
        'band_probable_p',
        'n_draws',
    ]) }}
),

summed as (
    select
        draws.person_id,
        count(*) as n_draws,
        avg(case when draws.is_eligible then 1.0 else 0.0 end) as p_eligible,
        cast(percentile_disc(0.5) within group (order by draws.national_place) as bigint) as median_national_rank,
        cast(percentile_disc(0.05) within group (order by draws.national_place) as bigint) as national_rank_from,
        cast(percentile_disc(0.95) within group (order by draws.national_place) as bigint) as national_rank_to,
        cast(percentile_disc(0.5) within group (order by draws.list_place) as bigint) as median_list_place,
        cast(percentile_disc(0.05) within group (order by draws.list_place) as bigint) as list_place_from,
        cast(percentile_disc(0.95) within group (order by draws.list_place) as bigint) as list_place_to,
        avg(case when draws.is_eligible and draws.national_place <= parameters.top_national then 1.0 else 0.0 end)
            as p_in_national_top,
        avg(case when draws.is_eligible and draws.list_place <= parameters.top_force then 1.0 else 0.0 end)
            as p_in_force_top
    from {{ ref('ranking_draws') }} as draws
    cross join parameters
    group by draws.person_id
)

select
    summed.person_id,
    run.period,
    scopes.list_scope,
    scopes.list_scope_code,
    persons.owner_force_code,
    places.national_rank,
    places.list_place,
    summed.n_draws,
    cast(summed.p_eligible as double precision) as p_eligible,
    summed.median_national_rank,
    summed.national_rank_from,
    summed.national_rank_to,
    summed.median_list_place,
    summed.list_place_from,
    summed.list_place_to,
    cast(summed.p_in_national_top as double precision) as p_in_national_top,
    cast(summed.p_in_force_top as double precision) as p_in_force_top,
    {{ certainty_band('summed.p_in_national_top') }} as band_national,
    {{ certainty_band('summed.p_in_force_top') }} as band_force
from summed
cross join {{ ref('national_run') }} as run
cross join parameters
inner join {{ ref('person_places') }} as places on summed.person_id = places.person_id
inner join {{ ref('scored_persons') }} as persons on summed.person_id = persons.person_id
left join {{ ref('list_scopes') }} as scopes on persons.owner_force_code = scopes.force_code
