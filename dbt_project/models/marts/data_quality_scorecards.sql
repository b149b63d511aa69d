-- Grain: force x check for the run's month. The register of checks crossed with the forces comes first and the results
-- are joined to it, so that a force that sent nothing has its rows too.
with run as (
    select * from {{ ref('national_run') }}
),

forces as ({{ active_forces() }}),

submissions as (
    select submissions.*
    from {{ ref('national_submissions') }} as submissions
    inner join run on submissions.period = run.period
),

returns as (
    select
        forces.force_code,
        count(submissions.submission_id) as n_submissions,
        coalesce(sum(case when submissions.is_in then 1 else 0 end), 0) as n_in,
        min(case when submissions.is_in then submissions.received_at end) as first_in_at,
        coalesce(sum(submissions.n_received), 0) as n_received,
        coalesce(sum(submissions.n_accepted), 0) as n_accepted
    from forces
    left join submissions on forces.force_code = submissions.force_code
    group by forces.force_code
),

findings as (
    select findings.*
    from {{ ref('national_findings') }} as findings
    inner join run on findings.period = run.period
),

register as (
    select
        check_id,
        title,
        dimension,
        unit,
        pass_at,
        attention_at
    from {{ ref('scorecard_checks') }}

    union all

    -- Rules that found something anywhere this month; a force without a finding of one has a full mark.
    select distinct
        'rule:' || findings.extract || ':' || findings.rule as check_id,
        'Rule ' || findings.rule || ' (' || findings.extract || ')' as title,
        case when findings.severity = 'error' then 'conformance' else 'plausibility' end as dimension,
        case when findings.extract = 'submission' then 'submission' else 'row' end as unit,
        0.98 as pass_at,
        0.96 as attention_at
    from findings
),

rows_received as (
    select
        submissions.force_code,
        received.extract,
        sum(received.n_received) as n_received
    from submissions
    inner join {{ ref('national_submission_rows') }} as received on submissions.submission_id = received.submission_id
    group by submissions.force_code, received.extract
),

offences as (
    select offences.*
    from {{ ref('national_offences') }} as offences
    inner join run on offences.submission_period = run.period
    where offences.is_counted
),

involvements as (
    select involvements.*
    from {{ ref('national_involvements') }} as involvements
    inner join run on involvements.submission_period = run.period
),

named_suspects as (
    select
        involvements.force_code,
        records.date_of_birth,
        records.has_strong_identifier,
        records.in_custody
    from involvements
    inner join {{ ref('national_person_records') }} as records on involvements.record_id = records.record_id
    where involvements.role = 'suspect'
),

rules as (
    select distinct
        extract,
        rule,
        'rule:' || extract || ':' || rule as check_id
    from findings
),

broken as (
    select
        force_code,
        extract,
        rule,
        sum(n_rows) as n_rows
    from findings
    group by force_code, extract, rule
),

rule_results as (
    select
        returns.force_code,
        rules.check_id,
        case
            when rules.extract = 'submission' then returns.n_submissions
            else coalesce(rows_received.n_received, 0)
        end as n_checked,
        coalesce(broken.n_rows, 0) as n_broken
    from returns
    cross join rules
    left join rows_received
        on returns.force_code = rows_received.force_code and rules.extract = rows_received.extract
    left join broken
        on
            returns.force_code = broken.force_code
            and rules.extract = broken.extract
            and rules.rule = broken.rule
),

