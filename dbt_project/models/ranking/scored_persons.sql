-- Grain: one linked person with an allegation in the last six years, neither child nor dead: their scores under every
-- lens, what keeps them off the list, and the force that owns them. Places come after, in `ranked_perpetrators`.
with parameters as (
    {{ ranking_parameters([
        'min_incidents',
        'min_link_probability',
        'max_outcome_unknown_share',
        'serious_severity_days',
        'serious_within_days',
        'harm_window_days',
        'harm_min_incidents',
    ]) }}
),

scores as (
    select
        offences.person_id,
        cast(sum(offences.contribution) as decimal(28, 12)) as score,
        cast(sum(offences.contribution_grave) as decimal(28, 12)) as score_grave,
        cast(sum(offences.contribution_gravest_harm) as decimal(18, 2)) as score_gravest_harm,
        cast(
            sum(case when offences.is_outcome_known then 0 else offences.contribution end) as decimal(28, 12)
        ) as score_outcome_unknown,
        count(*) as n_allegations,
        {{ count_where('offences.is_counted') }} as n_counted,
        {{ count_where('offences.is_counted and offences.is_recent') }} as n_recent,
        {{ count_where('offences.is_counted and offences.age_days <= parameters.harm_window_days') }} as n_in_harm_window,
        {{ count_where('offences.is_counted and not offences.is_severity_mapped') }} as n_severity_unmapped,
        {{ count_where('offences.is_counted and offences.link_probability >= parameters.min_link_probability') }}
            as n_surely_linked,
        max(case when offences.is_counted then offences.reported_at end) as latest_reported_at,
        max(case when offences.is_counted then offences.severity_days end) as max_severity_days,
        max(case when offences.is_counted then offences.link_probability end) as best_link_probability,
        max(
            case
                when
                    offences.is_counted
                    and offences.severity_days >= parameters.serious_severity_days
                    and offences.age_days <= parameters.serious_within_days
                    then offences.reported_at
            end
        ) as latest_serious_reported_at,
        min(offences.force_code) as first_force_code,
        max(offences.force_code) as last_force_code
    from {{ ref('scored_allegations') }} as offences
    cross join parameters
    group by offences.person_id
),

force_scores as (
    -- Of those only whom more than one force names: most persons are owned by the one that does.
    select
        offences.person_id,
        offences.force_code,
        sum(offences.contribution) as score,
        max(offences.reported_at) as latest_allegation_at
    from {{ ref('scored_allegations') }} as offences
    inner join scores
        on offences.person_id = scores.person_id and scores.first_force_code < scores.last_force_code
    group by offences.person_id, offences.force_code
),

owners as (
    -- The force with the largest share of the score; ties to the latest report, then to the code.
    select
        person_id,
        force_code,
        count(*) over (partition by person_id) as n_forces,
        row_number() over (
            partition by person_id
            order by score desc, latest_allegation_at desc, force_code asc
        ) as owner_rank
    from force_scores
),

versions as (
    -- One run ranks under one definition and one set of weights.
    select
        max(definition_id) as definition_id,
        max(definition_version) as definition_version,
        max(weights_version) as weights_version
    from {{ ref('national_vawg_allegations') }}
),

-- The peer, recency x frequency x gravity in bands. Bands are looked up for the few values there are, not for each person.
dated as (
    select
        scores.person_id,
        multipliers.n_incidents,
        scores.max_severity_days,
        {{ dbt.datediff('scores.latest_reported_at', 'run.ranked_at', 'day') }}
            as days_since_report
    from scores
    inner join {{ ref('person_multipliers') }} as multipliers on scores.person_id = multipliers.person_id
    cross join {{ ref('national_run') }} as run
    where scores.n_counted > 0
),

recency as ({{ points_of('dated', 'days_since_report', 'recency') }}),

frequency as ({{ points_of('dated', 'n_incidents', 'frequency') }}),

gravity as ({{ points_of('dated', 'max_severity_days', 'gravity') }}),

banded as (
    select
        dated.person_id,
        recency.points * frequency.points * gravity.points as score_rfg
    from dated
    inner join recency on dated.days_since_report = recency.days_since_report
    inner join frequency on dated.n_incidents = frequency.n_incidents
    inner join gravity on dated.max_severity_days = gravity.max_severity_days
),

