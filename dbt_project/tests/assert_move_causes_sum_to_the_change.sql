-- The causes of a move sum to the change of the score, and to the change of what is on the list, to the last digit.
select
    movers.person_id,
    movers.score_change,
    movers.listed_score_change
from {{ ref('ranked_perpetrator_movers') }} as movers
left join {{ ref('ranked_perpetrator_move_causes') }} as causes on movers.person_id = causes.person_id
group by movers.person_id, movers.score_change, movers.listed_score_change
having
    coalesce(sum(causes.points), 0) <> movers.score_change
    or coalesce(sum(causes.listed_points), 0) <> movers.listed_score_change
