-- Grain: month x force x definition x threat x measure x breakdown x value, of what is not a count of crimes or of persons in
-- them: homicides with prior contact, orders made and breached, domestic incidents. `none` where no definition applies.
with covered as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

homicides as (
    select
        offences.offence_id,
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        offences.reported_at,
        involvements.person_id
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_involvements') }} as involvements on offences.offence_id = involvements.offence_id
    where
        offences.offence_kind = 'homicide'
        and involvements.person_id is not null
        and (involvements.role = 'victim' or involvements.allegation_stands)
),

earlier as (
    select
        involvements.person_id,
        offences.reported_at as happened_at
    from {{ ref('national_involvements') }} as involvements
    inner join {{ ref('national_offences') }} as offences on involvements.offence_id = offences.offence_id
    where
        offences.is_counted
        and (involvements.role = 'victim' or involvements.allegation_stands)
        and involvements.person_id in (select homicides.person_id from homicides)

    union all

    select
        victim_person_id as person_id,
        occurred_at as happened_at
    from {{ ref('national_incidents') }}

    union all

    select
        suspect_person_id as person_id,
        occurred_at as happened_at
    from {{ ref('national_incidents') }}
),

contacts as (
    select
        homicides.offence_id,
        homicides.recorded_month,
        homicides.force_code,
        homicides.definition_bits,
        homicides.threat_bits,
        max(case when earlier.happened_at < homicides.reported_at then 1 else 0 end) as has_prior_contact
    from homicides
    left join earlier on homicides.person_id = earlier.person_id
    group by
        homicides.offence_id,
        homicides.recorded_month,
        homicides.force_code,
        homicides.definition_bits,
        homicides.threat_bits
),

breaches as (
    select distinct
        states.order_id,
        states.order_type,
        states.force_code,
        offences.offence_id,
        offences.recorded_month
    from {{ ref('national_protective_order_states') }} as states
    inner join {{ ref('national_offences') }} as offences on states.breach_offence_id = offences.offence_id
    where offences.is_counted
),

orders as (
    select
        'orders_made' as measure,
        force_code,
        order_type,
        cast({{ dbt.date_trunc('month', 'granted_on') }} as date) as recorded_month
    from {{ ref('national_protective_orders') }}
    where granted_on is not null

    union all

    select
        'orders_breached' as measure,
        force_code,
        order_type,
        recorded_month
    from breaches
),

order_counts as (
    select
        orders.recorded_month,
        orders.force_code,
        orders.measure,
        {{ breakdown_of_set(['order_type']) }} as breakdown,
        {{ value_of_set(['order_type']) }} as breakdown_value,
        count(*) as numerator
    from orders
    inner join covered on orders.force_code = covered.force_code and orders.recorded_month = covered.recorded_month
    group by grouping sets (
        (orders.recorded_month, orders.force_code, orders.measure),
        (orders.recorded_month, orders.force_code, orders.measure, order_type)
    )
),

incidents as (
    select
        incidents.force_code,
        cast({{ dbt.date_trunc('month', 'incidents.occurred_at') }} as date) as recorded_month,
        coalesce(incidents.dash_risk, 'unknown') as dash_risk
    from {{ ref('national_incidents') }} as incidents
),

incident_counts as (
    select
        incidents.recorded_month,
        incidents.force_code,
        {{ breakdown_of_set(['dash_risk']) }} as breakdown,
        {{ value_of_set(['dash_risk']) }} as breakdown_value,
        count(*) as numerator
    from incidents
    inner join covered on incidents.force_code = covered.force_code and incidents.recorded_month = covered.recorded_month
    group by grouping sets (
        (incidents.recorded_month, incidents.force_code),
        (incidents.recorded_month, incidents.force_code, dash_risk)
    )
)

select
    contacts.recorded_month,
    contacts.force_code,
    sets.definition_id,
    sets.threat,
    'prior_contact_share' as measure,
    'none' as breakdown,
    'all' as breakdown_value,
    cast(sum(contacts.has_prior_contact) as bigint) as numerator,
    count(*) as denominator
from contacts
inner join {{ ref('scope_sets') }} as sets
    on contacts.definition_bits = sets.definition_bits and contacts.threat_bits = sets.threat_bits
group by contacts.recorded_month, contacts.force_code, sets.definition_id, sets.threat

union all

select
    recorded_month,
    force_code,
    'none' as definition_id,
    'all' as threat,
    measure,
    breakdown,
    breakdown_value,
    numerator,
    cast(null as bigint) as denominator
from order_counts

union all

select
    recorded_month,
    force_code,
    'none' as definition_id,
    'all' as threat,
    'incidents' as measure,
    breakdown,
    breakdown_value,
    numerator,
    cast(null as bigint) as denominator
from incident_counts
