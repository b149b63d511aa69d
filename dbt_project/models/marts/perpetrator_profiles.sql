-- Grain: one linked person, neither child nor dead, against whom at least one allegation under the NPCC scope stands.
-- No score, no rank, no ethnicity: what is recorded, what became of it, and who already has them in view.
with allegations as (
    select *
    from {{ ref('national_allegations') }}
    where is_profiled
),

summary as (
    select
        allegations.person_id,
        count(*) as n_allegations,
        count(distinct allegations.force_code) as n_forces,
        {{ distinct_list('allegations.force_code') }} as force_codes,
        min(allegations.reported_at) as first_reported_at,
        max(allegations.reported_at) as latest_reported_at,
        {% for column, condition in [
            ('n_open_investigations', 'allegations.is_open'),
            ('n_charged', "allegations.standing = 'charged'"),
            ('n_convicted', "allegations.standing = 'convicted'"),
            ('n_out_of_court', "allegations.standing = 'out_of_court'"),
            ('n_closed_without_action', 'allegations.is_no_further_action'),
            ('n_closed_otherwise', "allegations.standing = 'closed_otherwise'"),
            ('n_closed_without_order', "closures.order_status = 'no order recorded'"),
        ] %}
            sum(case when {{ condition }} then 1 else 0 end) as {{ column }},
        {% endfor %}
        min(case when allegations.is_open then allegations.reported_at end) as oldest_open_reported_at
    from allegations
    left join {{ ref('allegations_closed_without_action') }} as closures
        on allegations.person_id = closures.person_id and allegations.offence_id = closures.offence_id
    group by allegations.person_id
),

not_counted as (
    select
        person_id,
        count(*) as n_not_counted
    from {{ ref('national_allegations') }}
    where is_in_scope and not is_counted
    group by person_id
),

their_victims as (
    -- Women and girls, person by person; `victim_id` is null for those without a nominal.
    select
        allegations.person_id,
        victims.person_id as victim_id,
        count(distinct victims.offence_id) as n_offences,
        count(*) as n_rows
    from allegations
    inner join {{ ref('national_involvements') }} as victims
        on allegations.offence_id = victims.offence_id and victims.role = 'victim' and victims.sex = 'F'
    group by allegations.person_id, victims.person_id
),

victim_summary as (
    select
        person_id,
        sum(case when victim_id is not null then 1 else 0 end) as n_victims,
        sum(case when victim_id is not null and n_offences > 1 then 1 else 0 end) as n_repeat_victims,
        sum(case when victim_id is null then n_rows else 0 end) as n_victims_not_linked,
        {{ distinct_list('victim_id') }} as victim_ids
    from their_victims
    group by person_id
),

features as (
    select
        person_id,
        {{ distinct_list("case when feature_kind = 'threat' then feature end") }} as threats,
        {{ distinct_list("case when feature_kind = 'mo_feature' then feature end") }} as mo_features
    from {{ ref('perpetrator_features') }}
    group by person_id
),

mo_words as (
    select
        person_id,
        {{ dbt.listagg(
            "feature_label || ' (' || cast(n_allegations as " ~ dbt.type_string() ~ ") || ' of ' || cast(n_allegations_of_person as " ~ dbt.type_string() ~ ") || ')'",
            "', '",
            "order by n_allegations desc, feature"
        ) }} as mo_in_words
    from {{ ref('perpetrator_features') }}
    where feature_kind = 'mo_feature'
    group by person_id
),

orders as (
    select
        orders.respondent_person_id as person_id,
        count(*) as n_orders,
        sum(orders.n_breaches) as n_order_breaches,
        max(orders.granted_on) as latest_order_granted_on
    from {{ ref('national_protective_orders') }} as orders
    cross join {{ ref('national_run') }} as run
    where orders.respondent_person_id is not null and orders.granted_on <= run.period_end
    group by orders.respondent_person_id
),

orders_in_force as (
    select
        respondent_person_id as person_id,
        count(*) as n_orders_in_force,
        {{ distinct_list('order_type') }} as order_types_in_force,
        {{ distinct_list('order_type_label') }} as order_labels_in_force
    from {{ ref('protective_orders_in_force') }}
    where respondent_person_id is not null
    group by respondent_person_id
),

breaches as (
    select
        person_id,
        max(event_on) as latest_order_breach_on
    from {{ ref('national_person_events') }}
    where event_kind = 'order_breached' and role = 'respondent'
    group by person_id
),

management as (
    select
        spells.person_id,
        {{ distinct_list('spells.scheme') }} as management_schemes,
        {{ distinct_list('schemes.label') }} as management_labels
    from {{ ref('national_offender_management') }} as spells
    cross join {{ ref('national_run') }} as run
    inner join {{ ref('management_schemes') }} as schemes on spells.scheme_code = schemes.code
    where
        spells.managed_from_on <= run.period_end
        and (spells.managed_to_on is null or spells.managed_to_on >= run.period_end)
    group by spells.person_id
),

incidents as (
    select
        person_id,
        sum(case when role = 'suspect' then 1 else 0 end) as n_domestic_incidents,
        sum(case when role = 'suspect' and children_present = 'Y' then 1 else 0 end) as n_domestic_incidents_with_children
    from {{ ref('national_person_events') }}
    where event_kind = 'domestic_incident'
    group by person_id
),

