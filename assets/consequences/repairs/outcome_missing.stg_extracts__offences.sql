-- Crimes as staged, those without an outcome for long with the one that is usual for their class in their force.
with closed as (
    select
        offences.force_code,
        offences.offence_code,
        offences.outcome_code,
        count(*) as n_crimes,
        median(date_diff('day', cast(offences.reported_at as date), offences.outcome_on)) as usual_days
    from standardised.std_offences as offences
    where offences.is_closed and offences.outcome_code <> '19' and offences.outcome_on is not null
    group by offences.force_code, offences.offence_code, offences.outcome_code
),

usual as (
    select *
    from closed
    qualify row_number() over (partition by force_code, offence_code order by n_crimes desc, outcome_code asc) = 1
),

judged as (
    select
        staged.*,
        coalesce(staged.outcome_code, '0') = '19'
        or (
            coalesce(staged.outcome_code, '0') = '0'
            and coalesce(staged.status = 'live', false)
            and staged.reported_at < run.ranked_at - to_days({{ parameter }})
        ) as is_defect,
        usual.outcome_code as usual_outcome,
        cast(usual.usual_days as integer) as usual_days
    from staging.stg_extracts__offences as staged
    cross join repository.national_run as run
    left join usual on staged.force_code = usual.force_code and staged.offence_code = usual.offence_code
)

select
    judged.* exclude (is_defect, usual_outcome, usual_days) replace (
        case when is_defect then coalesce(usual_outcome, outcome_code) else outcome_code end as outcome_code,
        case
            when is_defect and usual_outcome is not null
                then coalesce(outcome_date, cast(reported_at as date) + usual_days)
            else outcome_date
        end as outcome_date
    ),
    is_defect,
    is_defect and usual_outcome is not null as is_mended,
    false as is_added
from judged
