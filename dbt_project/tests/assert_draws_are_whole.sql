-- Every draw places each of those drawn once, in the nation and in their scope; an interval holds its median.
with places as (
    select
        draw_no,
        count(*) as n_persons,
        count(distinct national_place) as n_places,
        max(national_place) as last_place
    from {{ ref('ranking_draws') }}
    group by draw_no
)

select cast(draw_no as {{ dbt.type_string() }}) as what
from places
where n_persons <> n_places or n_persons <> last_place

union all

select person_id as what
from {{ ref('ranked_perpetrator_uncertainty') }}
where
    not (national_rank_from <= median_national_rank and median_national_rank <= national_rank_to)
    or not (list_place_from <= median_list_place and median_list_place <= list_place_to)
    or p_in_national_top > p_eligible
    or p_in_force_top > p_eligible
