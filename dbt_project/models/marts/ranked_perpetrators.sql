-- Grain: one linked person with an allegation under the NPCC scope in the last six years, neither child nor dead.
-- `list_status` says who is on the list (listed, with a rank), who is held off it, and who does not meet its conditions.
-- A view over what the ranking has written: millions of wide rows are written once, into the release.
{{ config(materialized='view') }}
with parameters as (
    {{ ranking_parameters(['top_force', 'top_national']) }}
),

statements as (
    select
        {{ dbt.listagg("case when shown_when = 'always' then statement end", "' '", 'order by statement_no') }} as statement,
        max(case when shown_when = 'custody_not_checked' then statement end) as statement_on_custody
    from {{ ref('ranking_statements') }}
    where shown_with = 'row'
),

checks as (
    select true as is_custody_checked
    union all
    select false as is_custody_checked
),

worded as (
    -- One row for each wording: a row of the list is matched with its own, and nothing is put together for each.
    select
        checks.is_custody_checked,
        case
            when checks.is_custody_checked or statements.statement_on_custody is null then statements.statement
            else statements.statement || ' ' || statements.statement_on_custody
        end as statement
    from statements
    cross join checks
)

select
    persons.person_id,
    gates.person_group_id,
    run.period,
    run.ranked_at,
    persons.list_status,
    persons.status_reason,
    persons.is_held_for_identity_alone,
    coalesce(decisions.list_decision, 'none') as review_state,
    decisions.valid_until as review_valid_until,
    decisions.entry_id as review_entry_id,
    places.national_rank,
    places.rank_band,
    places.force_rank,
    places.list_place,
    places.national_rank_grave,
    places.national_rank_gravest_harm,
    places.list_place_gravest_harm,
    places.national_rank_rfg,
    places.list_place_rfg,
    persons.owner_force_code,
    persons.n_forces,
    scopes.list_scope,
    scopes.list_scope_code,
    persons.score,
    {{ score_as_shown('persons.score') }} as score_shown,
    persons.score_grave,
    persons.score_gravest_harm,
    persons.score_rfg,
    persons.multiplier,
    persons.n_incidents,
    persons.n_non_crime_incidents,
    persons.n_victims,
    persons.n_allegations,
    persons.n_counted,
    persons.n_allegations - persons.n_counted as n_not_counted,
    persons.n_severity_unmapped,
    persons.latest_reported_at,
    persons.max_severity_days,
    persons.best_link_probability,
    persons.outcome_unknown_share,
    case persons.is_in_custody
        when true then 'in custody'
        when false then 'not in custody'
        else 'custody not checked'
    end as custody_status,
    -- The safety valve of a list that asks for repetition: one grave report is enough, if no list shows them already.
    persons.latest_serious_reported_at is not null
    and persons.list_status <> 'held'
    and coalesce(persons.status_reason, 'none') <> 'removed_by_review'
    and not (
        places.person_id is not null
        and (places.list_place <= parameters.top_force or places.national_rank <= parameters.top_national)
    ) as is_on_serious_single_list,
    persons.latest_serious_reported_at,
    persons.n_offences_as_victim,
    versions.definition_id,
    versions.definition_version,
    parameters.parameters_version,
    versions.weights_version,
    gates.model_version as link_model_version,
    worded.statement
from {{ ref('scored_persons') }} as persons
inner join {{ ref('national_person_gates') }} as gates on persons.person_no = gates.person_no
cross join {{ ref('national_run') }} as run
cross join parameters
cross join {{ ref('ranking_versions') }} as versions
inner join worded on (persons.is_in_custody is not null) = worded.is_custody_checked
left join {{ ref('person_places') }} as places on persons.person_id = places.person_id
left join {{ ref('list_scopes') }} as scopes on persons.owner_force_code = scopes.force_code
left join {{ ref('national_list_decisions') }} as decisions on persons.person_id = decisions.person_id
