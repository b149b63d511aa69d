-- Grain: one woman or girl, as linked, who is a victim of a crime under the NPCC scope that stands, in the last six years.
-- For her safeguarding: no rank, no score, and nothing here enters a suspect's.
with parameters as (
    {{ ranking_parameters(['cut_months', 'adult_age']) }}
),

profile_parameters as (
    {{ profile_parameters(['repeat_within_months']) }}
),

crimes as (
    select distinct
        victims.person_id,
        offences.offence_id,
        offences.force_code,
        offences.reported_at
    from {{ ref('national_involvements') }} as victims
    inner join {{ ref('national_offences') }} as offences on victims.offence_id = offences.offence_id
    inner join {{ ref('national_offence_scopes') }} as scopes
        on
            offences.offence_id = scopes.offence_id
            and scopes.definition_id = 'npcc_policing_scope'
            and scopes.threat = 'all'
            and scopes.is_counted
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where
        victims.role = 'victim'
        and victims.sex = 'F'
        and victims.person_id is not null
        and offences.reported_at <= run.ranked_at
        and offences.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}
),

in_turn as (
    select
        crimes.*,
        lag(crimes.reported_at) over (
            partition by crimes.person_id
            order by crimes.reported_at asc, crimes.offence_id asc
        ) as previous_reported_at
    from crimes
),

summary as (
    select
        in_turn.person_id,
        count(*) as n_offences,
        sum(
            case
                when
                    in_turn.reported_at
                    <= {{ dbt.dateadd(
                        'month',
                        'cast(profile_parameters.repeat_within_months as integer)',
                        'in_turn.previous_reported_at'
                    ) }}
                    then 1
                else 0
            end
        ) as n_repeats,
        sum(
            case
                when
                    in_turn.reported_at
                    > {{ dbt.dateadd(
                        'month',
                        '-cast(profile_parameters.repeat_within_months as integer)',
                        'run.ranked_at'
                    ) }}
                    then 1
                else 0
            end
        ) as n_recent_offences,
        min(in_turn.reported_at) as first_reported_at,
        max(in_turn.reported_at) as latest_reported_at,
        count(distinct in_turn.force_code) as n_forces,
        {{ distinct_list('in_turn.force_code') }} as force_codes
    from in_turn
    cross join {{ ref('national_run') }} as run
    cross join profile_parameters
    group by in_turn.person_id
),

threats as (
    select
        crimes.person_id,
        {{ distinct_list('scopes.threat') }} as threats
    from crimes
    inner join {{ ref('national_offence_scopes') }} as scopes on crimes.offence_id = scopes.offence_id
    where scopes.definition_id = 'npcc_policing_scope' and scopes.threat <> 'all'
    group by crimes.person_id
),

suspected as (
    -- Whom the crimes against her are laid to, as far as the allegation stands.
    select
        crimes.person_id,
        allegations.person_id as suspect_id,
        count(*) as n_offences
    from crimes
    inner join {{ ref('national_allegations') }} as allegations
        on crimes.offence_id = allegations.offence_id and crimes.person_id <> allegations.person_id
    where allegations.allegation_stands
    group by crimes.person_id, allegations.person_id
),

suspects as (
    select
        person_id,
        count(*) as n_suspects,
        sum(case when n_offences > 1 then 1 else 0 end) as n_suspects_again,
        max(n_offences) as n_offences_by_same_suspect,
        {{ distinct_list('suspect_id') }} as suspect_person_ids
    from suspected
    group by person_id
),

open_crimes as (
    select
        crimes.person_id,
        count(distinct crimes.offence_id) as n_open_investigations
    from crimes
    inner join {{ ref('national_offences') }} as offences on crimes.offence_id = offences.offence_id
    where not offences.is_closed
    group by crimes.person_id
),

orders as (
    select
        orders.protected_person_id as person_id,
        count(*) as n_orders,
        sum(orders.n_breaches) as n_order_breaches
    from {{ ref('national_protective_orders') }} as orders
    cross join {{ ref('national_run') }} as run
    where orders.protected_person_id is not null and orders.granted_on <= run.period_end
    group by orders.protected_person_id
),

orders_in_force as (
    select
        protected_person_id as person_id,
        count(*) as n_orders_in_force,
        {{ distinct_list('order_type') }} as order_types_in_force,
        {{ distinct_list('order_type_label') }} as order_labels_in_force,
        min(expires_on) as next_order_expires_on
    from {{ ref('protective_orders_in_force') }}
    where protected_person_id is not null
    group by protected_person_id
),

breaches as (
    select
        person_id,
        max(event_on) as latest_order_breach_on
    from {{ ref('national_person_events') }}
    where event_kind = 'order_breached' and role = 'protected person'
    group by person_id
),

