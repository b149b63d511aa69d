{# The rows of a dated seed that are in force on the day a run is for; `seed` is its alias. #}
{% macro seed_in_force(seed) %}
    select seed.*
    from {{ ref(seed) }} as seed
    cross join {{ ref('national_run') }} as run
    where run.period_end >= seed.valid_from and (seed.valid_to is null or run.period_end <= seed.valid_to)
{% endmacro %}

{# One row: the numbers that measures of the scorecard count by, a column each, named as the check. #}
{% macro scorecard_parameters(checks) %}
    select
        {%- for check in checks %}
        max(case when checks.check_id = '{{ check }}' then checks.parameter end) as {{ check }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ seed_in_force('scorecard_checks') }}) as checks
{% endmacro %}

{#
    A row per force and check from a relation with a row per force and, of each check, the columns `<check>_of` (units
    checked) and `<check>_in` (units that passed); `medians`: check -> column of its median in days.
#}
{% macro scorecard_rows(relation, checks, medians={}) %}
    {%- for check in checks %}
    select
        force_code,
        '{{ check }}' as check_id,
        cast({{ check }}_of as bigint) as n_checked,
        cast({{ check }}_in as bigint) as n_passed,
        cast({{ medians.get(check, 'null') }} as double precision) as median_days
    from {{ relation }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}

{# In a select over units: how many a check looks at, and how many of those pass. #}
{% macro measured(check, passed, of='true') -%}
count(case when {{ of }} then 1 end) as {{ check }}_of,
        count(case when ({{ of }}) and ({{ passed }}) then 1 end) as {{ check }}_in
{%- endmacro %}

{# In a select over mapped values: rows of a field, and those whose value has a national code. #}
{% macro mapped_rows(check, field) -%}
sum(case when mappings.field = '{{ field }}' then mappings.n_rows else 0 end) as {{ check }}_of,
        sum(
            case
                when mappings.field = '{{ field }}' and mappings.national_code is not null then mappings.n_rows
                else 0
            end
        ) as {{ check }}_in
{%- endmacro %}

{# The rows, as `sent`, of a national table that came with the returns of the run's month. #}
{% macro sent_in_the_month(table) -%}
select sent.*
    from {{ ref(table) }} as sent
    inner join run on sent.submission_period = run.period
{%- endmacro %}
