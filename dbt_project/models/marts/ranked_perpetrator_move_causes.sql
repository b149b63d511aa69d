-- Grain: person of ranked_perpetrator_movers x cause that made a difference. The points of a person sum to the change of
-- their score exactly; the listed points to the change of what they have on the list, where who is not listed has nothing.
--
-- The terms of the previous release are replaced by today's, one group at a time in the order of `move_causes`, and the
-- whole score, with N, V and the multiplier, is made anew at each step. What a step changes is what its cause did.
{% set step = {'parameters': 1, 'decay': 2, 'record': 3, 'outcome': 4, 'link': 5, 'new_allegation': 6, 'gate': 7} %}
with parameters as (
    {{ ranking_parameters([
        'severity_exponent',
        'half_life_days',
        'multiplier_exponent',
        'multiplier_cap',
        'window_months',
        'cut_months',
        'min_incidents',
        'incidents_count_in_n',
    ]) }}
),

persons as (
    {{ then_and_now() }}
),

bounds as (
    -- The days that bound a window: then and now, both by today's parameters.
    select
        run.ranked_at,
        {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as window_from,
        {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as cut_from,
        {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'releases.ranked_at') }}
            as previous_window_from
    from {{ ref('national_run') }} as run
    cross join {{ ref('stg_run__previous_release') }} as releases
    cross join parameters
),

before as (
    select
        offences.*,
        persons.has_same_parameters,
        persons.has_same_weights,
        persons.previous_n_victims
    from {{ ref('stg_run__previous_ranked_perpetrator_offences') }} as offences
    inner join persons on offences.person_id = persons.person_id
),

after as (
    select offences.*
    from {{ ref('ranked_perpetrator_offences') }} as offences
    inner join persons on offences.person_id = persons.person_id
),

came_from_another as (
    -- What the previous release had as an allegation against another person, by the same nominal.
    select distinct
        after.person_id,
        after.offence_id
    from after
    inner join {{ ref('stg_run__previous_ranked_perpetrator_offences') }} as elsewhere
        on after.offence_id = elsewhere.offence_id and after.record_id = elsewhere.record_id
    where after.person_id <> elsewhere.person_id
),

named_then as (
    select
        person_id,
        offence_id,
        {{ unnested('victim_ids') }} as victim_id
    from before
),

victims_at_least as (
    -- As in the score, one blank stands for all those without a nominal: a crime that names nobody has one.
    select
        person_id,
        offence_id,
        victim_id
    from named_then

    union all

    select
        before.person_id,
        before.offence_id,
        '' as victim_id
    from before
    left join named_then on before.person_id = named_then.person_id and before.offence_id = named_then.offence_id
    where named_then.victim_id is null
),

short_of_victims as (
    -- The list of then counted one more: a crime that names a victim has another without a nominal. It does not say which.
    select before.person_id
    from before
    inner join victims_at_least as victims
        on before.person_id = victims.person_id and before.offence_id = victims.offence_id
    where before.is_counted and before.is_in_window
    group by before.person_id
    having count(distinct victims.victim_id) < max(before.previous_n_victims)
),

victims_before as (
    select
        person_id,
        offence_id,
        victim_id
    from victims_at_least

    union all

    select
        before.person_id,
        before.offence_id,
        '' as victim_id
    from before
    inner join short_of_victims on before.person_id = short_of_victims.person_id
),

victims_after as (
    select
        person_id,
        offence_id,
        {{ unnested('victim_ids') }} as victim_id
    from after

    union all

    select distinct
        after.person_id,
        after.offence_id,
        '' as victim_id
    from after
    inner join {{ ref('national_involvements') }} as victims on after.offence_id = victims.offence_id
    where victims.role = 'victim' and victims.sex = 'F' and victims.person_id is null
),

