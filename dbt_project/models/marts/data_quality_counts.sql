-- Grain: force x check for the run's month: what was counted, ungraded. The register of checks crossed with the forces comes
-- first and the counts are joined to it, so that a force that sent nothing has its rows too.
with run as (
    select * from {{ ref('national_run') }}
),

forces as ({{ active_forces() }}),

-- The latest published year of which every month came in.
published_years as (
    select
        force_code,
        n_published,
        difference,
        row_number() over (partition by force_code order by period_to desc, table_id asc) as year_rank
    from {{ ref('recorded_crime_reconciliation') }}
    where
        is_count_comparable
        and offence_category = 'total_recorded_crime_excluding_fraud'
        and force_code <> 'national'
),

published as (
    select
        force_code,
        n_published as agrees_with_published_of,
        greatest(0, n_published - abs(difference)) as agrees_with_published_in
    from published_years
    where year_rank = 1
),

counted as (
    select * from {{ ref('scorecard_returns') }}
    union all
    select * from {{ ref('scorecard_crimes') }}
    union all
    select * from {{ ref('scorecard_nominals') }}
    union all
    {{ scorecard_rows('published', ['agrees_with_published']) }}
),

rules_found as (
    select
        'rule:' || findings.extract || ':' || findings.rule as check_id,
        findings.extract,
        findings.rule,
        min(findings.severity) as severity
    from {{ ref('national_findings') }} as findings
    inner join run on findings.period = run.period
    group by findings.extract, findings.rule
),

register as (
    select
        check_id,
        cast(null as {{ dbt.type_string() }}) as extract,
        cast(null as {{ dbt.type_string() }}) as rule,  -- noqa: RF04
        cast(null as {{ dbt.type_string() }}) as severity
    from ({{ seed_in_force('scorecard_checks') }}) as checks
    where check_id not in ('rule_error', 'rule_warning')

    union all

    select
        check_id,
        extract,
        rule,
        severity
    from rules_found
),

returns as (
    select
        forces.force_code,
        count(submissions.submission_id) as n_submissions,
        coalesce(sum(case when submissions.is_in then 1 else 0 end), 0) as n_in
    from forces
    cross join run
    left join {{ ref('national_submissions') }} as submissions
        on forces.force_code = submissions.force_code and run.period = submissions.period
    group by forces.force_code
),

-- Of several waivers of a rule the one that holds longest.
waivers as (
    select
        waivers.force_code,
        waivers.rule,
        waivers.owner,
        waivers.valid_to,
        waivers.reason,
        row_number() over (
            partition by waivers.force_code, waivers.rule
            order by waivers.valid_to desc, waivers.waiver_id asc
        ) as waiver_rank
    from {{ ref('waivers') }} as waivers
    inner join run on run.period between waivers.valid_from and waivers.valid_to
)

select
    forces.period,
    forces.force_code,
    register.check_id,
    register.extract,
    register.rule,
    register.severity,
    returns.n_submissions,
    cast(returns.n_in as bigint) as n_submissions_in,
    -- Nothing came in: there is nothing to have checked, but that it did not come.
    case
        when returns.n_in > 0 or register.check_id in ('submission_received', 'months_received')
            then coalesce(counted.n_checked, 0)
    end as n_checked,
    case
        when returns.n_in > 0 or register.check_id in ('submission_received', 'months_received')
            then coalesce(counted.n_passed, 0)
    end as n_passed,
    case when returns.n_in > 0 then counted.median_days end as median_days,
    previous.period as previous_period,
    previous.n_checked as previous_n_checked,
    previous.n_passed as previous_n_passed,
    waivers.owner as waived_by,
    waivers.valid_to as waived_until,
    waivers.reason as waiver_reason
from forces
cross join register
inner join returns on forces.force_code = returns.force_code
left join counted on forces.force_code = counted.force_code and register.check_id = counted.check_id
left join {{ ref('stg_run__previous_data_quality_counts') }} as previous
    on forces.force_code = previous.force_code and register.check_id = previous.check_id
left join waivers
    on forces.force_code = waivers.force_code and register.rule = waivers.rule and waivers.waiver_rank = 1
