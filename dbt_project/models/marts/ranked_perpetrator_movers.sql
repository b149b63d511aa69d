-- Grain: one person who is eligible for the lists, or was so in the previous release: from where to where, and why, on the
-- first list of the nation, on that of their force or region, and among all who are eligible.
-- Who is nobody today stays under the id of then. Empty where there is no previous release.
with persons as (
    {{ then_and_now() }}
),

in_words as (
    select
        person_id,
        sum(points) as points,
        sum(listed_points) as listed_points,
        max(case when is_cause_of_listing then cause end) as listing_cause,
        {{ dbt.listagg(
            "cause_label || ' ' || case when listed_points > 0 then '+' else '' end || cast(cast(listed_points as decimal(28, 1)) as " ~ dbt.type_string() ~ ")",
            "', '",
            'order by abs(listed_points) desc, cause_no'
        ) }} as causes_in_words
    from {{ ref('ranked_perpetrator_move_causes') }}
    group by person_id
)

select
    persons.person_id,
    persons.previous_release,
    persons.today_person_id,
    {{ movement_on_list(
        'persons.was_on_national_list', 'persons.is_on_national_list', 'persons.previous_national_rank', 'persons.national_rank'
    ) }} as national_list_movement,
    -- A place on the list of another force or region is no place to compare with.
    case
        when
            persons.previous_list_place is not null
            and persons.list_place is not null
            and persons.previous_list_scope_code <> persons.list_scope_code
            then 'other_list'
        else {{ movement_on_list(
            'persons.previous_list_place is not null', 'persons.list_place is not null', 'persons.previous_list_place', 'persons.list_place'
        ) }}
    end as force_list_movement,
    case
        when persons.is_listed and not persons.was_listed then 'entered'
        when persons.was_listed and not persons.is_listed then 'left'
        when persons.national_rank < persons.previous_national_rank then 'up'
        when persons.national_rank > persons.previous_national_rank then 'down'
        else 'unchanged'
    end as movement,
    persons.previous_national_rank,
    persons.national_rank,
    persons.previous_national_rank - persons.national_rank as rank_change,
    was_in.band as previous_rank_band,
    is_in.band as rank_band,
    persons.previous_force_rank,
    persons.force_rank,
    persons.previous_list_scope_code,
    persons.list_scope_code,
    persons.previous_list_place,
    persons.list_place,
    persons.previous_owner_force_code,
    persons.owner_force_code,
    persons.previous_score,
    persons.score,
    cast(persons.score - persons.previous_score as decimal(28, 12)) as score_change,
    cast(
        case when persons.is_listed then persons.score else 0 end
        - case when persons.was_listed then persons.previous_score else 0 end
        as decimal(28, 12)
    ) as listed_score_change,
    case when not persons.was_listed then persons.previous_status_reason end as previous_status_reason,
    case when not persons.is_listed then persons.status_reason end as status_reason,
    in_words.listing_cause,
    reasons.in_words as reason_in_words,
    coalesce(in_words.causes_in_words, 'nothing changed') as causes_in_words
from persons
left join in_words on persons.person_id = in_words.person_id
left join {{ ref('move_reasons') }} as reasons
    on case when persons.is_listed then persons.previous_status_reason else persons.status_reason end = reasons.status_reason
left join {{ ref('rank_bands') }} as was_in
    on persons.previous_national_rank between was_in.rank_from and was_in.rank_to
left join {{ ref('rank_bands') }} as is_in on persons.national_rank between is_in.rank_from and is_in.rank_to