who_they_are as (
    -- The victims named then, by the ids of today.
    select
        named_then.person_id,
        named_then.offence_id,
        {{ distinct_list('coalesce(people.today_person_id, named_then.victim_id)') }} as victim_ids
    from named_then
    left join {{ ref('national_previous_persons') }} as people on named_then.victim_id = people.previous_person_id
    group by named_then.person_id, named_then.offence_id
),

terms as (
    select
        coalesce(after.person_id, before.person_id) as person_id,
        coalesce(after.offence_id, before.offence_id) as offence_id,
        before.offence_id is not null as was_there,
        after.offence_id is not null as is_there,
        -- What is no more: another's now, or with the person; past the six years; or no such allegation in the record.
        case
            when before.offence_id is null or after.offence_id is not null then null
            when records.person_id <> before.person_id then 'link'
            when persons.is_gated then 'gate'
            when before.reported_at <= bounds.cut_from then 'decay'
            else 'record'
        end as left_by,
        case
            when before.offence_id is not null then null
            when came_from_another.offence_id is not null then 'link'
            when persons.was_child and after.reported_at <= persons.previous_ranked_at then 'gate'
            else 'new_allegation'
        end as came_by,
        before.offence_code <> after.offence_code
        or before.severity_days <> after.severity_days and before.has_same_weights
        or before.reported_at <> after.reported_at
        or coalesce(who_they_are.victim_ids, {{ empty_list(dbt.type_string()) }}) <> after.victim_ids
            as is_record_changed,
        before.outcome_weight <> after.outcome_weight or before.is_counted <> after.is_counted as is_outcome_changed,
        before.link_probability <> after.link_probability as is_link_changed,
        -- The same women under other ids are a matter of who is who; others are a matter of the record.
        case
            when coalesce(who_they_are.victim_ids, {{ empty_list(dbt.type_string()) }}) = after.victim_ids
                then {{ step.link }}
            else {{ step.record }}
        end as victims_change_at,
        case
            when before.has_same_weights then before.severity_days
            else coalesce(weights.cchi_days, before.severity_days)
        end as severity_days_then,
        after.severity_days as severity_days_now,
        case
            when before.has_same_parameters then before.decay
            else power(cast(2 as double precision), -before.age_days / parameters.half_life_days)
        end as decay_then,
        case
            when before.reported_at = after.reported_at then after.decay
            else
                power(
                    cast(2 as double precision),
                    -(
                        {{ dbt.datediff('before.reported_at', 'bounds.ranked_at', 'second') }}
                        / 86400.0
                    )
                    / parameters.half_life_days
                )
        end as decay_aged,
        after.decay as decay_now,
        case
            when before.has_same_parameters then before.is_in_window
            else before.reported_at > bounds.previous_window_from
        end as is_in_window_then,
        before.reported_at > bounds.window_from as is_in_window_aged,
        after.is_in_window as is_in_window_now,
        before.outcome_weight as outcome_weight_then,
        after.outcome_weight as outcome_weight_now,
        before.is_counted as is_counted_then,
        after.is_counted as is_counted_now,
        before.link_probability as link_probability_then,
        after.link_probability as link_probability_now
    from before
    full outer join after on before.person_id = after.person_id and before.offence_id = after.offence_id
    inner join persons on coalesce(after.person_id, before.person_id) = persons.person_id
    cross join bounds
    cross join parameters
    left join {{ ref('national_person_records') }} as records on before.record_id = records.record_id
    left join came_from_another
        on after.person_id = came_from_another.person_id and after.offence_id = came_from_another.offence_id
    left join who_they_are
        on before.person_id = who_they_are.person_id and before.offence_id = who_they_are.offence_id
    left join {{ ref('harm_weights') }} as weights on before.offence_code = weights.offence_code
),

causes as (
    select
        cause,
        cause_no
    from {{ ref('move_causes') }}
    where cause_no <= {{ step | length }}
),

