{# Reporting bodies of the run's programme that were active in its month, a row each, whether they sent anything or not. #}
{% macro active_forces() %}
    select
        forces.code as force_code,
        forces.label,
        forces.region,
        run.period,
        run.period_end,
        run.as_of
    from {{ ref('forces') }} as forces
    inner join {{ ref('national_run') }} as run
        on
            forces.programme = run.programme
            and (forces.active_from is null or forces.active_from <= run.period_end)
            and (forces.active_to is null or forces.active_to >= run.period)
{% endmacro %}
