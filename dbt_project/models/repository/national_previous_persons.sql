-- Grain: person of the previous release, suspect or victim, and whom they are taken for today: the same id where there is
-- still such a person, else whoever has a nominal that bore the id. Null where none of their nominals is left.
with named as (
    select person_id
    from {{ ref('stg_run__previous_ranked_perpetrators') }}

    union

    select {{ unnested('victim_ids') }} as person_id
    from {{ ref('stg_run__previous_ranked_perpetrator_offences') }}
),

heirs as (
    select
        ledger.to_person_id as previous_person_id,
        min(records.person_id) as today_person_id
    from {{ ref('national_person_ledger') }} as ledger
    inner join {{ ref('national_person_records') }} as records on ledger.record_id = records.record_id
    where ledger.to_person_id is not null
    group by ledger.to_person_id
)

select
    named.person_id as previous_person_id,
    coalesce(persons.person_id, heirs.today_person_id) as today_person_id
from named
left join {{ ref('national_persons') }} as persons on named.person_id = persons.person_id
left join heirs on named.person_id = heirs.previous_person_id
