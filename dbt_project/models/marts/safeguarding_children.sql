-- Grain: child x force: somebody under 18 whom a crime in scope names as a suspect, for the force's child-protection lead.
-- No score, no rank, no severity: a child who harms may well be harmed, and is here to be looked after.
with parameters as (
    {{ ranking_parameters(['cut_months', 'responsible_age']) }}
),

allegations as (
    select
        allegations.person_id,
        allegations.force_code,
        max(allegations.reported_at) as latest_reported_at,
        min(allegations.reported_at) as first_reported_at,
        count(*) as n_allegations
    from {{ ref('national_vawg_allegations') }} as allegations
    inner join {{ ref('national_person_gates') }} as gates on allegations.person_id = gates.person_id
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where
        gates.is_child
        and not gates.is_deceased
        -- What was cancelled or disproved says nothing of a child either; under ten nobody is a suspect.
        and allegations.is_allegation_standing
        and (allegations.age_at_offence is null or allegations.age_at_offence >= parameters.responsible_age)
        and allegations.reported_at <= run.ranked_at
        and allegations.reported_at > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}
    group by allegations.person_id, allegations.force_code
),

as_victim as (
    select
        person_id,
        count(distinct offence_id) as n_offences_as_victim
    from {{ ref('national_involvements') }}
    where role = 'victim' and person_id is not null
    group by person_id
)

select
    allegations.person_id,
    allegations.force_code,
    run.period,
    coalesce('Child-protection lead, ' || forces.label, 'Child-protection lead') as routed_to,
    cast(allegations.latest_reported_at as date) as latest_reported_on,
    cast(allegations.first_reported_at as date) as first_reported_on,
    allegations.n_allegations,
    coalesce(as_victim.n_offences_as_victim, 0) > 0 as is_also_victim,
    coalesce(as_victim.n_offences_as_victim, 0) as n_offences_as_victim,
    gates.withheld as is_identity_under_review,
    row_number() over (
        partition by allegations.force_code
        order by allegations.latest_reported_at desc, {{ dbt.hash("run.snapshot_key || allegations.person_id") }} asc
    ) as shown_order
from allegations
inner join {{ ref('national_person_gates') }} as gates on allegations.person_id = gates.person_id
cross join {{ ref('national_run') }} as run
left join {{ ref('forces') }} as forces on allegations.force_code = forces.code
left join as_victim on allegations.person_id = as_victim.person_id
