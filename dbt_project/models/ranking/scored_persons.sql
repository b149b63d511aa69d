-- Grain: one linked person with an allegation in the last six years, neither child nor dead: their scores under every
-- lens, what keeps them off the list, and the force that owns them. Places come after, in `ranked_perpetrators`, with
-- texts that stand elsewhere already: they are what takes long to write.
with parameters as (
    {{ ranking_parameters([
        'min_incidents',
        'min_link_probability',
        'recent_months',
        'max_outcome_unknown_share',
        'serious_severity_days',
        'serious_within_days',
        'harm_window_days',
        'harm_min_incidents',
    ]) }}
),

scores as (
    select
        offences.person_no,
        cast(sum(offences.contribution) as decimal(28, 12)) as score,
        cast(sum(offences.contribution_grave) as decimal(28, 12)) as score_grave,
        cast(sum(offences.contribution_gravest_harm) as decimal(18, 2)) as score_gravest_harm,
        cast(
            coalesce(sum(case when not offences.is_outcome_known then offences.contribution end), 0) as decimal(28, 12)
        ) as score_outcome_unknown,
        count(*) as n_allegations,
        {{ count_where('offences.is_counted') }} as n_counted,
        {{ count_where('offences.is_counted and offences.age_days <= parameters.harm_window_days') }} as n_in_harm_window,
        {{ count_where('offences.is_counted and not offences.is_severity_mapped') }} as n_severity_unmapped,
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
        ) as latest_serious_reported_at
    from {{ ref('scored_allegations') }} as offences
    cross join parameters
    group by offences.person_no
),

force_scores as (
    -- Of those only whom more than one force names: most persons are owned by the one that does.
    select
        person_no,
        force_code,
        sum(contribution) as score,
        max(reported_at) as latest_allegation_at
    from {{ ref('scored_allegations') }}
    where is_named_by_several_forces
    group by person_no, force_code
),

owners as (
    -- The force with the largest share of the score; ties to the latest report, then to the code.
    select
        person_no,
        force_code,
        count(*) over (partition by person_no) as n_forces,
        row_number() over (
            partition by person_no
            order by score desc, latest_allegation_at desc, force_code asc
        ) as owner_rank
    from force_scores
),

as_victim as (
    -- Of those who are here: most victims are not, and to tell their crimes apart is what takes long.
    select
        persons.person_no,
        count(distinct victims.offence_id) as n_offences_as_victim
    from {{ ref('national_involvements') }} as victims
    inner join {{ ref('person_multipliers') }} as persons on victims.person_no = persons.person_no
    where victims.role = 'victim'
    group by persons.person_no
),

dated as (
    select
        scores.*,
        gates.person_id,
        multipliers.is_named_by_several_forces,
        gates.is_age_unknown,
        gates.withheld,
        -- Said by a letter; as a truth it takes a tenth of the time to write.
        case gates.in_custody when 'Y' then true when 'N' then false end as is_in_custody,
        multipliers.first_force_code,
        multipliers.multiplier,
        multipliers.n_incidents,
        multipliers.n_non_crime_incidents,
        multipliers.n_victims,
        {{ dbt.datediff('scores.latest_reported_at', 'run.ranked_at', 'day') }}
            as days_since_report,
        -- The latest report says whether there is a recent one.
        coalesce(
            scores.latest_reported_at
            > {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }},
            false
        ) as is_recent
    from scores
    inner join {{ ref('person_multipliers') }} as multipliers on scores.person_no = multipliers.person_no
    inner join {{ ref('national_person_gates') }} as gates on scores.person_no = gates.person_no
    cross join {{ ref('national_run') }} as run
    cross join parameters
),

-- What is told of few, in one row a person: everybody is matched with it once.
told as (
    select
        person_id,
        list_decision,
        0 as is_withdrawn
    from {{ ref('national_list_decisions') }}

    union all

    select
        person_id,
        null as list_decision,
        1 as is_withdrawn
    from {{ ref('withdrawn_allegations') }}
),

noted as (
    select
        person_id,
        max(list_decision) as list_decision,
        max(is_withdrawn) as is_withdrawn
    from told
    group by person_id
),

-- The peer, recency x frequency x gravity in bands. Bands are looked up for the few values there are, not for each
-- person; the values are asked of single columns, so that what is known of each person is never kept beside.
days as (
    select
        {{ dbt.datediff('allegations.reported_at', 'run.ranked_at', 'day') }}
            as days_since_report
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join {{ ref('national_run') }} as run
),

recency as ({{ points_of('days', 'days_since_report', 'recency') }}),

frequency as ({{ points_of(ref('person_multipliers'), 'n_incidents', 'frequency') }}),

severities as (
    select severity_days as max_severity_days
    from {{ ref('national_vawg_allegations') }}
),

gravity as ({{ points_of('severities', 'max_severity_days', 'gravity') }}),

judged as (
    select
        dated.*,
        cast(
            case
                when dated.n_counted > 0 then coalesce(recency.points * frequency.points * gravity.points, 0)
                else 0
            end as bigint
        ) as score_rfg,
        coalesce(owners.force_code, dated.first_force_code) as owner_force_code,
        coalesce(owners.n_forces, 1) as n_forces,
        coalesce(as_victim.n_offences_as_victim, 0) as n_offences_as_victim,
        noted.list_decision,
        case when dated.score > 0 then cast(dated.score_outcome_unknown as double precision) / dated.score end
            as outcome_unknown_share,
        dated.n_in_harm_window >= parameters.harm_min_incidents as is_repeat_in_harm_window,
        -- What keeps them off the list apart from a doubt about who they are; the first that applies.
        case
            when dated.is_age_unknown then 'age_unknown'
            when dated.n_counted = 0 then 'no_counted_allegation'
            when dated.n_incidents < parameters.min_incidents then 'too_few_incidents'
            when not dated.is_recent then 'no_recent_incident'
            when not coalesce(dated.best_link_probability >= parameters.min_link_probability, false)
                then 'link_too_uncertain'
            when dated.is_in_custody then 'in_custody'
            when
                dated.score_outcome_unknown > dated.score * cast(parameters.max_outcome_unknown_share as decimal(9, 4))
                then 'outcome_unknown'
            when noted.is_withdrawn = 1 then 'evidence_withdrawn'
        end as other_reason
    from dated
    left join owners on dated.person_no = owners.person_no and owners.owner_rank = 1
    left join recency on dated.days_since_report = recency.days_since_report
    left join frequency on dated.n_incidents = frequency.n_incidents
    left join gravity on dated.max_severity_days = gravity.max_severity_days
    left join as_victim on dated.person_no = as_victim.person_no
    left join noted on dated.person_id = noted.person_id
    cross join parameters
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
    reasoned.person_no,
    reasoned.is_named_by_several_forces,
    case
        when reasoned.status_reason is null then 'listed'
        when
            reasoned.status_reason in (
                'disputed', 'identity_under_review', 'deferred_by_review', 'age_unknown', 'in_custody', 'outcome_unknown',
                'evidence_withdrawn'
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
    reasoned.n_in_harm_window,
    reasoned.n_severity_unmapped,
    reasoned.latest_reported_at,
    reasoned.latest_serious_reported_at,
    reasoned.max_severity_days,
    reasoned.best_link_probability,
    reasoned.outcome_unknown_share,
    reasoned.is_in_custody,
    reasoned.n_offences_as_victim
from reasoned
