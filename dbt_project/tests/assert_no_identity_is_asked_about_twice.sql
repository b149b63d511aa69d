-- One row a question: two persons once, one withheld person once; and a place in the queue without a gap.
select
    person_id,
    other_person_id
from {{ ref('identity_review_queue') }}
group by person_id, other_person_id
having count(*) > 1

union all

select
    'gap' as person_id,
    cast(max(queue_rank) as {{ dbt.type_string() }}) as other_person_id
from {{ ref('identity_review_queue') }}
having max(queue_rank) <> count(*)
