-- Grain: person x crime: an allegation that counts and was closed with no further action, and whether an order against the
-- person was granted about then. Returns do not say whether one was considered.
with parameters as (
    {{ profile_parameters(['order_days_before', 'order_days_after']) }}
),

closed as (
    select
        allegations.*,
        run.period_end,
        -- A closure without its day is judged by every order since the crime was reported.
        cast(
            coalesce(
                {{ dbt.dateadd('day', '-cast(parameters.order_days_before as integer)', 'allegations.outcome_on') }},
                allegations.reported_at
            ) as date
        ) as orders_from,
        cast(
            coalesce(
                {{ dbt.dateadd('day', 'cast(parameters.order_days_after as integer)', 'allegations.outcome_on') }},
                run.ranked_at
            ) as date
        ) as orders_until
    from {{ ref('national_allegations') }} as allegations
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where allegations.is_profiled and allegations.is_no_further_action
),

orders as (
    select
        closed.person_id,
        closed.offence_id,
        orders.order_id,
        orders.protected_person_id,
        orders.granted_on >= closed.orders_from as is_granted_about_then
    from closed
    inner join {{ ref('national_protective_orders') }} as orders on closed.person_id = orders.respondent_person_id
    where
        orders.granted_on <= closed.orders_until
        and orders.granted_on <= closed.period_end
        and (
            orders.granted_on >= closed.orders_from
            -- Granted earlier, and in force on the day of the closure.
            or (
                (orders.rescinded_on is null or orders.rescinded_on > closed.outcome_on)
                and (orders.expires_on is null or orders.expires_on >= closed.outcome_on)
            )
        )
),

found as (
    select
        orders.person_id,
        orders.offence_id,
        max(case when orders.is_granted_about_then then 1 else 0 end) = 1 as is_granted_about_then,
        max(case when victims.person_id is not null then 1 else 0 end) = 1 as protects_a_victim,
        {{ distinct_list('orders.order_id') }} as order_ids
    from orders
    left join {{ ref('national_involvements') }} as victims
        on
            orders.offence_id = victims.offence_id
            and victims.role = 'victim'
            and orders.protected_person_id = victims.person_id
    group by orders.person_id, orders.offence_id
)

select
    closed.person_id,
    closed.offence_id,
    closed.force_code,
    closed.crime_ref,
    closed.offence_code,
    closed.threats,
    closed.reported_at,
    closed.outcome_code,
    closed.standing_in_words,
    closed.outcome_on as closed_on,
    cast(
        {{ dbt.datediff('closed.outcome_on', 'closed.period_end', 'day') }}
        as bigint
    ) as days_since_closed,
    case
        when found.offence_id is null then 'no order recorded'
        when found.is_granted_about_then then 'order granted'
        else 'order already in force'
    end as order_status,
    coalesce(found.order_ids, {{ empty_list(dbt.type_string()) }}) as order_ids,
    found.protects_a_victim,
    parameters.parameters_version
from closed
cross join parameters
left join found on closed.person_id = found.person_id and closed.offence_id = found.offence_id
