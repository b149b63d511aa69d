-- The links that hold a person together are a tree over their records: one fewer than those.
select
    persons.person_id,
    persons.n_records,
    count(evidence.record_id_l) as n_links
from {{ ref('national_persons') }} as persons
left join {{ ref('person_link_evidence') }} as evidence on persons.person_id = evidence.person_id
group by persons.person_id, persons.n_records
having count(evidence.record_id_l) <> persons.n_records - 1
