-- Cancelled and transferred crimes keep their record and count nowhere: not in a score, not in the scopes.
select offences.offence_id
from {{ ref('national_offences') }} as offences
left join {{ ref('ranked_perpetrator_offences') }} as contributions
    on offences.offence_id = contributions.offence_id and contributions.is_counted
left join {{ ref('national_offence_scopes') }} as scopes
    on offences.offence_id = scopes.offence_id and scopes.is_counted
where
    offences.status <> 'live'
    and (contributions.offence_id is not null or scopes.offence_id is not null)
