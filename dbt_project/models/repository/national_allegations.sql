-- Grain: person x crime: every crime that a linked person is a suspect of, in scope or not, and how the allegation stands.
-- `is_profiled`: it is one that a profile of the person rests on.
with parameters as (
    {{ ranking_parameters(['cut_months']) }}
),

threats as (
    select
        offence_id,
        {{ distinct_list('threat') }} as threats
    from {{ ref('national_offence_scopes') }}
    where definition_id = 'npcc_policing_scope' and threat <> 'all'
    group by offence_id
),

suspects as (
    select
        suspects.*,
        -- Two nominals of one crime may prove to be one person: the suspect that the score takes, else the first.
        row_number() over (
            partition by suspects.person_id, suspects.offence_id
            order by
                case when suspects.role_no = in_scope.suspect_no then 0 else 1 end,
                suspects.role_no asc
        ) as suspect_rank,
        in_scope.offence_id is not null as is_in_scope,
        coalesce(in_scope.is_counted, false) as is_counted,
        in_scope.not_counted_reason
    from {{ ref('national_involvements') }} as suspects
    left join {{ ref('national_vawg_allegations') }} as in_scope
        on suspects.person_id = in_scope.person_id and suspects.offence_id = in_scope.offence_id
    where suspects.role = 'suspect' and suspects.person_id is not null
),

standings as (
    select
        suspects.*,
        offences.crime_ref,
        offences.offence_code,
        offences.offence_group,
        offences.is_against_a_person,
        offences.committed_from,
        offences.reported_at,
        offences.outcome_code,
        offences.outcome_on,
        -- Which of the three speaks: the lowest precedence.
        case
            when
                crime.precedence <= least(coalesce(suspect.precedence, 99), coalesce(outcome.precedence, 99))
                then 'crime_status'
            when suspect.precedence <= coalesce(outcome.precedence, 99) then 'suspect_status'
            else 'outcome_code'
        end as kind,
        offences.status as crime_status
    from suspects
    inner join {{ ref('national_offences') }} as offences on suspects.offence_id = offences.offence_id
    left join {{ ref('allegation_standings') }} as crime
        on crime.kind = 'crime_status' and offences.status = crime.code
    left join {{ ref('allegation_standings') }} as suspect
        on suspect.kind = 'suspect_status' and suspects.suspect_status = suspect.code
    left join {{ ref('allegation_standings') }} as outcome
        on outcome.kind = 'outcome_code' and offences.outcome_code = outcome.code
    where suspects.suspect_rank = 1
)

select
    standings.person_id,
    standings.offence_id,
    standings.force_code,
    standings.crime_ref,
    standings.role_no as suspect_no,
    standings.record_id,
    standings.offence_code,
    standings.offence_group,
    standings.is_against_a_person,
    standings.committed_from,
    standings.reported_at,
    standings.suspect_status,
    standings.arrested_on,
    standings.charged_on,
    standings.outcome_code,
    standings.outcome_on,
    standings.is_in_scope,
    standings.is_counted,
    standings.not_counted_reason,
    coalesce(threats.threats, {{ empty_list(dbt.type_string()) }}) as threats,
    words.standing,
    words.allegation_stands,
    words.is_open,
    words.is_no_further_action,
    words.in_words as standing_in_words,
    -- Somebody against whom nothing stands has no profile, nor has a child or a dead person.
    standings.is_counted
    and not coalesce(gates.is_child, true)
    and not coalesce(gates.is_deceased, true)
    and standings.reported_at <= run.ranked_at
    and standings.reported_at
    > {{ dbt.dateadd('month', '-cast(parameters.cut_months as integer)', 'run.ranked_at') }} as is_profiled
from standings
cross join {{ ref('national_run') }} as run
cross join parameters
left join {{ ref('national_person_gates') }} as gates on standings.person_id = gates.person_id
left join threats on standings.offence_id = threats.offence_id
left join {{ ref('allegation_standings') }} as words
    on
        standings.kind = words.kind
        and case standings.kind
            when 'crime_status' then standings.crime_status
            when 'suspect_status' then standings.suspect_status
            else standings.outcome_code
        end = words.code
