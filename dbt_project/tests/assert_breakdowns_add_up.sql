-- Every crime is in exactly one value of every breakdown of crimes, every person in one of every breakdown of persons; only
-- relationships, which are of pairs, and threats and flags, which overlap, are not.
select
    recorded_month,
    force_code,
    definition_id,
    threat,
    measure
from {{ ref('national_monthly_counts') }}
where
    measure in ('offences', 'victims', 'suspects')
    and breakdown not in ('relationship', 'relationship_group', 'also_threat', 'flag')
group by recorded_month, force_code, definition_id, threat, measure
having
    count(distinct breakdown) > 1
    and sum(numerator)
    <> count(distinct breakdown) * sum(case when breakdown = 'none' then numerator else 0 end)
