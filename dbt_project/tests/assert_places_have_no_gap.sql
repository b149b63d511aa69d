-- A list and the next one after it hold the places 1, 2, 3 ... once each; the others hold none.
with lists as (
    select
        case list_kind
            when 'force_next' then 'force_top'
            when 'national_next' then 'national_top'
            else list_kind
        end as list_kind,
        lens,
        list_scope,
        list_scope_code,
        place
    from {{ ref('perpetrator_lists') }}
)

select
    list_kind,
    lens,
    list_scope,
    list_scope_code
from lists
group by list_kind, lens, list_scope, list_scope_code
having
    (
        list_kind not in ('serious_single', 'held')
        and (count(*) <> count(distinct place) or count(*) <> coalesce(max(place), 0) or count(*) <> count(place))
    )
    or (list_kind in ('serious_single', 'held') and count(place) > 0)
