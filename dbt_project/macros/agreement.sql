{# How far two raters agree, in closed form; a figure is null where its denominator is nothing. #}

{# Wilson's interval of the share n / n_of, null of nothing: `sign` is - for its lower end, + for its upper one. #}
{% macro wilson_end(n, n_of, z, sign) -%}
    case
        when {{ n_of }} > 0
            then {{ wilson('(cast(' ~ n ~ ' as double precision) / ' ~ n_of ~ ')', n_of, z, sign) }}
    end
{%- endmacro %}

{#
    Asymptotic variance of Cohen's kappa of two raters and two answers (Fleiss, Cohen and Everitt 1969), of shares: both say
    yes `p11`, one or the other alone `p10` and `p01`, neither `p00`; `r1`, `c1` each one's yes; `pe` agreement by chance.
#}
{% macro kappa_variance(n, p11, p10, p01, p00, r1, c1, pe, kappa) -%}
    (
        {{ p11 }} * power(1 - ({{ r1 }} + {{ c1 }}) * (1 - {{ kappa }}), 2)
        + {{ p00 }} * power(1 - (2 - {{ r1 }} - {{ c1 }}) * (1 - {{ kappa }}), 2)
        + power(1 - {{ kappa }}, 2)
        * (
            {{ p10 }} * power({{ c1 }} + 1 - {{ r1 }}, 2)
            + {{ p01 }} * power(1 - {{ c1 }} + {{ r1 }}, 2)
        )
        - power({{ kappa }} - {{ pe }} * (1 - {{ kappa }}), 2)
    )
    / (power(1 - {{ pe }}, 2) * {{ n }})
{%- endmacro %}

{# Months of flag counts and the periods they belong to: each itself, and the rolling year that ends with the run. #}
{% macro flag_periods() %}
    select distinct
        recorded_month,
        'month' as period_kind,
        recorded_month as period
    from {{ ref('national_flag_counts') }}

    union all

    select distinct
        counts.recorded_month,
        'rolling_year' as period_kind,
        cast({{ dbt.dateadd('month', -11, 'run.period') }} as date) as period
    from {{ ref('national_flag_counts') }} as counts
    cross join {{ ref('national_run') }} as run
    where counts.recorded_month >= cast({{ dbt.dateadd('month', -11, 'run.period') }} as date)
{% endmacro %}