steps as (
    -- Every allegation that is there at a step.
    select
        terms.*,
        causes.cause_no
    from terms
    cross join causes
    left join {{ ref('move_causes') }} as coming on terms.came_by = coming.cause
    left join {{ ref('move_causes') }} as leaving on terms.left_by = leaving.cause
    where
        causes.cause_no >= coalesce(coming.cause_no, 0)
        and causes.cause_no < coalesce(leaving.cause_no, 99)
),

stepped as (
    select
        steps.person_id,
        steps.offence_id,
        steps.cause_no,
        {{ then_or_now('steps.severity_days_then', 'steps.severity_days_now', step.record) }} as severity_days,
        case
            when steps.was_there and steps.cause_no < {{ step.decay }} then steps.decay_then
            else {{ then_or_now('steps.decay_aged', 'steps.decay_now', step.record) }}
        end as decay,
        case
            when steps.was_there and steps.cause_no < {{ step.decay }} then steps.is_in_window_then
            else {{ then_or_now('steps.is_in_window_aged', 'steps.is_in_window_now', step.record) }}
        end as is_in_window,
        {{ then_or_now('steps.outcome_weight_then', 'steps.outcome_weight_now', step.outcome) }} as outcome_weight,
        {{ then_or_now('steps.is_counted_then', 'steps.is_counted_now', step.outcome) }} as is_counted,
        {{ then_or_now('steps.link_probability_then', 'steps.link_probability_now', step.link) }} as link_probability,
        {{ then_or_now("'before'", "'after'", 'steps.victims_change_at') }} as victims_of
    from steps
),

victims as (
    select
        person_id,
        offence_id,
        victim_id,
        'before' as victims_of
    from victims_before

    union all

    select
        person_id,
        offence_id,
        victim_id,
        'after' as victims_of
    from victims_after
),

incident_counts as (
    select
        person_id,
        cause_no,
        count(*) as n_incidents
    from stepped
    where is_counted and is_in_window
    group by person_id, cause_no
),

victim_counts as (
    select
        stepped.person_id,
        stepped.cause_no,
        count(distinct victims.victim_id) as n_victims
    from stepped
    inner join victims
        on
            stepped.person_id = victims.person_id
            and stepped.offence_id = victims.offence_id
            and stepped.victims_of = victims.victims_of
    where stepped.is_counted and stepped.is_in_window
    group by stepped.person_id, stepped.cause_no
),

non_crime_incidents as (
    -- Incidents that are no crime come as new allegations do, and go with time.
    select
        persons.person_id,
        causes.cause_no,
        case
            when
                causes.cause_no
                >= case
                    when persons.n_non_crime_incidents < persons.previous_n_non_crime_incidents then {{ step.decay }}
                    else {{ step.new_allegation }}
                end
                then persons.n_non_crime_incidents
            else persons.previous_n_non_crime_incidents
        end as n_non_crime_incidents
    from persons
    cross join causes
),

step_scores as (
    -- The expression of the score: the same numbers in the same order give the same decimals.
    select
        stepped.person_id,
        stepped.cause_no,
        sum(
            cast(
                {{ ranking_multiplier(
                    'coalesce(incident_counts.n_incidents, 0)'
                    ~ ' + parameters.incidents_count_in_n * non_crime_incidents.n_non_crime_incidents',
                    'coalesce(victim_counts.n_victims, 0)',
                ) }}
                * power(stepped.severity_days, parameters.severity_exponent)
                * stepped.decay
                * stepped.outcome_weight
                * stepped.link_probability
                as decimal(28, 12)
            )
        ) as score
    from stepped
    inner join non_crime_incidents
        on stepped.person_id = non_crime_incidents.person_id and stepped.cause_no = non_crime_incidents.cause_no
    cross join parameters
    left join incident_counts
        on stepped.person_id = incident_counts.person_id and stepped.cause_no = incident_counts.cause_no
    left join victim_counts
        on stepped.person_id = victim_counts.person_id and stepped.cause_no = victim_counts.cause_no
    group by stepped.person_id, stepped.cause_no
),

