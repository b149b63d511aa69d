-- Grain: one linked person with an allegation under the NPCC scope in the last six years, neither child nor dead.
-- `list_status` says who is on the list (listed, with a rank), who is held off it, and who does not meet its conditions.
with parameters as (
    {{ ranking_parameters([
        'min_incidents',
        'min_link_probability',
        'max_outcome_unknown_share',
        'serious_severity_days',
        'serious_within_days',
    ]) }}
),

statements as (
    select {{ dbt.listagg('statement', "' '", 'order by statement_id') }} as statement
    from {{ ref('list_statements') }}
    where mart = 'ranked_perpetrators'
),

scores as (
    select
        person_id,
        cast(sum(contribution) as decimal(28, 12)) as score,
        cast(sum(contribution_grave) as decimal(28, 12)) as score_grave,
        cast(sum(case when is_outcome_known then 0 else contribution end) as decimal(28, 12)) as score_outcome_unknown,
        max(multiplier) as multiplier,
        max(n_incidents) as n_incidents,
        max(n_victims) as n_victims,
        count(*) as n_allegations,
        sum(case when is_counted then 1 else 0 end) as n_counted,
        sum(case when is_counted and is_recent then 1 else 0 end) as n_recent,
        sum(case when is_counted and not is_severity_mapped then 1 else 0 end) as n_severity_unmapped,
        max(case when is_counted then reported_at end) as latest_reported_at,
        max(case when is_counted then severity_days end) as max_severity_days,
        max(case when is_counted then link_probability end) as best_link_probability,
        max(definition_id) as definition_id,
        max(definition_version) as definition_version,
        max(weights_version) as weights_version
    from {{ ref('ranked_perpetrator_offences') }}
    group by person_id
),

serious as (
    select distinct offences.person_id
    from {{ ref('ranked_perpetrator_offences') }} as offences
    cross join parameters
    where
        offences.is_counted
        and offences.severity_days >= parameters.serious_severity_days
        and offences.age_days <= parameters.serious_within_days
),

force_scores as (
    select
        person_id,
        force_code,
        sum(contribution) as score,
        max(reported_at) as latest_reported_at
    from {{ ref('ranked_perpetrator_offences') }}
    group by person_id, force_code
),

owners as (
    -- The force with the largest share of the score; ties to the latest report, then to the code.
    select
        person_id,
        force_code,
        row_number() over (
            partition by person_id
            order by score desc, latest_reported_at desc, force_code asc
        ) as owner_rank,
        count(*) over (partition by person_id) as n_forces
    from force_scores
),

as_victim as (
    select
        person_id,
        count(distinct offence_id) as n_offences_as_victim
    from {{ ref('national_involvements') }}
    where role = 'victim' and person_id is not null
    group by person_id
),

judged as (
    select
        scores.*,
        owners.force_code as owner_force_code,
        owners.n_forces,
        persons.person_group_id,
        persons.model_version,
        gates.in_custody,
        serious.person_id is not null as has_serious_allegation,
        coalesce(as_victim.n_offences_as_victim, 0) as n_offences_as_victim,
        case when scores.score > 0 then cast(scores.score_outcome_unknown as double precision) / scores.score end
            as outcome_unknown_share,
        gates.withheld,
        -- What keeps them off the list apart from a doubt about who they are; the first that applies.
        case
            when gates.is_age_unknown then 'age_unknown'
            when scores.n_counted = 0 then 'no_counted_allegation'
            when scores.n_incidents < parameters.min_incidents then 'too_few_incidents'
            when scores.n_recent = 0 then 'no_recent_incident'
            when scores.best_link_probability < parameters.min_link_probability then 'link_too_uncertain'
            when gates.in_custody = 'Y' then 'in_custody'
            when
                scores.score_outcome_unknown > scores.score * cast(parameters.max_outcome_unknown_share as decimal(9, 4))
                then 'outcome_unknown'
        end as other_reason,
        parameters.parameters_version
    from scores
    inner join {{ ref('national_persons') }} as persons on scores.person_id = persons.person_id
    inner join {{ ref('national_person_gates') }} as gates on scores.person_id = gates.person_id
    inner join owners on scores.person_id = owners.person_id and owners.owner_rank = 1
    left join serious on scores.person_id = serious.person_id
    left join as_victim on scores.person_id = as_victim.person_id
    cross join parameters
),

reasoned as (
    select
        *,
        case when withheld then 'identity_under_review' else other_reason end as status_reason
    from judged
),

ordered as (
    select
        reasoned.*,
        case
            when reasoned.status_reason is null then 'listed'
            when reasoned.status_reason in ('identity_under_review', 'age_unknown', 'in_custody', 'outcome_unknown')
                then 'held'
            else 'ineligible'
        end as list_status,
        run.period,
        run.ranked_at,
        cast(reasoned.score as decimal(28, 9)) as score_for_rank,
        {{ dbt.hash("run.snapshot_key || reasoned.person_id") }} as tie_break
    from reasoned
    cross join {{ ref('national_run') }} as run
),

ranked as (
    select
        *,
        {{ place_on_the_list('score_for_rank', within=['list_status']) }} as national_rank,
        {{ place_on_the_list('score_for_rank', within=['list_status', 'owner_force_code']) }} as force_rank,
        {{ place_on_the_list('score_grave', within=['list_status']) }} as national_rank_grave
    from ordered
)

select
    ranked.person_id,
    ranked.person_group_id,
    ranked.period,
    ranked.ranked_at,
    ranked.list_status,
    ranked.status_reason,
    ranked.withheld and ranked.other_reason is null as is_held_for_identity_alone,
    case when ranked.list_status = 'listed' then ranked.national_rank end as national_rank,
    case when ranked.list_status = 'listed' then bands.band end as rank_band,
    case when ranked.list_status = 'listed' then ranked.force_rank end as force_rank,
    case when ranked.list_status = 'listed' then ranked.national_rank_grave end as national_rank_grave,
    ranked.owner_force_code,
    ranked.n_forces,
    ranked.score,
    ranked.score_grave,
    ranked.multiplier,
    ranked.n_incidents,
    ranked.n_victims,
    ranked.n_allegations,
    cast(ranked.n_counted as bigint) as n_counted,
    cast(ranked.n_allegations - ranked.n_counted as bigint) as n_not_counted,
    cast(ranked.n_severity_unmapped as bigint) as n_severity_unmapped,
    ranked.latest_reported_at,
    ranked.max_severity_days,
    ranked.best_link_probability,
    ranked.outcome_unknown_share,
    case ranked.in_custody
        when 'Y' then 'in custody'
        when 'N' then 'not in custody'
        else 'custody not checked'
    end as custody_status,
    ranked.has_serious_allegation
    and ranked.list_status = 'ineligible' as is_on_serious_single_list,
    ranked.n_offences_as_victim,
    ranked.definition_id,
    ranked.definition_version,
    ranked.parameters_version,
    ranked.weights_version,
    ranked.model_version as link_model_version,
    statements.statement
from ranked
cross join statements
left join {{ ref('rank_bands') }} as bands on ranked.national_rank between bands.rank_from and bands.rank_to
