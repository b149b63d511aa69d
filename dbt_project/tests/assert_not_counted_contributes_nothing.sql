-- What is not counted adds exactly 0 and says why; what is counted has no such reason.
select
    person_id,
    offence_id
from {{ ref('ranked_perpetrator_offences') }}
where
    (not is_counted and (contribution <> 0 or contribution_grave <> 0 or not_counted_reason is null))
    or (is_counted and not_counted_reason is not null)
