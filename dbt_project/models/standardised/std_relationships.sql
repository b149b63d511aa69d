-- Grain: victim x suspect of one crime: what the suspect is to the victim, as written and in the national list.
select
    offences.offence_id,
    relationships.victim_no,
    relationships.suspect_no,
    relationships.force_code,
    offences.submission_period,
    relationships.relationship as relationship_raw,
    mappings.national_code as relationship,
    labels.relationship_group
from {{ ref('stg_extracts__relationships') }} as relationships
inner join {{ ref('std_offences') }} as offences
    on
        relationships.force_code = offences.force_code
        and relationships.crime_ref = offences.crime_ref
        and relationships.submission_id = offences.submission_id
left join {{ ref('std_value_mappings') }} as mappings
    on
        relationships.force_code = mappings.force_code
        and relationships.period = mappings.period
        and mappings.field = 'relationship'
        and {{ raw_key('relationships.relationship') }} = mappings.raw_key
left join {{ ref('relationship_types') }} as labels on mappings.national_code = labels.code
