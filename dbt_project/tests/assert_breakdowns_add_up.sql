-- Every crime is in exactly one value of every breakdown of crimes; every victim in one sex and one age band.
select
    recorded_month,
    force_code,
    definition_id,
    threat,
    measure
from {{ ref('national_monthly_counts') }}
where
    measure in ('offences', 'victims', 'suspects')
    and breakdown in ('none', 'offence_group', 'outcome_group', 'location_type', 'sex', 'age_band')
group by recorded_month, force_code, definition_id, threat, measure
having
    count(distinct breakdown) > 1
    and sum(numerator)
    <> count(distinct breakdown) * sum(case when breakdown = 'none' then numerator else 0 end)
