{# One row of a dated seed of parameters as in force on the day a run ranks for, a column each. #}
{% macro parameters_in_force(seed, names) %}
    select
        max(parameters.version) as parameters_version,
        {%- for name in names %}
        max(case when parameters.parameter = '{{ name }}' then parameters.number end) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref(seed) }} as parameters
    cross join {{ ref('national_run') }} as run
    where
        run.period_end >= parameters.valid_from
        and (parameters.valid_to is null or run.period_end <= parameters.valid_to)
{% endmacro %}

{% macro ranking_parameters(names) -%} {{ parameters_in_force('ranking_parameters', names) }} {%- endmacro %}

{% macro profile_parameters(names) -%} {{ parameters_in_force('profile_parameters', names) }} {%- endmacro %}