as_victim as (
    -- Crimes that stand and of which this person is a victim.
    select distinct
        victims.person_id,
        victims.offence_id
    from {{ ref('national_involvements') }} as victims
    inner join summary on victims.person_id = summary.person_id
    inner join {{ ref('national_offences') }} as offences on victims.offence_id = offences.offence_id
    where victims.role = 'victim' and offences.is_counted
),

counter_allegations as (
    -- Of these, the ones in which a suspect is somebody this person is alleged to have harmed.
    select
        as_victim.person_id,
        count(distinct as_victim.offence_id) as n_counter_allegations,
        {{ distinct_list('suspects.person_id') }} as counter_allegation_person_ids
    from as_victim
    inner join {{ ref('national_allegations') }} as suspects
        on as_victim.offence_id = suspects.offence_id and suspects.allegation_stands
    inner join their_victims
        on as_victim.person_id = their_victims.person_id and suspects.person_id = their_victims.victim_id
    group by as_victim.person_id
),

as_victim_counts as (
    select
        person_id,
        count(*) as n_offences_as_victim
    from as_victim
    group by person_id
),

statements as (
    select {{ dbt.listagg('statement', "' '", 'order by statement_no') }} as statement
    from {{ ref('profile_statements') }}
    where mart = 'perpetrator_profiles'
)

select
    summary.person_id,
    persons.person_group_id,
    run.period_end as profiled_on,
    summary.n_allegations,
    cast(coalesce(not_counted.n_not_counted, 0) as bigint) as n_not_counted,
    summary.first_reported_at,
    summary.latest_reported_at,
    summary.n_forces,
    summary.force_codes,
    cast(coalesce(victim_summary.n_victims, 0) as bigint) as n_victims,
    cast(coalesce(victim_summary.n_repeat_victims, 0) as bigint) as n_repeat_victims,
    cast(coalesce(victim_summary.n_victims_not_linked, 0) as bigint) as n_victims_not_linked,
    coalesce(victim_summary.victim_ids, {{ empty_list(dbt.type_string()) }}) as victim_ids,
    coalesce(features.threats, {{ empty_list(dbt.type_string()) }}) as threats,
    coalesce(features.mo_features, {{ empty_list(dbt.type_string()) }}) as mo_features,
    coalesce(mo_words.mo_in_words, 'none recorded') as mo_in_words,
    cast(summary.n_open_investigations as bigint) as n_open_investigations,
    summary.oldest_open_reported_at,
    cast(summary.n_charged as bigint) as n_charged,
    cast(summary.n_convicted as bigint) as n_convicted,
    cast(summary.n_out_of_court as bigint) as n_out_of_court,
    cast(summary.n_closed_without_action as bigint) as n_closed_without_action,
    cast(summary.n_closed_without_order as bigint) as n_closed_without_order,
    cast(summary.n_closed_otherwise as bigint) as n_closed_otherwise,
    cast(coalesce(orders.n_orders, 0) as bigint) as n_orders,
    cast(coalesce(orders_in_force.n_orders_in_force, 0) as bigint) as n_orders_in_force,
    coalesce(orders_in_force.order_types_in_force, {{ empty_list(dbt.type_string()) }}) as order_types_in_force,
    coalesce({{ list_as_text('orders_in_force.order_labels_in_force') }}, 'none recorded') as orders_in_words,
    orders.latest_order_granted_on,
    cast(coalesce(orders.n_order_breaches, 0) as bigint) as n_order_breaches,
    breaches.latest_order_breach_on,
    management.person_id is not null as is_managed,
    coalesce(management.management_schemes, {{ empty_list(dbt.type_string()) }}) as management_schemes,
    coalesce({{ list_as_text('management.management_labels') }}, 'none recorded') as management_in_words,
    cast(coalesce(incidents.n_domestic_incidents, 0) as bigint) as n_domestic_incidents,
    cast(coalesce(incidents.n_domestic_incidents_with_children, 0) as bigint) as n_domestic_incidents_with_children,
    cast(coalesce(as_victim_counts.n_offences_as_victim, 0) as bigint) as n_offences_as_victim,
    cast(coalesce(counter_allegations.n_counter_allegations, 0) as bigint) as n_counter_allegations,
    coalesce(counter_allegations.counter_allegation_person_ids, {{ empty_list(dbt.type_string()) }})
        as counter_allegation_person_ids,
    case gates.in_custody
        when 'Y' then 'in custody'
        when 'N' then 'not in custody'
        else 'custody not checked'
    end as custody_status,
    gates.is_age_unknown,
    gates.withheld as is_identity_under_review,
    statements.statement
from summary
inner join {{ ref('national_persons') }} as persons on summary.person_id = persons.person_id
inner join {{ ref('national_person_gates') }} as gates on summary.person_id = gates.person_id
cross join {{ ref('national_run') }} as run
cross join statements
left join not_counted on summary.person_id = not_counted.person_id
left join victim_summary on summary.person_id = victim_summary.person_id
left join features on summary.person_id = features.person_id
left join mo_words on summary.person_id = mo_words.person_id
left join orders on summary.person_id = orders.person_id
left join orders_in_force on summary.person_id = orders_in_force.person_id
left join breaches on summary.person_id = breaches.person_id
left join management on summary.person_id = management.person_id
left join incidents on summary.person_id = incidents.person_id
left join as_victim_counts on summary.person_id = as_victim_counts.person_id
left join counter_allegations on summary.person_id = counter_allegations.person_id
