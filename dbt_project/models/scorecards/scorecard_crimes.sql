-- Grain: force x check, of the crimes of the month's returns with their victims, suspects, relationships and flags.
{% set of_crimes = [
    'location_known', 'recorded_within_24_hours', 'outcome_within_100_days', 'suspect_identified', 'relationship_given',
    'severity_mapped', 'domestic_risk_known', 'crimes_unique', 'crimes_of_one_force'
] %}
{% set of_people = [
    'victim_sex_known', 'victim_age_known', 'victim_nominal_known', 'suspect_sex_known', 'suspect_age_known'
] %}
{% set of_victims = ['victim_ethnicity_known', 'victim_disability_known', 'victim_age_agrees'] %}
{% set of_flags = ['flags_found', 'flags_borne_out', 'domestic_flag_found'] %}

with run as (
    select * from {{ ref('national_run') }}
),

parameters as (
    {{ scorecard_parameters(
        ['recorded_within_24_hours', 'outcome_within_100_days', 'volume_of_own_months', 'months_received', 'victim_age_agrees']
    ) }}
),

offences as (
    {{ sent_in_the_month('national_offences') }}
    where sent.is_counted
),

involvements as (
    {{ sent_in_the_month('national_involvements') }}
),

relationships as (
    {{ sent_in_the_month('national_relationships') }}
),

flags as (
    {{ sent_in_the_month('national_offence_flags') }}
),

related as (
    select distinct offence_id
    from relationships
),

domestic as (
    select offence_id
    from flags
    where flag = 'DA' and national_value = 'Y'
),

people_of_crimes as (
    select
        offence_id,
        count(case when role = 'victim' and is_person then 1 end) as n_persons,
        count(dash_risk) as n_risks,
        min(case when role = 'victim' then record_id end) as victim_record_id,
        min(case when role = 'suspect' then record_id end) as suspect_record_id
    from involvements
    group by offence_id
),

-- The same class at the same moment in two forces: one crime, if the victim is the same person too.
moments as (
    select
        offences.offence_id,
        elsewhere.offence_id as other_offence_id
    from offences
    inner join {{ ref('national_offences') }} as elsewhere
        on
            offences.offence_code = elsewhere.offence_code
            and offences.committed_from = elsewhere.committed_from
            and offences.force_code <> elsewhere.force_code
    where elsewhere.is_counted
),

twins as (
    select distinct moments.offence_id
    from moments
    inner join {{ ref('national_involvements') }} as victims
        on moments.offence_id = victims.offence_id and victims.role = 'victim'
    inner join {{ ref('national_involvements') }} as other_victims
        on
            moments.other_offence_id = other_victims.offence_id
            and other_victims.role = 'victim'
            and victims.person_id = other_victims.person_id
),

looked_at as (
    select
        offences.*,
        weights.mapping_status,
        people.n_persons,
        people.n_risks,
        people.victim_record_id,
        people.suspect_record_id is not null and people.victim_record_id is not null as has_both,
        related.offence_id is not null as is_related,
        domestic.offence_id is not null as is_domestic,
        twins.offence_id is not null as is_elsewhere,
        row_number() over (
            partition by
                offences.force_code,
                offences.offence_code,
                cast(offences.committed_from as date),
                people.victim_record_id,
                people.suspect_record_id
            order by offences.offence_id
        ) as no_of_alike,
        {{ dbt.datediff('offences.recorded_at', 'offences.outcome_on', 'day') }} as outcome_days,  -- noqa: LT05
        {{ dbt.datediff('offences.reported_at', 'offences.recorded_at', 'hour') }} / 24.0 as recording_days  -- noqa: LT05
    from offences
    left join people_of_crimes as people on offences.offence_id = people.offence_id
    left join {{ ref('harm_weights') }} as weights on offences.offence_code = weights.offence_code
    left join related on offences.offence_id = related.offence_id
    left join domestic on offences.offence_id = domestic.offence_id
    left join twins on offences.offence_id = twins.offence_id
),

