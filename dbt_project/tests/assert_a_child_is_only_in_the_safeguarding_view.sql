-- Nobody is both a child to be looked after and a person with a score.
select children.person_id
from {{ ref('safeguarding_children') }} as children
inner join {{ ref('ranked_perpetrators') }} as perpetrators on children.person_id = perpetrators.person_id
