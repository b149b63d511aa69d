-- Grain: person x thing that happened to them, in one role: suspect here, victim there. By the end of the run's month.
-- Crimes are those in the NPCC scope and others against a person; what bears on neither is left out.
with parameters as (
    {{ ranking_parameters(['cut_months']) }}
),

scoped as (
    select distinct offence_id
    from {{ ref('national_offence_scopes') }}
    where definition_id = 'npcc_policing_scope' and threat = 'all'
),

threats as (
    select
        offence_id,
        {{ distinct_list('threat') }} as threats
    from {{ ref('national_offence_scopes') }}
    where definition_id = 'npcc_policing_scope' and threat <> 'all'
    group by offence_id
),

crimes as (
    select
        offences.offence_id,
        offences.force_code,
        offences.crime_ref,
        offences.committed_from,
        offences.reported_at,
        offences.outcome_code,
        offences.outcome_on,
        scoped.offence_id is not null as is_in_scope,
        coalesce(threats.threats, {{ empty_list(dbt.type_string()) }}) as threats,
        codes.label
        || ' ('
        || offences.offence_code
        || ')'
        || case when offences.is_counted then '' else '. ' || statuses.label end
        || '. Outcome: '
        || outcomes.label as crime_in_words
    from {{ ref('national_offences') }} as offences
    cross join {{ ref('national_run') }} as run
    cross join parameters
    left join scoped on offences.offence_id = scoped.offence_id
    left join threats on offences.offence_id = threats.offence_id
    left join {{ ref('offence_codes') }} as codes on offences.offence_code = codes.code
    left join {{ ref('outcome_codes') }} as outcomes on offences.outcome_code = outcomes.code
    left join {{ ref('crime_statuses') }} as statuses on offences.status = statuses.code
    where
        (scoped.offence_id is not null or offences.is_against_a_person)
        and offences.committed_from <= run.ranked_at
        and offences.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}
),

victims as (
    select
        person_id,
        offence_id,
        min(role_no) as victim_no
    from {{ ref('national_involvements') }}
    where role = 'victim' and person_id is not null
    group by person_id, offence_id
),

risks as (
    -- The highest grade among the victims of a crime.
    select
        victims.offence_id,
        grades.code as dash_risk,
        row_number() over (
            partition by victims.offence_id
            order by grades.min_yes desc
        ) as risk_rank
    from {{ ref('national_involvements') }} as victims
    inner join {{ ref('dash_risks') }} as grades on victims.dash_risk = grades.code
    where victims.role = 'victim'
),

victims_of as (
    select
        suspects.person_id,
        suspects.offence_id,
        {{ distinct_list('victims.person_id') }} as other_person_ids
    from {{ ref('national_allegations') }} as suspects
    inner join victims on suspects.offence_id = victims.offence_id and suspects.person_id <> victims.person_id
    group by suspects.person_id, suspects.offence_id
),

suspects_of as (
    select
        victims.person_id,
        victims.offence_id,
        {{ distinct_list('suspects.person_id') }} as other_person_ids
    from victims
    inner join {{ ref('national_allegations') }} as suspects
        on victims.offence_id = suspects.offence_id and victims.person_id <> suspects.person_id
    group by victims.person_id, victims.offence_id
),

incident_roles as (
    select
        incident_id,
        suspect_person_id as person_id,
        'suspect' as role,
        victim_person_id as other_person_id
    from {{ ref('national_incidents') }}

    union all

    select
        incident_id,
        victim_person_id as person_id,
        'victim' as role,
        suspect_person_id as other_person_id
    from {{ ref('national_incidents') }}
),