spine as (
    -- Every person at every step. The last is the score as it is published, so that the sum is exact whatever happens.
    select
        persons.person_id,
        persons.previous_score,
        persons.score as score_now,
        persons.previous_n_incidents,
        persons.was_listed,
        persons.is_listed,
        case when persons.is_listed then persons.previous_status_reason else persons.status_reason end as reason,
        causes.cause,
        causes.cause_no,
        case
            when causes.cause_no = {{ step.gate }} then persons.score
            else cast(coalesce(step_scores.score, 0) as decimal(28, 12))
        end as score,
        coalesce(incident_counts.n_incidents, 0) as n_incidents
    from persons
    cross join causes
    left join step_scores
        on persons.person_id = step_scores.person_id and causes.cause_no = step_scores.cause_no
    left join incident_counts
        on persons.person_id = incident_counts.person_id and causes.cause_no = incident_counts.cause_no
),

changes as (
    select
        spine.*,
        spine.score
        - coalesce(
            lag(spine.score) over (
                partition by spine.person_id
                order by spine.cause_no asc
            ),
            spine.previous_score
        ) as points,
        coalesce(
            lag(spine.n_incidents) over (
                partition by spine.person_id
                order by spine.cause_no asc
            ),
            spine.previous_n_incidents
        ) as n_incidents_before
    from spine
),

turning as (
    -- At which step the incidents became too few, or enough.
    select
        changes.person_id,
        max(changes.cause_no) as cause_no
    from changes
    cross join parameters
    where
        changes.was_listed <> changes.is_listed
        and (changes.n_incidents >= parameters.min_incidents) = changes.is_listed
        and (changes.n_incidents_before >= parameters.min_incidents) = changes.was_listed
    group by changes.person_id
),

listings as (
    -- What brought a person onto the list or took them off it, and what that is worth: who is not listed has nothing there.
    select distinct
        changes.person_id,
        case
            when changes.reason in ('too_few_incidents', 'no_counted_allegation')
                then coalesce(turned_by.cause, reasons.cause)
            else reasons.cause
        end as cause,
        case when changes.is_listed then changes.previous_score else -changes.score_now end as listed_points
    from changes
    left join turning on changes.person_id = turning.person_id
    left join {{ ref('move_causes') }} as turned_by on turning.cause_no = turned_by.cause_no
    left join {{ ref('move_reasons') }} as reasons on changes.reason = reasons.status_reason
    where changes.was_listed <> changes.is_listed and changes.reason is not null
),

touched as (
    select
        person_id,
        offence_id,
        coalesce(left_by, came_by) as cause
    from terms
    where left_by is not null or came_by is not null
    {% for cause in ['record', 'outcome', 'link'] %}
        union all
        select
            person_id,
            offence_id,
            '{{ cause }}' as cause
        from terms
        where was_there and is_there and is_{{ cause }}_changed
    {% endfor %}
),

touched_offences as (
    select
        person_id,
        cause,
        {{ distinct_list('offence_id') }} as offence_ids
    from touched
    group by person_id, cause
)

select
    persons.person_id,
    causes.cause,
    cast(causes.cause_no as bigint) as cause_no,
    causes.label as cause_label,
    cast(coalesce(changes.points, 0) as decimal(28, 12)) as points,
    cast(coalesce(changes.points, 0) + coalesce(listings.listed_points, 0) as decimal(28, 12)) as listed_points,
    listings.person_id is not null as is_cause_of_listing,
    coalesce(touched_offences.offence_ids, {{ empty_list(dbt.type_string()) }}) as offence_ids
from persons
cross join {{ ref('move_causes') }} as causes
left join changes on persons.person_id = changes.person_id and causes.cause = changes.cause
left join listings on persons.person_id = listings.person_id and causes.cause = listings.cause
left join touched_offences
    on persons.person_id = touched_offences.person_id and causes.cause = touched_offences.cause
where
    changes.points <> 0
    or listings.person_id is not null
    or touched_offences.person_id is not null
