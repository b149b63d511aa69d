-- Without one of their allegations nobody scores more or stands higher, and only listed persons are told.
select
    offences.person_id,
    offences.offence_id
from {{ ref('ranked_perpetrator_offences') }} as offences
inner join {{ ref('ranked_perpetrators') }} as perpetrators on offences.person_id = perpetrators.person_id
where
    offences.score_without > perpetrators.score
    or offences.rank_without < perpetrators.national_rank
    or (offences.rank_without is null and offences.is_listed_without)
    or (offences.is_listed_without is not null and perpetrators.list_status <> 'listed')