order_changes as (
    {# What happened to an order, each once: its states repeat what was so before. #}
    {% for kind, day, words in [
        ('order_granted', 'granted_on', 'granted'),
        ('order_varied', 'varied_on', 'varied'),
        ('order_rescinded', 'rescinded_on', 'discharged early'),
    ] %}
        select distinct
            order_id,
            '{{ kind }}' as event_kind,
            ': {{ words }}' as happened,
            {{ day }} as event_on,
            cast(null as {{ dbt.type_string() }}) as offence_id
        from {{ ref('national_protective_order_states') }}
        where {{ day }} is not null

        union all
    {% endfor %}
    select
        order_id,
        'order_expired' as event_kind,
        ': last day in force' as happened,
        expires_on as event_on,
        cast(null as {{ dbt.type_string() }}) as offence_id
    from {{ ref('national_protective_orders') }}
    where expires_on is not null and (rescinded_on is null or rescinded_on > expires_on)

    union all

    select distinct
        states.order_id,
        'order_breached' as event_kind,
        ': breached' as happened,
        cast(crimes.committed_from as date) as event_on,
        states.breach_offence_id as offence_id
    from {{ ref('national_protective_order_states') }} as states
    left join {{ ref('national_offences') }} as crimes on states.breach_offence_id = crimes.offence_id
    where states.breach_offence_id is not null
),

order_roles as (
    select
        order_id,
        respondent_person_id as person_id,
        'respondent' as role,
        protected_person_id as other_person_id
    from {{ ref('national_protective_orders') }}

    union all

    select
        order_id,
        protected_person_id as person_id,
        'protected person' as role,
        respondent_person_id as other_person_id
    from {{ ref('national_protective_orders') }}
),

spell_changes as (
    select
        person_id,
        record_id,
        force_code,
        scheme_code,
        managed_from_on,
        'management_started' as event_kind,
        managed_from_on as event_on
    from {{ ref('national_offender_management') }}

    union all

    select
        person_id,
        record_id,
        force_code,
        scheme_code,
        managed_from_on,
        'management_ended' as event_kind,
        managed_to_on as event_on
    from {{ ref('national_offender_management') }}
    where managed_to_on is not null
),

events as (
    select
        suspects.person_id,
        'crime' as event_kind,
        'suspect' as role,
        suspects.offence_id as thing_id,
        crimes.force_code,
        crimes.crime_ref as source_ref,
        suspects.offence_id,
        cast(crimes.committed_from as date) as event_on,
        crimes.committed_from as event_at,
        risks.dash_risk,
        cast(null as {{ dbt.type_string() }}) as children_present,
        victims_of.other_person_ids,
        'Suspect of: ' || crimes.crime_in_words || '. Stands as: ' || suspects.standing_in_words as event_in_words
    from {{ ref('national_allegations') }} as suspects
    inner join crimes on suspects.offence_id = crimes.offence_id
    left join victims_of on suspects.person_id = victims_of.person_id and suspects.offence_id = victims_of.offence_id
    left join risks on suspects.offence_id = risks.offence_id and risks.risk_rank = 1

    union all

    select
        victims.person_id,
        'crime' as event_kind,
        'victim' as role,
        victims.offence_id as thing_id,
        crimes.force_code,
        crimes.crime_ref as source_ref,
        victims.offence_id,
        cast(crimes.committed_from as date) as event_on,
        crimes.committed_from as event_at,
        risks.dash_risk,
        cast(null as {{ dbt.type_string() }}) as children_present,
        suspects_of.other_person_ids,
        'Victim of: ' || crimes.crime_in_words as event_in_words
    from victims
    inner join crimes on victims.offence_id = crimes.offence_id
    left join suspects_of on victims.person_id = suspects_of.person_id and victims.offence_id = suspects_of.offence_id
    left join risks on victims.offence_id = risks.offence_id and risks.risk_rank = 1

    union all

    select
        parts.person_id,
        'domestic_incident' as event_kind,
        parts.role,
        incidents.incident_id as thing_id,
        incidents.force_code,
        incidents.incident_ref as source_ref,
        cast(null as {{ dbt.type_string() }}) as offence_id,
        cast(incidents.occurred_at as date) as event_on,
        incidents.occurred_at as event_at,
        incidents.dash_risk,
        incidents.children_present,
        {{ list_of_one('parts.other_person_id') }} as other_person_ids,
        case parts.role when 'suspect' then 'Suspect in' else 'Victim in' end
        || ' a domestic incident that was not recorded as a crime'
        || coalesce('. ' || grades.label, '')
        || case when incidents.children_present = 'Y' then '. Children were there' else '' end as event_in_words
    from incident_roles as parts
    inner join {{ ref('national_incidents') }} as incidents on parts.incident_id = incidents.incident_id
    cross join {{ ref('national_run') }} as run
    cross join parameters
    left join {{ ref('dash_risks') }} as grades on incidents.dash_risk = grades.code
    where
        incidents.occurred_at
        > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }}

    union all

    select
        parts.person_id,
        changes.event_kind,
        parts.role,
        orders.order_id
        || '|'
        || coalesce(changes.offence_id, cast(changes.event_on as {{ dbt.type_string() }})) as thing_id,
        orders.force_code,
        orders.order_ref as source_ref,
        changes.offence_id,
        changes.event_on,
        cast(null as timestamp) as event_at,
        cast(null as {{ dbt.type_string() }}) as dash_risk,
        cast(null as {{ dbt.type_string() }}) as children_present,
        {{ list_of_one('parts.other_person_id') }} as other_person_ids,
        kinds.label
        || case parts.role when 'respondent' then ' against this person' else ' that protects this person' end
        || changes.happened as event_in_words
    from order_roles as parts
    inner join {{ ref('national_protective_orders') }} as orders on parts.order_id = orders.order_id
    inner join order_changes as changes on parts.order_id = changes.order_id
    left join {{ ref('order_types') }} as kinds on orders.order_type = kinds.code

    union all

    select
        changes.person_id,
        changes.event_kind,
        'managed' as role,
        changes.record_id
        || '|'
        || changes.scheme_code
        || '|'
        || cast(changes.managed_from_on as {{ dbt.type_string() }}) as thing_id,
        changes.force_code,
        changes.scheme_code as source_ref,
        cast(null as {{ dbt.type_string() }}) as offence_id,
        changes.event_on,
        cast(null as timestamp) as event_at,
        cast(null as {{ dbt.type_string() }}) as dash_risk,
        cast(null as {{ dbt.type_string() }}) as children_present,
        {{ empty_list(dbt.type_string()) }} as other_person_ids,
        schemes.label
        || case changes.event_kind when 'management_started' then ': began' else ': last day' end as event_in_words
    from spell_changes as changes
    left join {{ ref('management_schemes') }} as schemes on changes.scheme_code = schemes.code

    union all

    -- A return says whether somebody is in custody, not since when: the day is that of the extract, within the month.
    select
        records.person_id,
        'custody_recorded' as event_kind,
        'held' as role,
        records.record_id as thing_id,
        records.force_code,
        records.person_ref as source_ref,
        cast(null as {{ dbt.type_string() }}) as offence_id,
        least(cast(records.extracted_at as date), run.period_end) as event_on,
        cast(null as timestamp) as event_at,
        cast(null as {{ dbt.type_string() }}) as dash_risk,
        cast(null as {{ dbt.type_string() }}) as children_present,
        {{ empty_list(dbt.type_string()) }} as other_person_ids,
        'In custody by the last extract of this nominal; since when is not known' as event_in_words
    from {{ ref('national_person_records') }} as records
    cross join {{ ref('national_run') }} as run
    where records.in_custody = 'Y'
),

standings as (
    select
        person_id,
        offence_id,
        'crime' as event_kind,
        'suspect' as role,
        standing,
        standing_in_words
    from {{ ref('national_allegations') }}
)

select
    events.person_id,
    events.event_kind || '|' || events.role || '|' || events.thing_id as event_id,
    events.event_kind,
    events.role,
    events.event_on,
    events.event_at,
    crimes.reported_at,
    events.force_code,
    events.source_ref,
    events.offence_id,
    crimes.is_in_scope,
    coalesce(crimes.threats, {{ empty_list(dbt.type_string()) }}) as threats,
    standings.standing,
    standings.standing_in_words,
    crimes.outcome_code,
    crimes.outcome_on,
    events.dash_risk,
    events.children_present,
    coalesce(events.other_person_ids, {{ empty_list(dbt.type_string()) }}) as other_person_ids,
    events.event_in_words
from events
cross join {{ ref('national_run') }} as run
left join crimes on events.offence_id = crimes.offence_id
left join standings
    on
        events.person_id = standings.person_id
        and events.offence_id = standings.offence_id
        and events.event_kind = standings.event_kind
        and events.role = standings.role
where
    events.person_id is not null
    and (events.event_on is null or events.event_on <= run.period_end)