measured_crimes as (
    select
        crimes.force_code,
        {{ measured('location_known', "crimes.location_type <> 'UNK'") }},
        {{ measured(
            'recorded_within_24_hours',
            'crimes.recorded_at <= ' ~ dbt.dateadd(
                'hour', 'cast(parameters.recorded_within_24_hours as integer)', 'crimes.reported_at'
            )
        ) }},
        percentile_cont(0.5) within group (order by crimes.recording_days) as recording_days,
        {{ measured(
            'outcome_within_100_days',
            'crimes.outcome_days <= parameters.outcome_within_100_days',
            'crimes.outcome_days is not null'
        ) }},
        percentile_cont(0.5) within group (order by crimes.outcome_days) as outcome_days,
        {{ measured('suspect_identified', 'crimes.n_identified_suspects > 0', 'crimes.is_against_a_person') }},
        {{ measured(
            'relationship_given',
            'crimes.is_related',
            'crimes.is_against_a_person and crimes.n_identified_suspects > 0 and crimes.n_persons > 0'
        ) }},
        {{ measured('severity_mapped', "crimes.mapping_status = 'mapped'", 'crimes.is_against_a_person') }},
        {{ measured('domestic_risk_known', 'crimes.n_risks > 0', 'crimes.is_domestic and crimes.n_persons > 0') }},
        {{ measured('crimes_unique', 'crimes.no_of_alike = 1', 'crimes.has_both') }},
        {{ measured('crimes_of_one_force', 'not crimes.is_elsewhere', 'crimes.victim_record_id is not null') }}
    from looked_at as crimes
    cross join parameters
    group by crimes.force_code
),

measured_people as (
    select
        force_code,
        {{ measured('victim_sex_known', "sex <> 'U'", "role = 'victim' and is_person") }},
        {{ measured('victim_age_known', 'age is not null', "role = 'victim' and is_person") }},
        {{ measured('victim_nominal_known', 'record_id is not null', "role = 'victim' and is_person") }},
        {{ measured('suspect_sex_known', "sex <> 'U'", "role = 'suspect' and is_identified") }},
        {{ measured('suspect_age_known', 'age is not null', "role = 'suspect' and is_identified") }}
    from involvements
    group by force_code
),

victims as (
    select
        victims.force_code,
        victims.ethnicity,
        victims.age,
        victims.age_basis,
        persons.record_id,
        persons.disability,
        {{ age_on('persons.date_of_birth', 'crimes.committed_from') }} as age_by_birth_date
    from {{ ref('std_victims') }} as victims
    inner join run on victims.submission_period = run.period
    inner join {{ ref('national_offences') }} as crimes on victims.offence_id = crimes.offence_id
    left join {{ ref('std_persons') }} as persons on victims.record_id = persons.record_id
    where victims.is_person
),

measured_victims as (
    select
        victims.force_code,
        {{ measured('victim_ethnicity_known', "victims.ethnicity <> 'NS'") }},
        {{ measured('victim_disability_known', "victims.disability in ('Y', 'N')", 'victims.record_id is not null') }},
        {{ measured(
            'victim_age_agrees',
            'abs(victims.age - victims.age_by_birth_date) <= parameters.victim_age_agrees',
            "victims.age_basis = 'recorded' and victims.age_by_birth_date is not null"
        ) }}
    from victims
    cross join parameters
    group by victims.force_code
),

measured_relationships as (
    select
        force_code,
        {{ measured('relationship_known', "relationship <> 'UNK'") }}
    from relationships
    group by force_code
),

measured_agreement as (
    select
        force_code,
        {{ measured('flag_agreement', "force_value = 'Y'") }}
    from flags
    where inferred_confidence = 'definite'
    group by force_code
),

