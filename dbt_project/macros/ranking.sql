{#
    A person's place on a list, from 1: by `score`, then by what is latest, gravest and most.
    Never names, ids or references as tie-break: a keyed digest of the id is last, so no two share a place.
    `within`: the columns one list is cut by; none for the nation. The relation has the columns named here.
#}
{% macro place_on_the_list(score, within=[]) -%}
row_number() over (
            {% if within %}partition by {{ within | join(', ') }}
            {% endif %}order by
                {{ score }} desc,
                latest_reported_at desc,
                max_severity_days desc,
                n_victims desc,
                n_incidents desc,
                tie_break asc
        )
{%- endmacro %}

{#
    m = (N * V)^(b/2), N and V at least 1 and at most the cap. Both are expressions of counts; the relation
    `parameters` has multiplier_exponent and multiplier_cap.
#}
{% macro ranking_multiplier(n_incidents, n_victims, parameters='parameters') -%}
power(
            cast(
                least(greatest({{ n_incidents }}, 1), {{ parameters }}.multiplier_cap)
                * least(greatest({{ n_victims }}, 1), {{ parameters }}.multiplier_cap)
                as double precision
            ),
            {{ parameters }}.multiplier_exponent / 2
        )
{%- endmacro %}

{# The numbers 1 to 1,000, one a row: the draws of a resampling are the first so many of them. #}
{% macro thousand_numbers() %}
    select 1 + ones.digit + 10 * tens.digit + 100 * hundreds.digit as number
    from ({{ digits() }}) as ones
    cross join ({{ digits() }}) as tens
    cross join ({{ digits() }}) as hundreds
{% endmacro %}
{% macro digits() %}
    {%- for digit in range(10) %}select {{ digit }} as digit{{ ' union all ' if not loop.last }}{% endfor -%}
{% endmacro %}

{#
    A number in (0, 1) that is fixed by a text: 52 bits of its digest. What stands for chance where the same inputs
    must give the same answer.
#}
{% macro fixed_uniform(text) -%}
cast(({{ hex_to_number('substr(' ~ dbt.hash(text) ~ ', 1, 13)') }} + 0.5) / 4503599627370496 as double precision)
{%- endmacro %}

{#
    The same from a digest at hand: its `part`, 0 to 7, of eight, 16 bits each. One digest serves eight draws, since
    digests are what a resampling spends its time on.
#}
{% macro eighth_of_a_digest(digest, part) -%}
cast(({{ hex_to_number('substr(' ~ digest ~ ', 1 + 4 * ' ~ part ~ ', 4)') }} + 0.5) / 65536 as double precision)
{%- endmacro %}

{# How firmly somebody stands on a list, by the share of draws in which they do. `parameters` holds the bounds. #}
{% macro certainty_band(share) -%}
case
        when {{ share }} >= parameters.band_clear_p then 'clear'
        when {{ share }} >= parameters.band_probable_p then 'probable'
        else 'borderline'
    end
{%- endmacro %}

{#
    The lenses of the list, the default first: its name and the columns of `ranked_perpetrators` that hold its score and
    places, with the column of `list_scopes` that counts who is eligible under it.
#}
{% macro ranking_lenses() %}
    {{ return([
        {
            'name': 'likely_harm',
            'score': 'score',
            'national_rank': 'national_rank',
            'list_place': 'list_place',
            'n_eligible': 'n_eligible',
            'n_eligible_in_pool': 'n_eligible_in_pool',
        },
        {
            'name': 'gravest_harm',
            'score': 'score_gravest_harm',
            'national_rank': 'national_rank_gravest_harm',
            'list_place': 'list_place_gravest_harm',
            'n_eligible': 'n_eligible_gravest_harm',
            'n_eligible_in_pool': 'n_eligible_in_pool_gravest_harm',
        },
        {
            'name': 'rfg',
            'score': 'score_rfg',
            'national_rank': 'national_rank_rfg',
            'list_place': 'list_place_rfg',
            'n_eligible': 'n_eligible',
            'n_eligible_in_pool': 'n_eligible_in_pool',
        },
    ]) }}
{% endmacro %}

{# Rows of a group that meet a condition, as a whole number. #}
{% macro count_where(condition) -%} count(case when {{ condition }} then 1 end) {%- endmacro %}

{# Points of a dimension of `rfg_bands` for each value that a column of a relation holds. #}
{% macro points_of(relation, column, dimension) %}
    select
        found.{{ column }},
        bands.points
    from (select distinct {{ column }} from {{ relation }}) as found
    inner join {{ ref('rfg_bands') }} as bands
        on
            bands.dimension = '{{ dimension }}'
            and found.{{ column }} >= bands.value_from
            and found.{{ column }} < bands.value_below
{% endmacro %}
