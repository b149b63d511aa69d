-- Grain: one protective order in its latest state, with what happened on the way.
with ranked as (
    select
        orders.*,
        row_number() over (partition by orders.order_id order by orders.state_no desc) as state_rank
    from {{ ref('std_protective_orders') }} as orders
),

history as (
    select
        order_id,
        count(*) as n_states,
        count(distinct breach_offence_id) as n_breaches,
        max(varied_on) as varied_on,
        min(rescinded_on) as rescinded_on
    from ranked
    group by order_id
)

select
    ranked.order_id,
    ranked.force_code,
    ranked.order_ref,
    ranked.order_type,
    ranked.court,
    respondents.record_id as respondent_record_id,
    respondents.person_id as respondent_person_id,
    protected_persons.person_id as protected_person_id,
    ranked.granted_on,
    history.varied_on,
    history.rescinded_on,
    ranked.expires_on,
    history.n_states,
    history.n_breaches
from ranked
inner join history on ranked.order_id = history.order_id
left join {{ ref('national_person_records') }} as respondents on ranked.respondent_record_id = respondents.record_id
left join {{ ref('national_person_records') }} as protected_persons
    on ranked.protected_record_id = protected_persons.record_id
where ranked.state_rank = 1
