-- Grain: one state of one protective order, of the version that stands.
with current_orders as (
    {{ current_records('stg_extracts__protective_orders', 'protective_orders', 'order_ref') }}
)

select
    orders.force_code || '|' || orders.order_ref as order_id,
    orders.force_code,
    orders.order_ref,
    orders.state_no,
    orders.order_type,
    orders.force_code || '|' || orders.respondent_person_ref as respondent_record_id,
    orders.force_code || '|' || orders.protected_person_ref as protected_record_id,
    orders.court,
    orders.granted_on,
    orders.varied_on,
    orders.rescinded_on,
    orders.expires_on,
    orders.force_code || '|' || orders.breach_crime_ref as breach_offence_id
from {{ ref('stg_extracts__protective_orders') }} as orders
inner join current_orders
    on
        orders.force_code = current_orders.force_code
        and orders.order_ref = current_orders.order_ref
        and orders.submission_id = current_orders.submission_id
