-- The months of all recorded crime add up to the crimes that stand, recorded in months with a return: none twice, none lost.
with counted as (
    select coalesce(sum(numerator), 0) as n
    from {{ ref('national_monthly_counts') }}
    where
        definition_id = 'all_recorded_crime'
        and threat = 'all'
        and measure = 'offences'
        and breakdown = 'none'
),

standing as (
    select count(distinct offences.offence_id) as n
    from {{ ref('national_offences') }} as offences
    inner join {{ ref('national_submissions') }} as submissions
        on offences.force_code = submissions.force_code and offences.recorded_month = submissions.period
    where offences.status = 'live' and submissions.is_in
)

select
    counted.n as n_counted,
    standing.n as n_standing
from counted
cross join standing
where counted.n <> standing.n
