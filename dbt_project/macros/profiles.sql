{# An event's place in a person's timeline, from 1; what has no known day comes last, and no two share a place. #}
{% macro place_in_time(events) -%}
row_number() over (
            partition by {{ events }}.person_id
            order by
                case when {{ events }}.event_on is null then 1 else 0 end,
                {{ events }}.event_on asc,
                case when {{ events }}.event_at is null then 1 else 0 end,
                {{ events }}.event_at asc,
                {{ events }}.event_id asc
        )
{%- endmacro %}
