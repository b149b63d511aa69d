-- Grain: one protective order in force on the last day of the run's month.
select
    orders.order_id,
    run.period_end as in_force_on,
    orders.force_code,
    orders.order_ref,
    orders.order_type,
    labels.label as order_type_label,
    orders.court,
    orders.respondent_record_id,
    orders.respondent_person_id,
    orders.protected_person_id,
    orders.granted_on,
    orders.varied_on,
    orders.expires_on,
    cast(
        {{ dbt.datediff('run.period_end', 'orders.expires_on', 'day') }}
        as bigint
    ) as days_left,
    orders.n_breaches
from {{ ref('national_protective_orders') }} as orders
cross join {{ ref('national_run') }} as run
left join {{ ref('order_types') }} as labels on orders.order_type = labels.code
where
    orders.granted_on <= run.period_end
    and (orders.rescinded_on is null or orders.rescinded_on > run.period_end)
    and (orders.expires_on is null or orders.expires_on >= run.period_end)
