-- The steps lead from the score of then to the score of now: a gate takes a score away whole and does nothing else, and
-- where parameters and weights are the same, they do nothing.
select
    movers.person_id,
    causes.cause,
    causes.points
from {{ ref('ranked_perpetrator_movers') }} as movers
inner join {{ ref('ranked_perpetrator_move_causes') }} as causes on movers.person_id = causes.person_id
left join {{ ref('stg_run__previous_ranked_perpetrators') }} as previous on movers.person_id = previous.person_id
left join {{ ref('ranked_perpetrators') }} as today_persons on movers.person_id = today_persons.person_id
where
    (causes.cause = 'gate' and causes.points <> 0 and previous.person_id is not null and today_persons.person_id is not null)
    or (
        causes.cause = 'parameters'
        and causes.points <> 0
        and previous.parameters_version = today_persons.parameters_version
        and previous.weights_version = today_persons.weights_version
    )
