-- Nobody is kept off the list without somebody being asked to look.
select persons.person_id
from {{ ref('national_persons') }} as persons
left join {{ ref('identity_review_queue') }} as queue
    on persons.person_id = queue.person_id or persons.person_id = queue.other_person_id
where persons.withheld and queue.queue_rank is null