results as (
    select
        force_code,
        'submission_received' as check_id,
        1 as n_checked,
        case when n_in > 0 then 1 else 0 end as n_passed
    from returns

    union all

    select
        returns.force_code,
        'submission_on_time' as check_id,
        1 as n_checked,
        case
            when cast(returns.first_in_at as date) <= cast({{ dbt.dateadd('day', 10, 'run.period_end') }} as date) then 1
            else 0
        end as n_passed
    from returns
    cross join run

    union all

    select
        force_code,
        'rows_accepted' as check_id,
        n_received as n_checked,
        n_accepted as n_passed
    from returns

    union all

    select
        force_code,
        'recorded_within_24_hours' as check_id,
        count(*) as n_checked,
        sum(case when recorded_at <= {{ dbt.dateadd('hour', 24, 'reported_at') }} then 1 else 0 end) as n_passed
    from offences
    group by force_code

    union all

    select
        mappings.force_code,
        case mappings.field
            when 'location_type' then 'location_mapped'
            when 'relationship' then 'relationship_mapped'
            else 'flag_mapped'
        end as check_id,
        sum(mappings.n_rows) as n_checked,
        sum(case when mappings.national_code is not null then mappings.n_rows else 0 end) as n_passed
    from {{ ref('national_value_mappings') }} as mappings
    inner join run on mappings.period = run.period
    group by mappings.force_code, mappings.field

    union all

    select
        force_code,
        'location_known' as check_id,
        count(*) as n_checked,
        sum(case when location_type <> 'UNK' then 1 else 0 end) as n_passed
    from offences
    group by force_code

    union all

    select
        relationships.force_code,
        'relationship_known' as check_id,
        count(*) as n_checked,
        sum(case when relationships.relationship <> 'UNK' then 1 else 0 end) as n_passed
    from {{ ref('national_relationships') }} as relationships
    inner join run on relationships.submission_period = run.period
    group by relationships.force_code

    union all

    select
        force_code,
        'victim_sex_known' as check_id,
        count(*) as n_checked,
        sum(case when sex <> 'U' then 1 else 0 end) as n_passed
    from involvements
    where role = 'victim' and is_person
    group by force_code

    union all

    select
        force_code,
        'victim_age_known' as check_id,
        count(*) as n_checked,
        sum(case when age is not null then 1 else 0 end) as n_passed
    from involvements
    where role = 'victim' and is_person
    group by force_code

    union all

    select
        force_code,
        'suspect_identified' as check_id,
        count(*) as n_checked,
        sum(case when n_identified_suspects > 0 then 1 else 0 end) as n_passed
    from offences
    where is_against_a_person
    group by force_code

    union all

    select
        offences.force_code,
        'severity_mapped' as check_id,
        count(*) as n_checked,
        sum(case when weights.mapping_status = 'mapped' then 1 else 0 end) as n_passed
    from offences
    left join {{ ref('harm_weights') }} as weights on offences.offence_code = weights.offence_code
    where offences.is_against_a_person
    group by offences.force_code

    union all

    select
        force_code,
        'suspect_date_of_birth_known' as check_id,
        count(*) as n_checked,
        sum(case when date_of_birth is not null then 1 else 0 end) as n_passed
    from named_suspects
    group by force_code

    union all

    select
        force_code,
        'suspect_strong_identifier' as check_id,
        count(*) as n_checked,
        sum(case when has_strong_identifier then 1 else 0 end) as n_passed
    from named_suspects
    group by force_code

    union all

    select
        force_code,
        'custody_known' as check_id,
        count(*) as n_checked,
        sum(case when in_custody in ('Y', 'N') then 1 else 0 end) as n_passed
    from named_suspects
    group by force_code

    union all

    select
        flags.force_code,
        'flag_agreement' as check_id,
        count(*) as n_checked,
        sum(case when flags.force_value = 'Y' then 1 else 0 end) as n_passed
    from {{ ref('national_offence_flags') }} as flags
    inner join run on flags.submission_period = run.period
    where flags.inferred_confidence = 'definite'
    group by flags.force_code

    union all

    select
        force_code,
        check_id,
        n_checked,
        n_checked - n_broken as n_passed
    from rule_results
),

scored as (
    select
        forces.force_code,
        forces.period,
        register.check_id,
        register.title,
        register.dimension,
        register.unit,
        register.pass_at,
        register.attention_at,
        returns.n_submissions,
        returns.n_in,
        -- Nothing came in: there is nothing to have checked, but that it did not come.
        case
            when returns.n_in > 0 or register.check_id = 'submission_received'
                then cast(coalesce(results.n_checked, 0) as bigint)
        end as n_checked,
        case
            when returns.n_in > 0 or register.check_id = 'submission_received'
                then cast(coalesce(results.n_passed, 0) as bigint)
        end as n_passed
    from forces
    cross join register
    inner join returns on forces.force_code = returns.force_code
    left join results on forces.force_code = results.force_code and register.check_id = results.check_id
)

select
    period,
    force_code,
    check_id,
    title,
    dimension,
    unit,
    n_checked,
    n_passed,
    case when n_checked > 0 then cast(n_passed as double precision) / n_checked end as share,
    pass_at,
    attention_at,
    case
        when n_submissions = 0 then 'not_submitted'
        when n_in = 0 then 'held'
        when n_checked = 0 then 'not_applicable'
        when cast(n_passed as double precision) / n_checked >= pass_at then 'pass'
        when cast(n_passed as double precision) / n_checked >= attention_at then 'attention'
        else 'fail'
    end as status
from scored
