-- Grain: force x check, of the returns themselves: what came, when, how much of it, and which rules its rows break.
{% set findings_checks = [
    'rows_valid', 'rows_without_defaults', 'fields_agree', 'extracts_agree', 'versions_agree', 'rows_unique'
] %}
{% set checks = [
    'submission_received', 'months_received', 'extracts_present', 'submission_on_time', 'rows_accepted',
    'location_mapped', 'relationship_mapped', 'flag_mapped'
] + findings_checks %}

with run as (
    select * from {{ ref('national_run') }}
),

forces as ({{ active_forces() }}),

parameters as ({{ scorecard_parameters(['submission_on_time', 'months_received', 'extracts_present']) }}),

submissions as (
    select submissions.*
    from {{ ref('national_submissions') }} as submissions
    inner join run on submissions.period = run.period
),

returns as (
    select
        forces.force_code,
        coalesce(max(case when submissions.is_in then 1 else 0 end), 0) as n_in,
        min(case when submissions.is_in then submissions.received_at end) as first_in_at,
        coalesce(sum(submissions.n_received), 0) as n_received,
        coalesce(sum(submissions.n_accepted), 0) as n_accepted
    from forces
    left join submissions on forces.force_code = submissions.force_code
    group by forces.force_code
),

first_months as (
    select
        submissions.force_code,
        greatest(
            min(submissions.period),
            cast({{ dbt.dateadd('month', '1 - cast(max(parameters.months_received) as integer)', 'max(run.period)') }} as date)  -- noqa: LT05
        ) as first_month
    from {{ ref('national_submissions') }} as submissions
    cross join run
    cross join parameters
    group by submissions.force_code
),

months as (
    select
        first_months.force_code,
        max({{ dbt.datediff('first_months.first_month', 'run.period', 'month') }}) + 1 as months_received_of,
        count(distinct case when submissions.is_in then submissions.period end) as months_received_in
    from first_months
    cross join run
    left join {{ ref('national_submissions') }} as submissions
        on first_months.force_code = submissions.force_code and first_months.first_month <= submissions.period
    group by first_months.force_code
),

rows_received as (
    select
        submissions.force_code,
        received.extract,
        sum(received.n_received) as n_received
    from submissions
    inner join {{ ref('national_submission_rows') }} as received on submissions.submission_id = received.submission_id
    group by submissions.force_code, received.extract
    having sum(received.n_received) > 0
),

everybody as (
    select sum(n_in) as n_in from returns
),

-- What most forces send is expected of every one.
expected_extracts as (
    select rows_received.extract
    from rows_received
    cross join everybody
    cross join parameters
    group by rows_received.extract
    having count(*) >= max(parameters.extracts_present) * max(everybody.n_in)
),

extracts as (
    select
        returns.force_code,
        count(expected_extracts.extract) as extracts_present_of,
        count(rows_received.extract) as extracts_present_in
    from returns
    cross join expected_extracts
    left join rows_received
        on returns.force_code = rows_received.force_code and expected_extracts.extract = rows_received.extract
    group by returns.force_code
),

mapped as (
    select
        mappings.force_code,
        {{ mapped_rows('location_mapped', 'location_type') }},
        {{ mapped_rows('relationship_mapped', 'relationship') }},
        {{ mapped_rows('flag_mapped', 'flag') }}
    from {{ ref('national_value_mappings') }} as mappings
    inner join run on mappings.period = run.period
    group by mappings.force_code
),

-- A row that breaks several rules of a kind is one row.
broken_rows as (
    select distinct
        findings.force_code,
        findings.submission_id,
        findings.extract,
        findings.row_number,
        rules.counts_into
    from {{ ref('stg_run__findings') }} as findings
    inner join submissions on findings.submission_id = submissions.submission_id
    inner join {{ ref('scorecard_rules') }} as rules on findings.rule = rules.rule
    where rules.counts_into is not null and findings.row_number is not null
),

broken as (
    select
        force_code,
        {{ count_where("counts_into = 'rows_valid'") }} as rows_valid,
        {{ count_where("counts_into = 'rows_without_defaults'") }} as rows_without_defaults,
        {{ count_where("counts_into = 'fields_agree'") }} as fields_agree,
        {{ count_where("counts_into = 'extracts_agree'") }} as extracts_agree,
        {{ count_where("counts_into = 'versions_agree'") }} as versions_agree,
        {{ count_where("counts_into = 'rows_unique'") }} as rows_unique
    from broken_rows
    group by force_code
),

