-- Grain: one crime in the version that stands, without its text.
with victims as (
    select
        offence_id,
        count(*) as n_victims
    from {{ ref('std_victims') }}
    group by offence_id
),

suspects as (
    select
        offence_id,
        count(*) as n_suspects,
        sum(case when is_identified then 1 else 0 end) as n_identified_suspects,
        count(arrested_on) as n_arrested_suspects,
        min(age) as youngest_suspect_age
    from {{ ref('std_suspects') }}
    group by offence_id
)

select
    offences.offence_id,
    offences.force_code,
    offences.crime_ref,
    offences.submission_id,
    offences.submission_period,
    offences.offence_code,
    offences.offence_group,
    offences.offence_subgroup,
    offences.is_against_a_person,
    offences.committed_from,
    offences.committed_to,
    offences.reported_at,
    offences.recorded_at,
    offences.recorded_month,
    offences.location_type_raw,
    offences.location_type,
    offences.outcome_code,
    offences.outcome_group,
    offences.outcome_on,
    offences.is_charged,
    offences.is_closed,
    offences.status,
    offences.is_counted,
    offences.cancellation_reason,
    offences.transferred_to_force,
    offences.injury,
    offences.weapon,
    cast(coalesce(victims.n_victims, 0) as bigint) as n_victims,
    cast(coalesce(suspects.n_suspects, 0) as bigint) as n_suspects,
    cast(coalesce(suspects.n_identified_suspects, 0) as bigint) as n_identified_suspects,
    cast(coalesce(suspects.n_arrested_suspects, 0) as bigint) as n_arrested_suspects,
    suspects.youngest_suspect_age
from {{ ref('std_offences') }} as offences
left join victims on offences.offence_id = victims.offence_id
left join suspects on offences.offence_id = suspects.offence_id
