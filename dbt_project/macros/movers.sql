{#
    Persons who are eligible for the lists or were so in the previous release (list_status listed), a row each: what they
    were then and are today, and which first lists they stood and stand on. How long a list was then is told by the
    parameters of then. Who is nobody today stays under the id of then. No row where there is no previous release.
#}
{% macro then_and_now() %}
    select
        coalesce(after.person_id, before.person_id) as person_id,
        releases.release_id as previous_release,
        releases.ranked_at as previous_ranked_at,
        case when people.person_id is null then heirs.today_person_id end as today_person_id,
        coalesce(before.list_status = 'listed', false) as was_listed,
        coalesce(after.list_status = 'listed', false) as is_listed,
        before.status_reason as previous_status_reason,
        case
            when after.person_id is not null then after.status_reason
            when gates.is_deceased then 'deceased'
            when gates.is_child then 'under_18'
            when people.person_id is null and heirs.today_person_id is not null then 'merged'
            else 'no_allegation_left'
        end as status_reason,
        before.national_rank as previous_national_rank,
        after.national_rank,
        before.force_rank as previous_force_rank,
        after.force_rank,
        coalesce(before.national_rank <= coalesce(lengths.top_national, parameters.top_national), false)
            as was_on_national_list,
        coalesce(after.national_rank <= parameters.top_national, false) as is_on_national_list,
        case
            when before.list_place <= coalesce(lengths.top_force, parameters.top_force) then before.list_place
        end as previous_list_place,
        case when after.list_place <= parameters.top_force then after.list_place end as list_place,
        before.list_scope_code as previous_list_scope_code,
        after.list_scope_code,
        before.owner_force_code as previous_owner_force_code,
        after.owner_force_code,
        cast(coalesce(before.score, 0) as decimal(28, 12)) as previous_score,
        cast(coalesce(after.score, 0) as decimal(28, 12)) as score,
        coalesce(before.n_incidents, 0) as previous_n_incidents,
        coalesce(before.n_victims, 0) as previous_n_victims,
        coalesce(before.n_non_crime_incidents, 0) as previous_n_non_crime_incidents,
        coalesce(after.n_non_crime_incidents, before.n_non_crime_incidents, 0) as n_non_crime_incidents,
        before.parameters_version = parameters.parameters_version as has_same_parameters,
        before.weights_version = weights.weights_version as has_same_weights,
        coalesce(gates.is_deceased or gates.is_child, false) as is_gated,
        coalesce({{ age_on('people.latest_date_of_birth', 'releases.ranked_at') }} < parameters.adult_age, false)
            as was_child
    from {{ ref('ranked_perpetrators') }} as after
    full outer join {{ ref('stg_run__previous_ranked_perpetrators') }} as before on after.person_id = before.person_id
    cross join {{ ref('stg_run__previous_release') }} as releases
    cross join ({{ ranking_parameters(['adult_age', 'top_national', 'top_force']) }}) as parameters
    cross join (select max(version) as weights_version from {{ ref('harm_weights') }}) as weights
    left join
        (
            select
                version,
                max(case when parameter = 'top_national' then number end) as top_national,
                max(case when parameter = 'top_force' then number end) as top_force
            from {{ ref('ranking_parameters') }}
            group by version
        ) as lengths
        on before.parameters_version = lengths.version
    left join {{ ref('national_persons') }} as people on coalesce(after.person_id, before.person_id) = people.person_id
    left join {{ ref('national_person_gates') }} as gates on coalesce(after.person_id, before.person_id) = gates.person_id
    left join {{ ref('national_previous_persons') }} as heirs on before.person_id = heirs.previous_person_id
    where after.list_status = 'listed' or before.list_status = 'listed'
{% endmacro %}

{# A term of an allegation at a step: as it was until step `changes_at`, as it is from there. The relation is `steps`. #}
{% macro then_or_now(before, after, changes_at) -%}
case
            when steps.is_there and (not steps.was_there or steps.cause_no >= {{ changes_at }}) then {{ after }}
            else {{ before }}
        end
{%- endmacro %}

{# Who entered or left a list and who moved on it, by the place there; null for who stood on it neither then nor now. #}
{% macro movement_on_list(was_on, is_on, previous_place, place) -%}
case
        when {{ is_on }} and not ({{ was_on }}) then 'entered'
        when {{ was_on }} and not ({{ is_on }}) then 'left'
        when not ({{ is_on }}) then null
        when {{ place }} < {{ previous_place }} then 'up'
        when {{ place }} > {{ previous_place }} then 'down'
        else 'unchanged'
    end
{%- endmacro %}
