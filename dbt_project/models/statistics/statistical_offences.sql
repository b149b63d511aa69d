-- Grain: one crime that stands, recorded in a month that its force sent a return for: what statistics read of it.
with covered as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

parameters as (
    {{ statistics_parameters(['adult_age']) }}
)

select
    offences.offence_id,
    offences.force_code,
    offences.recorded_month,
    bits.definition_bits,
    bits.threat_bits,
    offences.reported_at,
    offences.committed_from,
    offences.offence_code,
    coalesce(offences.offence_group, 'unknown') as offence_group,
    coalesce(offences.offence_subgroup, 'unknown') as offence_subgroup,
    coalesce(kinds.offence_kind, 'other') as offence_kind,
    coalesce(
        offences.location_type,
        case when offences.location_type_raw is null then 'blank' else 'unmapped' end
    ) as location_type,
    coalesce(offences.outcome_group, 'unknown') as outcome_group,
    coalesce(stages.outcome_stage, 'unknown') as outcome_stage,
    offences.is_charged,
    offences.is_closed,
    case
        when offences.is_charged and offences.outcome_on >= cast(offences.reported_at as date)
            then {{ dbt.datediff('cast(offences.reported_at as date)', 'offences.outcome_on', 'day') }}
    end as charge_days,
    offences.n_arrested_suspects,
    offences.youngest_suspect_age < parameters.adult_age as has_child_suspect
from {{ ref('national_offences') }} as offences
inner join covered
    on offences.force_code = covered.force_code and offences.recorded_month = covered.recorded_month
inner join {{ ref('offence_scope_bits') }} as bits on offences.offence_id = bits.offence_id
cross join parameters
left join {{ ref('offence_kinds') }} as kinds on offences.offence_code = kinds.offence_code
left join {{ ref('outcome_stages') }} as stages on offences.outcome_code = stages.outcome_code