measured_flags as (
    select
        counts.force_code,
        sum(counts.n_both + counts.n_reference_only) as flags_found_of,
        sum(counts.n_both) as flags_found_in,
        sum(counts.n_both + counts.n_rater_only) as flags_borne_out_of,
        sum(counts.n_both) as flags_borne_out_in,
        sum(case when counts.flag = 'DA' then counts.n_both + counts.n_reference_only else 0 end) as domestic_flag_found_of,
        sum(case when counts.flag = 'DA' then counts.n_both else 0 end) as domestic_flag_found_in
    from {{ ref('national_flag_counts') }} as counts
    inner join run on counts.recorded_month = run.period
    where counts.rater = 'force' and counts.reference = 'inferred'
    group by counts.force_code
),

months_in as (
    select distinct
        submissions.force_code,
        submissions.period
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

-- Crimes by month of recording, of months that have a return of their own.
months as (
    select
        months_in.force_code,
        months_in.period,
        count(offences.offence_id) as n_crimes
    from months_in
    cross join run
    cross join parameters
    left join {{ ref('national_offences') }} as offences
        on
            months_in.force_code = offences.force_code
            and months_in.period = offences.recorded_month
            and offences.is_counted
    where
        months_in.period <= run.period
        and months_in.period
        > cast({{ dbt.dateadd('month', '-1 - cast(parameters.months_received as integer)', 'run.period') }} as date)
    group by months_in.force_code, months_in.period
),

population as (
    select
        force_code,
        sum(population) as population
    from {{ ref('population_by_force') }}
    group by force_code
),

volumes as (
    select
        months.force_code,
        max(case when months.period = run.period then months.n_crimes end) as n_crimes,
        count(case when months.period < run.period then 1 end) as n_earlier,
        avg(case when months.period < run.period then months.n_crimes end) as expected
    from months
    cross join run
    group by months.force_code
),

nation as (
    select sum(volumes.n_crimes) / cast(sum(population.population) as double precision) as rate
    from volumes
    inner join population on volumes.force_code = population.force_code
    where volumes.n_crimes is not null
),

measured_volumes as (
    select
        volumes.force_code,
        case when volumes.n_earlier >= parameters.volume_of_own_months then round(volumes.expected) else 0 end
            as volume_of_own_months_of,
        case
            when volumes.n_earlier >= parameters.volume_of_own_months
                then least(volumes.n_crimes, round(volumes.expected))
            else 0
        end as volume_of_own_months_in,
        coalesce(round(nation.rate * population.population), 0) as volume_of_size_of,
        -- A body whose people nobody has counted is not measured.
        least(volumes.n_crimes, coalesce(round(nation.rate * population.population), 0)) as volume_of_size_in
    from volumes
    cross join nation
    cross join parameters
    left join population on volumes.force_code = population.force_code
    where volumes.n_crimes is not null
),

transferred as (
    select
        offences.offence_id,
        offences.force_code,
        max(case when elsewhere.offence_id is null then 0 else 1 end) as has_arrived
    from {{ ref('national_offences') }} as offences
    inner join run on offences.submission_period = run.period
    left join {{ ref('national_offences') }} as elsewhere
        on
            offences.transferred_to_force = elsewhere.force_code
            and offences.offence_code = elsewhere.offence_code
            and offences.committed_from = elsewhere.committed_from
    where offences.status = 'transferred'
    group by offences.offence_id, offences.force_code
),

measured_transfers as (
    select
        force_code,
        {{ measured('transferred_crime_arrived', 'has_arrived = 1') }}
    from transferred
    group by force_code
)

{{ scorecard_rows(
    'measured_crimes', of_crimes,
    {'recorded_within_24_hours': 'recording_days', 'outcome_within_100_days': 'outcome_days'}
) }}
union all
{{ scorecard_rows('measured_people', of_people) }}
union all
{{ scorecard_rows('measured_victims', of_victims) }}
union all
{{ scorecard_rows('measured_relationships', ['relationship_known']) }}
union all
{{ scorecard_rows('measured_agreement', ['flag_agreement']) }}
union all
{{ scorecard_rows('measured_flags', of_flags) }}
union all
{{ scorecard_rows('measured_volumes', ['volume_of_own_months', 'volume_of_size']) }}
union all
{{ scorecard_rows('measured_transfers', ['transferred_crime_arrived']) }}
