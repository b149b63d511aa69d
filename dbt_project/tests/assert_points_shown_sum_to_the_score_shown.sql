-- What a reader adds up is what a reader is shown; what does not count shows no points. Who stands on a list has all of it,
-- and nobody else has any.
with shown as (
    select distinct person_id
    from {{ ref('perpetrator_lists') }}
)

select
    perpetrators.person_id,
    perpetrators.score_shown,
    sum(offences.points_shown) as sum_of_points
from {{ ref('ranked_perpetrators') }} as perpetrators
inner join {{ ref('ranked_perpetrator_offences') }} as offences on perpetrators.person_id = offences.person_id
left join shown on perpetrators.person_id = shown.person_id
group by perpetrators.person_id, perpetrators.score_shown
having
    sum(offences.points_shown) <> perpetrators.score_shown
    or max(case when offences.is_counted then 0 else offences.points_shown end) > 0
    or max(abs(offences.points_shown - offences.contribution)) >= 0.1
    or count(offences.points_shown) <> case when max(shown.person_id) is null then 0 else count(*) end
    or count(offences.explanation) <> count(offences.points_shown)
