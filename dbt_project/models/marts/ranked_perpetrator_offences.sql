-- Grain: person x crime: one allegation with its terms and what it adds to the person's score; for those who stand on a
-- list of the month, also as it is shown, in a sentence, and where they would stand without it. Rows of a person sum to
-- the score.
-- A view over what the ranking has written: millions of rows are written once, into the release.
{{ config(materialized='view') }}
with women as (
    select
        offence_id,
        role_no,
        person_id
    from {{ ref('national_involvements') }}
    where role = 'victim' and sex = 'F' and person_id is not null
),

-- Most crimes have one victim, the first, and need no sorting.
of_several_victims as (
    select distinct offence_id
    from women
    where role_no <> 1
),

several_victims as (
    select
        women.offence_id,
        {{ distinct_list('women.person_id') }} as victim_ids
    from women
    inner join of_several_victims on women.offence_id = of_several_victims.offence_id
    group by women.offence_id
)

select
    offences.person_id,
    offences.offence_id,
    offences.force_code,
    offences.crime_ref,
    offences.suspect_no,
    offences.record_id,
    offences.offence_code,
    offences.definition_id,
    offences.definition_version,
    offences.committed_from,
    offences.reported_at,
    offences.age_days,
    offences.suspect_status,
    offences.outcome_code,
    offences.outcome_on,
    offences.is_outcome_known,
    offences.n_co_suspects,
    coalesce(several_victims.victim_ids, {{ list_of_one('victims.person_id') }}) as victim_ids,
    offences.severity_days,
    offences.is_severity_mapped,
    offences.weights_version,
    offences.decay,
    offences.outcome_weight,
    offences.link_probability,
    offences.multiplier,
    offences.n_incidents,
    offences.n_non_crime_incidents,
    offences.n_victims,
    offences.is_in_window,
    offences.is_recent,
    offences.is_counted,
    offences.not_counted_reason,
    cast(offences.contribution as decimal(28, 12)) as contribution,
    cast(offences.contribution_grave as decimal(28, 12)) as contribution_grave,
    offences.contribution_gravest_harm,
    explained.points_shown,
    case when offences.score > 0 then cast(offences.contribution as double precision) / offences.score end
        as contribution_share,
    explained.is_listed_without,
    explained.score_without,
    explained.rank_without,
    explained.explanation
from ({{ scored_allegations_of(ref('scored_persons'), with_columns=['score']) }}) as offences
left join women as victims on offences.offence_id = victims.offence_id and victims.role_no = 1
left join several_victims on offences.offence_id = several_victims.offence_id
left join {{ ref('explained_allegations') }} as explained
    on
        offences.person_id = explained.person_id
        and offences.offence_id = explained.offence_id
