{% macro statistics_parameters(names) -%} {{ parameters_in_force('statistics_parameters', names) }} {%- endmacro %}

{# Sets of definitions and threats are numbers, a bit each, so that crimes are grouped once whatever the number of either. #}
{% macro has_bit(bits, bit) -%} ({{ bits }} & {{ bit }}) <> 0 {%- endmacro %}
{% macro bits_of(expression) -%} cast(coalesce(bit_or({{ expression }}), 0) as bigint) {%- endmacro %}

{# What a crime cube is grouped by, a breakdown each; a column named as the breakdown. #}
{% macro offence_breakdowns() %}
    {{ return(['offence_group', 'offence_subgroup', 'offence_code', 'offence_kind', 'outcome_group', 'outcome_stage', 'location_type']) }}
{% endmacro %}

{# In a select grouped by sets: which breakdown the row is of, and its value; `none` and `all` where it is of no set. #}
{% macro breakdown_of_set(columns) -%}
case
            {%- for column in columns %}
            when grouping({{ column }}) = 0 then '{{ column }}'
            {%- endfor %}
            else 'none'
        end
{%- endmacro %}
{% macro value_of_set(columns) -%}
case
            {%- for column in columns %}
            when grouping({{ column }}) = 0 then {{ column }}
            {%- endfor %}
            else 'all'
        end
{%- endmacro %}

{# What identifies a figure in a month or period of a place; one of each identifies a row. #}
{% macro figure_key() %}
    {{ return(['definition_id', 'threat', 'measure', 'breakdown', 'breakdown_value']) }}
{% endmacro %}
{% macro month_key() %} {{ return(['recorded_month', 'force_code']) }} {% endmacro %}
{% macro place_key() %} {{ return(['period_kind', 'period', 'force_code']) }} {% endmacro %}

{# Columns in a list, each of `relation` where one is named. #}
{% macro listed(columns, relation='') -%}
    {%- for column in columns -%}
        {{ relation ~ '.' if relation }}{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The condition that two relations are of the same figure, place or whatever the columns identify. #}
{% macro same_in(columns, one, other) -%}
    {%- for column in columns -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The words that stand for a value that is not known. #}
{% macro is_value_known(value) -%}
{{ value }} not in ('unknown', 'unmapped', 'blank', 'U', 'UNK', 'Unknown', 'Not stated')
{%- endmacro %}

{#
    Bounds of a 95% interval. Wilson for a share (Wilson 1927); Byar's approximation to the exact Poisson interval for a rate
    (Breslow and Day 1987); normal for a mean. Null without a denominator.
#}
{% macro wilson(share, n, z, sign) -%}
(
            ({{ share }} + {{ z }} * {{ z }} / (2.0 * {{ n }}))
            {{ sign }} {{ z }} * sqrt(
                {{ share }} * (1 - {{ share }}) / {{ n }} + {{ z }} * {{ z }} / (4.0 * {{ n }} * {{ n }})
            )
        ) / (1 + {{ z }} * {{ z }} / {{ n }})
{%- endmacro %}
{% macro byar_lower(events, z) -%}
case
            when {{ events }} = 0 then 0
            else {{ events }} * power(1 - 1 / (9.0 * {{ events }}) - {{ z }} / (3 * sqrt({{ events }})), 3)
        end
{%- endmacro %}
{% macro byar_upper(events, z) -%}
({{ events }} + 1) * power(1 - 1 / (9.0 * ({{ events }} + 1)) + {{ z }} / (3 * sqrt({{ events }} + 1)), 3)
{%- endmacro %}
