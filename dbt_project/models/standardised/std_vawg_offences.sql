-- Grain: crime x definition x threat. The row with threat 'all' says that the crime meets the definition; a crime can
-- meet several threats, and is counted once under 'all'. Cancelled crimes keep their rows; `is_counted` leaves them out.
with conditions as (
    -- Conditions on the offence are resolved to codes here, so that crimes join on equality.
    select
        conditions.definition_id,
        definitions.version,
        definitions.valid_from,
        definitions.valid_to,
        conditions.effect,
        codes.code as offence_code,
        conditions.victim_sex,
        conditions.victim_age_min,
        conditions.victim_age_max,
        conditions.unknown_age_meets,
        conditions.flag
    from {{ ref('vawg_definition_conditions') }} as conditions
    inner join {{ ref('vawg_definitions') }} as definitions
        on conditions.definition_id = definitions.definition_id and conditions.version = definitions.version
    inner join {{ ref('offence_codes') }} as codes
        on
            (conditions.offence_code is null or conditions.offence_code = codes.code)
            and (conditions.offence_group is null or conditions.offence_group = codes.offence_group)
            and (conditions.offence_subgroup is null or conditions.offence_subgroup = codes.offence_subgroup)
),

included as (
    select conditions.*
    from conditions
    left join conditions as exclusions
        on
            conditions.definition_id = exclusions.definition_id
            and conditions.version = exclusions.version
            and conditions.offence_code = exclusions.offence_code
            and exclusions.effect = 'exclude'
    where conditions.effect = 'include' and exclusions.offence_code is null
),

victims as (
    select
        offences.offence_id,
        offences.force_code,
        offences.offence_code,
        offences.recorded_at,
        offences.is_counted,
        victims.sex,
        victims.age
    from {{ ref('std_offences') }} as offences
    left join {{ ref('std_victims') }} as victims on offences.offence_id = victims.offence_id
),

meeting as (
    select distinct
        victims.offence_id,
        victims.force_code,
        victims.is_counted,
        included.definition_id,
        included.version as definition_version
    from victims
    inner join included on victims.offence_code = included.offence_code
    left join {{ ref('std_offence_flags') }} as flags
        on
            victims.offence_id = flags.offence_id
            and included.flag = flags.flag
            and flags.national_value = 'Y'
    where
        (included.valid_from is null or victims.recorded_at >= included.valid_from)
        and (included.valid_to is null or cast(victims.recorded_at as date) <= included.valid_to)
        and (included.flag is null or flags.flag is not null)
        and (included.victim_sex is null or victims.sex = included.victim_sex)
        and {{ age_meets(
            'victims.age',
            'included.victim_age_min',
            'included.victim_age_max',
            'included.unknown_age_meets'
        ) }}
),

threat_conditions as (
    select
        conditions.threat,
        codes.code as offence_code,
        conditions.victim_sex,
        conditions.victim_age_min,
        conditions.victim_age_max,
        conditions.unknown_age_meets,
        conditions.flag
    from {{ ref('threat_conditions') }} as conditions
    inner join {{ ref('offence_codes') }} as codes
        on
            (conditions.offence_code is null or conditions.offence_code = codes.code)
            and (conditions.offence_group is null or conditions.offence_group = codes.offence_group)
            and (conditions.offence_subgroup is null or conditions.offence_subgroup = codes.offence_subgroup)
),

threats as (
    select distinct
        victims.offence_id,
        threat_conditions.threat
    from victims
    inner join threat_conditions on victims.offence_code = threat_conditions.offence_code
    left join {{ ref('std_offence_flags') }} as flags
        on
            victims.offence_id = flags.offence_id
            and threat_conditions.flag = flags.flag
            and flags.national_value = 'Y'
    where
        (threat_conditions.flag is null or flags.flag is not null)
        and (threat_conditions.victim_sex is null or victims.sex = threat_conditions.victim_sex)
        and {{ age_meets(
            'victims.age',
            'threat_conditions.victim_age_min',
            'threat_conditions.victim_age_max',
            'threat_conditions.unknown_age_meets'
        ) }}
)

select
    offence_id,
    definition_id,
    'all' as threat,
    definition_version,
    force_code,
    is_counted
from meeting

union all

select
    meeting.offence_id,
    meeting.definition_id,
    threats.threat,
    meeting.definition_version,
    meeting.force_code,
    meeting.is_counted
from meeting
inner join threats on meeting.offence_id = threats.offence_id
