-- Grain: person x crime under the NPCC scope: every allegation against a linked person, counted or not, with what
-- decides about it. Scores are a mart; the facts they rest on are here.
with parameters as (
    {{ ranking_parameters(['responsible_age', 'adult_age']) }}
),

treatments as (
    select
        kind,
        code,
        outcome_weight,
        is_outcome_known,
        reason
    from {{ ref('outcome_treatment') }}
),

co_suspects as (
    select
        offence_id,
        count(*) as n_suspects
    from {{ ref('national_involvements') }}
    where role = 'suspect' and is_identified
    group by offence_id
),

judged as (
    select
        suspects.person_id,
        suspects.person_no,
        suspects.offence_id,
        suspects.role_no as suspect_no,
        suspects.record_id,
        suspects.link_probability,
        suspects.suspect_status,
        suspects.youngest_age as age_at_offence,
        offences.force_code,
        offences.crime_ref,
        offences.offence_code,
        offences.committed_from,
        offences.reported_at,
        offences.outcome_code,
        offences.outcome_on,
        weights.version as weights_version,
        weights.cchi_days as severity_days,
        weights.ons_css_weight,
        weights.mapping_status = 'mapped' as is_severity_mapped,
        scopes.definition_id,
        scopes.definition_version,
        coalesce(outcome_treatments.is_outcome_known, false) as is_outcome_known,
        coalesce(co_suspects.n_suspects, 1) - 1 as n_co_suspects,
        -- The first that applies is the reason that is shown; any of them is enough.
        case
            when crime_treatments.outcome_weight = 0 then crime_treatments.reason
            when suspect_treatments.outcome_weight = 0 then suspect_treatments.reason
            when suspects.youngest_age < parameters.responsible_age
                then 'the suspect was under the age of criminal responsibility'
            when suspects.youngest_age < parameters.adult_age then 'the suspect was under 18'
            when outcome_treatments.outcome_weight = 0 then outcome_treatments.reason
        end as not_counted_reason,
        -- Whether anything but the suspect's age keeps it from counting.
        coalesce(crime_treatments.outcome_weight, 1) <> 0
        and coalesce(suspect_treatments.outcome_weight, 1) <> 0
        and coalesce(outcome_treatments.outcome_weight, 1) <> 0 as is_allegation_standing
    from {{ ref('national_involvements') }} as suspects
    inner join {{ ref('national_offences') }} as offences on suspects.offence_id = offences.offence_id
    inner join {{ ref('national_offence_scopes') }} as scopes
        on
            offences.offence_id = scopes.offence_id
            and scopes.definition_id = 'npcc_policing_scope'
            and scopes.threat = 'all'
    cross join parameters
    left join {{ ref('harm_weights') }} as weights on offences.offence_code = weights.offence_code
    left join treatments as crime_treatments
        on crime_treatments.kind = 'crime_status' and offences.status = crime_treatments.code
    left join treatments as suspect_treatments
        on suspect_treatments.kind = 'suspect_status' and suspects.suspect_status = suspect_treatments.code
    left join treatments as outcome_treatments
        on outcome_treatments.kind = 'outcome_code' and offences.outcome_code = outcome_treatments.code
    left join co_suspects on offences.offence_id = co_suspects.offence_id
    where suspects.role = 'suspect' and suspects.person_id is not null
),

ranked as (
    -- Two nominals of one crime may prove to be one person: one allegation, the one that counts, by the surer link.
    select
        judged.*,
        row_number() over (
            partition by judged.person_no, judged.offence_id
            order by
                case when judged.not_counted_reason is null then 0 else 1 end,
                judged.link_probability desc,
                judged.suspect_no asc
        ) as allegation_rank
    from judged
)

select
    person_id,
    person_no,
    offence_id,
    force_code,
    crime_ref,
    suspect_no,
    record_id,
    link_probability,
    definition_id,
    definition_version,
    offence_code,
    committed_from,
    reported_at,
    suspect_status,
    age_at_offence,
    outcome_code,
    outcome_on,
    is_outcome_known,
    cast(n_co_suspects as bigint) as n_co_suspects,
    severity_days,
    ons_css_weight,
    is_severity_mapped,
    weights_version,
    case when not_counted_reason is null then 1 else 0 end as outcome_weight,
    not_counted_reason is null as is_counted,
    is_allegation_standing,
    not_counted_reason
from ranked
where allegation_rank = 1
