-- Grain: one nominal of one force, and the person it is taken to be. The crosswalk between forces and the nation.
-- `person_no` stands for the person where millions of rows are summed and joined: a number is quicker to tell apart than
-- an id.
select
    records.record_id,
    links.person_id,
    cast(dense_rank() over (order by links.person_id) as integer) as person_no,
    links.person_group_id,
    links.link_probability,
    links.link_weight,
    links.withheld,
    links.withheld_reasons,
    links.model_version,
    records.force_code,
    records.person_ref,
    persons.forenames,
    persons.surname,
    records.date_of_birth,
    case when records.sex in ('M', 'F') then records.sex end as sex,
    persons.deceased_on,
    persons.in_custody,
    persons.extracted_at,
    records.pnc_id is not null or records.cro_number is not null as has_strong_identifier
from {{ ref('std_person_records') }} as records
inner join {{ ref('std_persons') }} as persons on records.record_id = persons.record_id
inner join {{ source('linkage', 'person_links') }} as links on records.record_id = links.record_id