measured as (
    select
        returns.force_code,
        1 as submission_received_of,
        returns.n_in as submission_received_in,
        months.months_received_of,
        months.months_received_in,
        extracts.extracts_present_of,
        extracts.extracts_present_in,
        returns.n_in as submission_on_time_of,
        case
            when
                cast(returns.first_in_at as date)
                <= cast({{ dbt.dateadd('day', 'cast(parameters.submission_on_time as integer)', 'run.period_end') }} as date)
                then 1
            else 0
        end as submission_on_time_in,
        {{ dbt.datediff('run.period_end', 'returns.first_in_at', 'day') }} as days_after_month,  -- noqa: LT05
        returns.n_received as rows_accepted_of,
        returns.n_accepted as rows_accepted_in,
        mapped.location_mapped_of,
        mapped.location_mapped_in,
        mapped.relationship_mapped_of,
        mapped.relationship_mapped_in,
        mapped.flag_mapped_of,
        mapped.flag_mapped_in,
        returns.n_received as rows_valid_of,
        greatest(0, returns.n_received - coalesce(broken.rows_valid, 0)) as rows_valid_in,
        returns.n_received as rows_without_defaults_of,
        greatest(0, returns.n_received - coalesce(broken.rows_without_defaults, 0)) as rows_without_defaults_in,
        returns.n_received as fields_agree_of,
        greatest(0, returns.n_received - coalesce(broken.fields_agree, 0)) as fields_agree_in,
        returns.n_received as extracts_agree_of,
        greatest(0, returns.n_received - coalesce(broken.extracts_agree, 0)) as extracts_agree_in,
        returns.n_received as versions_agree_of,
        greatest(0, returns.n_received - coalesce(broken.versions_agree, 0)) as versions_agree_in,
        returns.n_received as rows_unique_of,
        greatest(0, returns.n_received - coalesce(broken.rows_unique, 0)) as rows_unique_in
    from returns
    cross join run
    cross join parameters
    left join months on returns.force_code = months.force_code
    left join extracts on returns.force_code = extracts.force_code
    left join mapped on returns.force_code = mapped.force_code
    left join broken on returns.force_code = broken.force_code
),

by_rule as (
    select
        findings.force_code,
        findings.extract,
        findings.rule,
        sum(findings.n_rows) as n_rows,
        count(distinct findings.submission_id) as n_submissions
    from {{ ref('national_findings') }} as findings
    inner join run on findings.period = run.period
    group by findings.force_code, findings.extract, findings.rule
),

-- A force without a finding of a rule that found something elsewhere has a full mark.
rules_found as (
    select distinct
        by_rule.extract,
        by_rule.rule,
        coalesce(rules.unit, 'row') as unit
    from by_rule
    left join {{ ref('scorecard_rules') }} as rules on by_rule.rule = rules.rule
),

submissions_in as (
    select
        force_code,
        count(*) as n_submissions
    from submissions
    group by force_code
),

rule_results as (
    select
        returns.force_code,
        'rule:' || rules_found.extract || ':' || rules_found.rule as check_id,
        case
            when rules_found.unit = 'submission' or rules_found.extract = 'submission'
                then coalesce(submissions_in.n_submissions, 0)
            else coalesce(rows_received.n_received, 0)
        end as n_checked,
        case
            when rules_found.unit = 'submission' or rules_found.extract = 'submission'
                then coalesce(by_rule.n_submissions, 0)
            else coalesce(by_rule.n_rows, 0)
        end as n_broken
    from returns
    cross join rules_found
    left join submissions_in on returns.force_code = submissions_in.force_code
    left join rows_received
        on returns.force_code = rows_received.force_code and rules_found.extract = rows_received.extract
    left join by_rule
        on
            returns.force_code = by_rule.force_code
            and rules_found.extract = by_rule.extract
            and rules_found.rule = by_rule.rule
)

{{ scorecard_rows('measured', checks, {'submission_on_time': 'days_after_month'}) }}

union all

select
    force_code,
    check_id,
    cast(n_checked as bigint) as n_checked,
    cast(n_checked - least(n_broken, n_checked) as bigint) as n_passed,
    cast(null as double precision) as median_days
from rule_results
