-- Grain: victim x suspect of one crime.
select
    relationships.offence_id,
    relationships.victim_no,
    relationships.suspect_no,
    relationships.force_code,
    relationships.submission_period,
    relationships.relationship_raw,
    relationships.relationship,
    relationships.relationship_group,
    victims.sex as victim_sex
from {{ ref('std_relationships') }} as relationships
left join {{ ref('std_victims') }} as victims
    on relationships.offence_id = victims.offence_id and relationships.victim_no = victims.victim_no