judged as (
    select
        scores.*,
        multipliers.multiplier,
        multipliers.n_incidents,
        multipliers.n_non_crime_incidents,
        multipliers.n_victims,
        cast(coalesce(banded.score_rfg, 0) as bigint) as score_rfg,
        coalesce(owners.force_code, scores.first_force_code) as owner_force_code,
        coalesce(owners.n_forces, 1) as n_forces,
        versions.definition_id,
        versions.definition_version,
        versions.weights_version,
        persons.person_group_id,
        persons.model_version,
        gates.in_custody,
        gates.withheld,
        decisions.list_decision,
        case when scores.score > 0 then cast(scores.score_outcome_unknown as double precision) / scores.score end
            as outcome_unknown_share,
        scores.n_in_harm_window >= parameters.harm_min_incidents as is_repeat_in_harm_window,
        -- What keeps them off the list apart from a doubt about who they are; the first that applies.
        case
            when gates.is_age_unknown then 'age_unknown'
            when scores.n_counted = 0 then 'no_counted_allegation'
            when multipliers.n_incidents < parameters.min_incidents then 'too_few_incidents'
            when scores.n_recent = 0 then 'no_recent_incident'
            when scores.n_surely_linked = 0 then 'link_too_uncertain'
            when gates.in_custody = 'Y' then 'in_custody'
            when
                scores.score_outcome_unknown > scores.score * cast(parameters.max_outcome_unknown_share as decimal(9, 4))
                then 'outcome_unknown'
        end as other_reason,
        parameters.parameters_version
    from scores
    inner join {{ ref('person_multipliers') }} as multipliers on scores.person_id = multipliers.person_id
    inner join {{ ref('national_persons') }} as persons on scores.person_id = persons.person_id
    inner join {{ ref('national_person_gates') }} as gates on scores.person_id = gates.person_id
    left join owners on scores.person_id = owners.person_id and owners.owner_rank = 1
    left join banded on scores.person_id = banded.person_id
    left join {{ ref('national_list_decisions') }} as decisions on scores.person_id = decisions.person_id
    cross join parameters
    cross join versions
),

reasoned as (
    select
        *,
        -- What people decided comes first: it holds whatever the score is.
        case
            when list_decision = 'removed_on_these_facts' then 'removed_by_review'
            when list_decision = 'frozen' then 'disputed'
            when withheld then 'identity_under_review'
            when list_decision = 'deferred' then 'deferred_by_review'
            else other_reason
        end as status_reason
    from judged
)

select
    reasoned.person_id,
    reasoned.person_group_id,
    case
        when reasoned.status_reason is null then 'listed'
        when
            reasoned.status_reason in (
                'disputed', 'identity_under_review', 'deferred_by_review', 'age_unknown', 'in_custody', 'outcome_unknown'
            )
            then 'held'
        else 'ineligible'
    end as list_status,
    reasoned.status_reason,
    coalesce(reasoned.status_reason = 'identity_under_review', false) and reasoned.other_reason is null
        as is_held_for_identity_alone,
    reasoned.status_reason is null and reasoned.is_repeat_in_harm_window as is_eligible_gravest_harm,
    reasoned.owner_force_code,
    reasoned.n_forces,
    reasoned.score,
    reasoned.score_grave,
    reasoned.score_gravest_harm,
    reasoned.score_rfg,
    reasoned.score_outcome_unknown,
    reasoned.multiplier,
    reasoned.n_incidents,
    reasoned.n_non_crime_incidents,
    reasoned.n_victims,
    reasoned.n_allegations,
    reasoned.n_counted,
    reasoned.n_recent,
    reasoned.n_in_harm_window,
    reasoned.n_severity_unmapped,
    reasoned.n_surely_linked,
    reasoned.latest_reported_at,
    reasoned.latest_serious_reported_at,
    reasoned.max_severity_days,
    reasoned.best_link_probability,
    reasoned.outcome_unknown_share,
    reasoned.in_custody,
    reasoned.definition_id,
    reasoned.definition_version,
    reasoned.parameters_version,
    reasoned.weights_version,
    reasoned.model_version as link_model_version
from reasoned
