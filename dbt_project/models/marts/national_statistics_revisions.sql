-- Grain: month x force or nation x definition x threat x cause: how the recorded crimes of a month that the previous release
-- gave are another number today, and which changes of crimes made them so. Causes sum to the difference. No row where nothing
-- changed, or where the release before kept no states.
with parameters as (
    {{ statistics_parameters(['revision_months']) }}
),

before as (
    select
        states.*,
        releases.release_id,
        releases.period as release_period
    from {{ ref('stg_run__previous_offence_scope_states') }} as states
    cross join {{ ref('stg_run__previous_release') }} as releases
),

release_before as (
    select
        release_id,
        release_period,
        -- Both releases know each month from here on.
        greatest(
            min(recorded_month),
            cast({{ dbt.dateadd('month', '1 - cast(max(parameters.revision_months) as integer)', 'max(run.period)') }} as date)
        ) as first_month
    from before
    cross join {{ ref('national_run') }} as run
    cross join parameters
    group by release_id, release_period
),

covered_before as (
    select distinct
        force_code,
        recorded_month
    from before
    where is_counted
),

resent as (
    select submission_id
    from {{ ref('national_submissions') }}
    where sequence > 1
),

today as (
    select
        states.*,
        resent.submission_id is not null as is_resent
    from {{ ref('offence_scope_states') }} as states
    inner join {{ ref('national_offences') }} as offences on states.offence_id = offences.offence_id
    left join resent on offences.submission_id = resent.submission_id
),

changed as (
    select
        release_before.release_id,
        release_before.release_period,
        release_before.first_month,
        before.force_code as force_code_before,
        before.recorded_month as month_before,
        coalesce(before.is_counted, false) as was_counted,
        before.definitions as definitions_before,
        before.threats as threats_before,
        today.force_code,
        today.recorded_month,
        coalesce(today.is_counted, false) as is_counted,
        today.definitions,
        today.threats,
        case
            when not coalesce(before.is_counted, false) and covered_before.force_code is null then 'return_came_in'
            when before.offence_id is null and today.is_resent then 'force_resent'
            when before.offence_id is null then 'recorded_late'
            when before.is_counted <> coalesce(today.is_counted, false) then 'cancelled'
            when before.recorded_month <> today.recorded_month then 'month_changed'
            when before.offence_code <> today.offence_code then 'reclassified'
            when before.definition_versions <> today.definition_versions then 'definition_version'
            else 'flag_or_victim_changed'
        end as cause
    from before
    full outer join today on before.offence_id = today.offence_id
    cross join release_before
    left join covered_before
        on today.force_code = covered_before.force_code and today.recorded_month = covered_before.recorded_month
    where
        (coalesce(before.is_counted, false) or coalesce(today.is_counted, false))
        and (
            coalesce(before.is_counted, false) <> coalesce(today.is_counted, false)
            or before.recorded_month <> today.recorded_month
            or before.definitions <> today.definitions
            or before.threats <> today.threats
        )
),

memberships as (
    {#- What it added then counts off, what it adds today on. #}
    select
        release_id,
        release_period,
        first_month,
        force_code_before as force_code,
        month_before as recorded_month,
        definitions_before as definitions,
        threats_before as threats,
        cause,
        -1 as weight
    from changed
    where was_counted

    union all

    select
        release_id,
        release_period,
        first_month,
        force_code,
        recorded_month,
        definitions,
        threats,
        cause,
        1 as weight
    from changed
    where is_counted
),

grouped as (
    select
        release_id,
        force_code,
        recorded_month,
        definitions,
        threats,
        cause,
        sum(weight) as n_change
    from memberships
    where recorded_month between first_month and release_period
    group by release_id, force_code, recorded_month, definitions, threats, cause
),

counted_before as (
    select
        force_code,
        recorded_month,
        definitions,
        threats,
        count(*) as n_before
    from before
    where is_counted
    group by force_code, recorded_month, definitions, threats
),

both_kinds as (
    select
        release_id,
        force_code,
        recorded_month,
        definitions,
        threats,
        cause,
        n_change,
        0 as n_before
    from grouped

    union all

    select
        release_before.release_id,
        counted_before.force_code,
        counted_before.recorded_month,
        counted_before.definitions,
        counted_before.threats,
        null as cause,
        0 as n_change,
        counted_before.n_before
    from counted_before
    cross join release_before
),

threat_names as (
    select scope_id as threat
    from {{ ref('scope_bits') }}
    where kind = 'threat'

    union all

    select 'all' as threat
),

spread as (
    select
        both_kinds.release_id,
        both_kinds.force_code,
        both_kinds.recorded_month,
        definitions.scope_id as definition_id,
        threat_names.threat,
        both_kinds.cause,
        sum(both_kinds.n_change) as n_change,
        sum(both_kinds.n_before) as n_before
    from both_kinds
    inner join {{ ref('scope_bits') }} as definitions
        on
            definitions.kind = 'definition'
            and ', ' || both_kinds.definitions || ', ' like '%, ' || definitions.scope_id || ', %'
    inner join threat_names
        on threat_names.threat = 'all' or ', ' || both_kinds.threats || ', ' like '%, ' || threat_names.threat || ', %'
    group by
        both_kinds.release_id,
        both_kinds.force_code,
        both_kinds.recorded_month,
        definitions.scope_id,
        threat_names.threat,
        both_kinds.cause
),

placed as (
    select * from spread

    union all

    select
        release_id,
        'national' as force_code,
        recorded_month,
        definition_id,
        threat,
        cause,
        sum(n_change) as n_change,
        sum(n_before) as n_before
    from spread
    group by release_id, recorded_month, definition_id, threat, cause
),

totalled as (
    select
        placed.*,
        sum(n_before) over (partition by force_code, recorded_month, definition_id, threat) as previous_value
    from placed
),

todays as (
    select
        force_code,
        recorded_month,
        definition_id,
        threat,
        n_offences
    from {{ ref('offence_counts') }}
    where breakdown = 'none'

    union all

    select
        'national' as force_code,
        recorded_month,
        definition_id,
        threat,
        sum(n_offences) as n_offences
    from {{ ref('offence_counts') }}
    where breakdown = 'none'
    group by recorded_month, definition_id, threat
)

select
    totalled.recorded_month as period,
    totalled.force_code,
    totalled.definition_id,
    totalled.threat,
    totalled.release_id as previous_release,
    totalled.cause,
    causes.label as cause_in_words,
    cast(totalled.previous_value as bigint) as previous_value,
    cast(coalesce(todays.n_offences, 0) as bigint) as value,
    cast(coalesce(todays.n_offences, 0) - totalled.previous_value as bigint) as difference,
    cast(totalled.n_change as bigint) as cause_change
from totalled
inner join {{ ref('revision_causes') }} as causes on totalled.cause = causes.cause
left join todays
    on
        totalled.force_code = todays.force_code
        and totalled.recorded_month = todays.recorded_month
        and totalled.definition_id = todays.definition_id
        and totalled.threat = todays.threat
where totalled.n_change <> 0
