{# One row of the ranking parameters in force on the day a run ranks for, a column each. #}
{% macro ranking_parameters(names) %}
    select
        max(parameters.version) as parameters_version,
        {%- for name in names %}
        max(case when parameters.parameter = '{{ name }}' then parameters.number end) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('ranking_parameters') }} as parameters
    cross join {{ ref('national_run') }} as run
    where
        run.period_end >= parameters.valid_from
        and (parameters.valid_to is null or run.period_end <= parameters.valid_to)
{% endmacro %}