assessed as (
    select
        victims.person_id,
        victims.dash_risk,
        crimes.reported_at as assessed_at,
        victims.involvement_id as source_id
    from {{ ref('national_involvements') }} as victims
    inner join crimes on victims.offence_id = crimes.offence_id and victims.person_id = crimes.person_id
    where victims.role = 'victim' and victims.dash_risk is not null

    union all

    select
        person_id,
        dash_risk,
        event_at as assessed_at,
        event_id as source_id
    from {{ ref('national_person_events') }}
    where event_kind = 'domestic_incident' and role = 'victim' and dash_risk is not null
),

graded as (
    select
        assessed.*,
        row_number() over (
            partition by assessed.person_id
            order by grades.min_yes desc, assessed.assessed_at desc, assessed.source_id asc
        ) as height,
        row_number() over (
            partition by assessed.person_id
            order by assessed.assessed_at desc, grades.min_yes desc, assessed.source_id asc
        ) as age
    from assessed
    inner join {{ ref('dash_risks') }} as grades on assessed.dash_risk = grades.code
),

risks as (
    select
        person_id,
        max(case when height = 1 then dash_risk end) as highest_dash_risk,
        max(case when height = 1 then cast(assessed_at as date) end) as highest_dash_risk_on,
        max(case when age = 1 then dash_risk end) as latest_dash_risk,
        max(case when age = 1 then cast(assessed_at as date) end) as latest_dash_risk_on
    from graded
    group by person_id
),

incidents as (
    select
        person_id,
        count(*) as n_domestic_incidents,
        sum(case when children_present = 'Y' then 1 else 0 end) as n_domestic_incidents_with_children,
        max(event_on) as latest_domestic_incident_on
    from {{ ref('national_person_events') }}
    where event_kind = 'domestic_incident' and role = 'victim'
    group by person_id
),

statements as (
    select {{ dbt.listagg('statement', "' '", 'order by statement_no') }} as statement
    from {{ ref('profile_statements') }}
    where mart = 'victim_profiles'
)

select
    summary.person_id,
    persons.person_group_id,
    run.period_end as profiled_on,
    {{ age_on('persons.latest_date_of_birth', 'run.ranked_at') }} < parameters.adult_age as is_child,
    persons.deceased_on is not null and persons.deceased_on <= run.period_end as is_deceased,
    persons.withheld as is_identity_under_review,
    summary.n_offences,
    cast(summary.n_recent_offences as bigint) as n_recent_offences,
    summary.first_reported_at,
    summary.latest_reported_at,
    summary.n_forces,
    summary.force_codes,
    coalesce(threats.threats, {{ empty_list(dbt.type_string()) }}) as threats,
    cast(summary.n_repeats as bigint) as n_repeats,
    summary.n_repeats > 0 as is_repeat_victim,
    cast(coalesce(suspects.n_suspects, 0) as bigint) as n_suspects,
    coalesce(suspects.n_suspects, 0) > 1 as has_several_suspects,
    cast(coalesce(suspects.n_suspects_again, 0) as bigint) as n_suspects_again,
    cast(coalesce(suspects.n_offences_by_same_suspect, 0) as bigint) as n_offences_by_same_suspect,
    coalesce(suspects.suspect_person_ids, {{ empty_list(dbt.type_string()) }}) as suspect_person_ids,
    cast(coalesce(open_crimes.n_open_investigations, 0) as bigint) as n_open_investigations,
    cast(coalesce(orders.n_orders, 0) as bigint) as n_orders,
    cast(coalesce(orders_in_force.n_orders_in_force, 0) as bigint) as n_orders_in_force,
    coalesce(orders_in_force.order_types_in_force, {{ empty_list(dbt.type_string()) }}) as order_types_in_force,
    coalesce({{ list_as_text('orders_in_force.order_labels_in_force') }}, 'none recorded') as orders_in_words,
    orders_in_force.next_order_expires_on,
    cast(coalesce(orders.n_order_breaches, 0) as bigint) as n_order_breaches,
    breaches.latest_order_breach_on,
    coalesce(risks.highest_dash_risk, 'none recorded') as highest_dash_risk,
    risks.highest_dash_risk_on,
    coalesce(risks.latest_dash_risk, 'none recorded') as latest_dash_risk,
    risks.latest_dash_risk_on,
    cast(coalesce(incidents.n_domestic_incidents, 0) as bigint) as n_domestic_incidents,
    cast(coalesce(incidents.n_domestic_incidents_with_children, 0) as bigint) as n_domestic_incidents_with_children,
    incidents.latest_domestic_incident_on,
    statements.statement
from summary
inner join {{ ref('national_persons') }} as persons on summary.person_id = persons.person_id
cross join {{ ref('national_run') }} as run
cross join parameters
cross join statements
left join threats on summary.person_id = threats.person_id
left join suspects on summary.person_id = suspects.person_id
left join open_crimes on summary.person_id = open_crimes.person_id
left join orders on summary.person_id = orders.person_id
left join orders_in_force on summary.person_id = orders_in_force.person_id
left join breaches on summary.person_id = breaches.person_id
left join risks on summary.person_id = risks.person_id
left join incidents on summary.person_id = incidents.person_id
