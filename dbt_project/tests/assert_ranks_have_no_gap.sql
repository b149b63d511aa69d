-- Listed persons have the ranks 1, 2, 3 ... once each; nobody else has one.
select
    count(*) as n_listed,
    count(distinct national_rank) as n_ranks,
    max(national_rank) as last_rank
from {{ ref('ranked_perpetrators') }}
where list_status = 'listed' or national_rank is not null
having
    count(*) <> count(distinct national_rank)
    or count(*) <> coalesce(max(national_rank), 0)
    or sum(case when list_status = 'listed' then 0 else 1 end) > 0
