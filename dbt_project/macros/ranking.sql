{#
    A person's place on a list, from 1: by `score`, then by what is latest, gravest and most, which `order_of_equals` holds
    as a number. `within`: the columns one list is cut by; none for the nation.
#}
{% macro place_on_the_list(score, within=[]) -%}
row_number() over (
            {% if within %}partition by {{ within | join(', ') }}
            {% endif %}order by
                {{ score }} desc,
                order_of_equals asc
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

{#
    The allegations of some persons with their terms and what each adds: the columns of `scored_allegations`. `persons`: a
    relation with a row a person and person_id, person_no, is_named_by_several_forces, the counts and the multiplier of
    `person_multipliers`. `with_columns`: what else of theirs comes along.
#}
{% macro scored_allegations_of(persons, with_columns=[]) %}
    with parameters as (
        {{ ranking_parameters([
            'severity_exponent',
            'severity_exponent_grave',
            'half_life_days',
            'window_months',
            'recent_months',
            'cut_months',
            'harm_window_days',
        ]) }}
    ),

    run as (
        -- The days that bound a window, once: they are the same for every allegation.
        select
            run.ranked_at,
            {{ dbt.dateadd('month', '-cast(parameters.window_months as integer)', 'run.ranked_at') }} as window_from,
            {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }} as recent_from,
            {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as cut_from,
            parameters.severity_exponent,
            parameters.severity_exponent_grave,
            parameters.half_life_days,
            parameters.harm_window_days
        from {{ ref('national_run') }} as run
        cross join parameters
    ),

    allegations as (
        select
            allegations.*,
            {{ dbt.datediff('allegations.reported_at', 'run.ranked_at', 'second') }}
            / 86400.0 as age_days,
            allegations.reported_at > run.window_from as is_in_window,
            allegations.reported_at > run.recent_from as is_recent,
            run.severity_exponent,
            run.severity_exponent_grave,
            run.half_life_days,
            run.harm_window_days
        from {{ ref('national_vawg_allegations') }} as allegations
        cross join run
        -- As one condition: two comparisons with `run` would be planned as a join that hardly anything passes.
        where coalesce(allegations.reported_at <= run.ranked_at and allegations.reported_at > run.cut_from, false)
    ),

    multiplied as (
        select
            allegations.*,
            persons.is_named_by_several_forces,
            persons.n_incidents,
            persons.n_non_crime_incidents,
            persons.n_victims,
            persons.multiplier,{% for column in with_columns %}
            persons.{{ column }},{% endfor %}
            power(cast(2 as double precision), -allegations.age_days / allegations.half_life_days) as decay
        from allegations
        inner join {{ persons }} as persons on allegations.person_no = persons.person_no
    )

    select
        person_id,
        person_no,{% for column in with_columns %}
        {{ column }},{% endfor %}
        is_named_by_several_forces,
        offence_id,
        force_code,
        crime_ref,
        suspect_no,
        record_id,
        offence_code,
        definition_id,
        definition_version,
        committed_from,
        reported_at,
        cast(age_days as double precision) as age_days,
        suspect_status,
        outcome_code,
        outcome_on,
        is_outcome_known,
        n_co_suspects,
        severity_days,
        is_severity_mapped,
        weights_version,
        decay,
        cast(outcome_weight as bigint) as outcome_weight,
        link_probability,
        multiplier,
        n_incidents,
        n_non_crime_incidents,
        n_victims,
        is_in_window,
        is_recent,
        is_counted,
        not_counted_reason,
        cast(
            multiplier * power(severity_days, severity_exponent) * decay * outcome_weight * link_probability
            as decimal(18, 12)
        ) as contribution,
        cast(
            multiplier * power(severity_days, severity_exponent_grave) * decay * outcome_weight * link_probability
            as decimal(18, 12)
        ) as contribution_grave,
        cast(
            case when is_counted and age_days <= harm_window_days then severity_days else 0 end as decimal(18, 2)
        ) as contribution_gravest_harm
    from multiplied
{% endmacro %}
