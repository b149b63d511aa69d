{#
    A person's place on the ranked list, from 1: by `score`, then by what is latest, gravest and most.
    Never names, ids or references as tie-break: a keyed digest of the id is last, so no two share a place.
    `within`: the columns one list is cut by. The relation has the columns named here.
#}
{% macro place_on_the_list(score, within) -%}
row_number() over (
            partition by {{ within | join(', ') }}
            order by
                {{ score }} desc,
                latest_reported_at desc,
                max_severity_days desc,
                n_victims desc,
                n_incidents desc,
                tie_break asc
        )
{%- endmacro %}
