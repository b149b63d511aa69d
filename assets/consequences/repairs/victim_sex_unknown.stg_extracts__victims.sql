-- Victims as staged, persons of unknown sex with that of most victims of their class.
with usual as (
    select
        offences.offence_code,
        victims.sex,
        row_number() over (partition by offences.offence_code order by count(*) desc, victims.sex asc) as place
    from standardised.std_victims as victims
    inner join standardised.std_offences as offences on victims.offence_id = offences.offence_id
    where victims.is_person and victims.sex in ('F', 'M')
    group by offences.offence_code, victims.sex
),

judged as (
    select
        staged.*,
        coalesce(known.is_person and known.sex = 'U', false) as is_defect,
        usual.sex as usual_sex
    from staging.stg_extracts__victims as staged
    left join standardised.std_victims as known
        on
            staged.force_code || '|' || staged.crime_ref = known.offence_id
            and staged.victim_no = known.victim_no
    left join standardised.std_offences as offences on known.offence_id = offences.offence_id
    left join usual on offences.offence_code = usual.offence_code and usual.place = 1
)

select
    judged.* exclude (is_defect, usual_sex)
        replace (case when is_defect then coalesce(usual_sex, sex) else sex end as sex),
    is_defect,
    is_defect and usual_sex is not null as is_mended,
    false as is_added
from judged
