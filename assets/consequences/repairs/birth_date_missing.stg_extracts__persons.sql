-- Nominals as staged, suspects without a birth date with the one that their recorded age implies.
with placeholder_dates as (
    select cast(value as date) as date_of_birth
    from codes.placeholders
    where kind = 'date_of_birth'
),

suspected as (
    -- Between two birthdays: half a year is taken off the latest possible date.
    select
        suspects.force_code,
        suspects.person_ref,
        arg_min(
            cast(offences.committed_from as date) - to_years(cast(suspects.age as integer)) - to_days(183),
            (offences.committed_from, suspects.crime_ref)
        ) filter (suspects.age is not null) as implied_on
    from staging.stg_extracts__suspects as suspects
    inner join standardised.std_offences as offences
        on suspects.force_code = offences.force_code and suspects.crime_ref = offences.crime_ref
    where suspects.person_ref is not null
    group by suspects.force_code, suspects.person_ref
),

judged as (
    select
        staged.*,
        suspected.person_ref is not null
        and (staged.date_of_birth is null or placeholder_dates.date_of_birth is not null) as is_defect,
        cast(suspected.implied_on as date) as implied_on
    from staging.stg_extracts__persons as staged
    left join placeholder_dates on staged.date_of_birth = placeholder_dates.date_of_birth
    left join suspected on staged.force_code = suspected.force_code and staged.person_ref = suspected.person_ref
)

select
    judged.* exclude (is_defect, implied_on)
        replace (case when is_defect then coalesce(implied_on, date_of_birth) else date_of_birth end as date_of_birth),
    is_defect,
    is_defect and implied_on is not null as is_mended,
    false as is_added
from judged
