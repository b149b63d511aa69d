-- Grain: month of recording x force x flag x rater x reference. Additive counts of a two by two table: longer periods and
-- the nation are sums. What the force says is read against what national rules infer of every counted crime, and both,
-- with the value that stands, against a sample that somebody labelled by reading the record.
with covered as (
    select distinct
        force_code,
        period
    from {{ ref('national_submissions') }}
    where is_in
),

offences as (
    select
        offences.offence_id,
        offences.force_code,
        offences.recorded_month
    from {{ ref('national_offences') }} as offences
    inner join covered
        on offences.force_code = covered.force_code and offences.recorded_month = covered.period
    where offences.is_counted
),

inferred_flags as (
    select distinct flag
    from {{ ref('flag_rules') }}
),

months as (
    select
        force_code,
        recorded_month,
        count(*) as n
    from offences
    group by force_code, recorded_month
),

flags as (
    select
        offences.offence_id,
        offences.force_code,
        offences.recorded_month,
        flags.flag,
        flags.force_value,
        flags.inferred_value,
        flags.national_value
    from {{ ref('national_offence_flags') }} as flags
    inner join offences on flags.offence_id = offences.offence_id
),

against_rules as (
    select
        months.recorded_month,
        months.force_code,
        inferred_flags.flag,
        'force' as rater,
        'inferred' as reference,
        max(months.n) as n,
        count(case when flags.force_value = 'Y' and flags.inferred_value = 'Y' then 1 end) as n_both,
        count(case when flags.force_value = 'Y' and flags.inferred_value is null then 1 end) as n_rater_only,
        count(
            case when flags.inferred_value = 'Y' and coalesce(flags.force_value, 'B') <> 'Y' then 1 end
        ) as n_reference_only,
        count(case when flags.force_value = 'N' then 1 end) as n_said_no,
        count(case when flags.force_value in ('Y', 'N', 'U') then 1 end) as n_said,
        count(case when flags.national_value = 'Y' then 1 end) as n_national
    from months
    cross join inferred_flags
    left join flags
        on
            months.force_code = flags.force_code
            and months.recorded_month = flags.recorded_month
            and inferred_flags.flag = flags.flag
    group by months.recorded_month, months.force_code, inferred_flags.flag
),

labelled as (
    select
        offences.recorded_month,
        offences.force_code,
        labels.flag,
        labels.value,
        flags.force_value,
        flags.inferred_value,
        flags.national_value
    from {{ ref('stg_run__clerical_flags') }} as labels
    inner join offences on labels.offence_id = offences.offence_id
    left join flags on labels.offence_id = flags.offence_id and labels.flag = flags.flag
),

{% for rater in ['force', 'inferred', 'national'] %}
    {{ rater }}_against_labels as (
        select
            recorded_month,
            force_code,
            flag,
            '{{ rater }}' as rater,
            'clerical' as reference,
            count(*) as n,
            count(case when {{ rater }}_value = 'Y' and value = 'Y' then 1 end) as n_both,
            count(case when {{ rater }}_value = 'Y' and value = 'N' then 1 end) as n_rater_only,
            count(case when value = 'Y' and coalesce({{ rater }}_value, 'B') <> 'Y' then 1 end) as n_reference_only,
            count(case when {{ rater }}_value = 'N' then 1 end) as n_said_no,
            count({{ rater }}_value) as n_said,
            count(case when national_value = 'Y' then 1 end) as n_national
        from labelled
        group by recorded_month, force_code, flag
    ),
{% endfor %}

together as (
    select * from against_rules
    {% for rater in ['force', 'inferred', 'national'] %}
        union all
        select * from {{ rater }}_against_labels
    {% endfor %}
)

select
    recorded_month,
    force_code,
    flag,
    rater,
    reference,
    cast(n as bigint) as n,
    cast(n_both as bigint) as n_both,
    cast(n_rater_only as bigint) as n_rater_only,
    cast(n_reference_only as bigint) as n_reference_only,
    cast(n_said_no as bigint) as n_said_no,
    cast(n - n_said as bigint) as n_blank,
    cast(n_national as bigint) as n_national
from together
