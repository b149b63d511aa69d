-- A score is the sum of its rows, to the last digit.
select
    perpetrators.person_id,
    perpetrators.score,
    sum(offences.contribution) as sum_of_contributions
from {{ ref('ranked_perpetrators') }} as perpetrators
left join {{ ref('ranked_perpetrator_offences') }} as offences on perpetrators.person_id = offences.person_id
group by perpetrators.person_id, perpetrators.score
having sum(offences.contribution) is null or sum(offences.contribution) <> perpetrators.score
