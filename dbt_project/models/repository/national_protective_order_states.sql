-- Grain: one state of one protective order, with the persons it names.
select
    orders.order_id,
    orders.state_no,
    orders.force_code,
    orders.order_ref,
    orders.order_type,
    respondents.person_id as respondent_person_id,
    protected_persons.person_id as protected_person_id,
    orders.granted_on,
    orders.varied_on,
    orders.rescinded_on,
    orders.expires_on,
    orders.breach_offence_id
from {{ ref('std_protective_orders') }} as orders
left join {{ ref('national_person_records') }} as respondents on orders.respondent_record_id = respondents.record_id
left join {{ ref('national_person_records') }} as protected_persons
    on orders.protected_record_id = protected_persons.record_id
