-- Grain: person with a place on the previous release's list x crime that counted against them there, and that was
-- cancelled or taken back since, or of which they are no suspect any more. Whether a nominal is another person's now is
-- a matter of who is who, not of this.
with parameters as (
    {{ ranking_parameters(['top_force', 'top_national']) }}
),

counted_then as (
    select
        people.today_person_id as person_id,
        offences.offence_id,
        offences.record_id
    from {{ ref('stg_run__previous_ranked_perpetrator_offences') }} as offences
    inner join {{ ref('stg_run__previous_ranked_perpetrators') }} as persons on offences.person_id = persons.person_id
    inner join {{ ref('national_previous_persons') }} as people on offences.person_id = people.previous_person_id
    cross join parameters
    where
        offences.is_counted
        and people.today_person_id is not null
        and (persons.national_rank <= parameters.top_national or persons.force_rank <= parameters.top_force)
),

named as (
    -- By the nominal, whoever that is today, or as the person, whichever nominal says so.
    select
        counted_then.person_id,
        counted_then.offence_id
    from counted_then
    inner join {{ ref('national_involvements') }} as suspects
        on counted_then.offence_id = suspects.offence_id and counted_then.record_id = suspects.record_id
    where suspects.role = 'suspect'

    union

    select
        counted_then.person_id,
        counted_then.offence_id
    from counted_then
    inner join {{ ref('national_involvements') }} as suspects
        on counted_then.offence_id = suspects.offence_id and counted_then.person_id = suspects.person_id
    where suspects.role = 'suspect'
)

select
    counted_then.person_id,
    counted_then.offence_id,
    min(
        case
            when crimes.offence_id is null then 'crime_deleted'
            when crimes.status = 'cancelled' then 'crime_cancelled'
            else 'suspect_removed'
        end
    ) as withdrawn_as
from counted_then
left join {{ ref('national_offences') }} as crimes on counted_then.offence_id = crimes.offence_id
left join named on counted_then.person_id = named.person_id and counted_then.offence_id = named.offence_id
where crimes.offence_id is null or crimes.status = 'cancelled' or named.offence_id is null
group by counted_then.person_id, counted_then.offence_id
