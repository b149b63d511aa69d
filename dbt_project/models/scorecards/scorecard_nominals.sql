-- Grain: force x check, of nominals: what is known of suspects, whether references hold, how well they can be linked.
{% set of_suspects = [
    'custody_known', 'suspect_ethnicity_known', 'suspect_date_of_birth_known', 'suspect_strong_identifier',
    'suspect_linkable', 'suspect_surely_linked'
] %}

with run as (
    select * from {{ ref('national_run') }}
),

parameters as ({{ scorecard_parameters(['suspect_surely_linked', 'person_refs_kept']) }}),

suspects as (
    select
        involvements.force_code,
        records.date_of_birth,
        records.has_strong_identifier,
        records.in_custody,
        records.withheld,
        records.link_probability,
        persons.forenames,
        persons.surname,
        persons.postcode,
        persons.phone,
        persons.ethnicity_self_defined,
        officer_defined.high_level_group as officer_defined_group
    from {{ ref('national_involvements') }} as involvements
    inner join run on involvements.submission_period = run.period
    inner join {{ ref('national_person_records') }} as records on involvements.record_id = records.record_id
    inner join {{ ref('std_persons') }} as persons on records.record_id = persons.record_id
    left join {{ ref('ethnicity_officer_defined') }} as officer_defined
        on persons.ethnicity_officer_defined = officer_defined.code
    where involvements.role = 'suspect'
),

measured_suspects as (
    select
        suspects.force_code,
        {{ measured('custody_known', "suspects.in_custody in ('Y', 'N')") }},
        {{ measured(
            'suspect_ethnicity_known',
            "suspects.ethnicity_self_defined <> 'NS' or suspects.officer_defined_group <> 'Unknown'"
        ) }},
        {{ measured('suspect_date_of_birth_known', 'suspects.date_of_birth is not null') }},
        {{ measured('suspect_strong_identifier', 'suspects.has_strong_identifier') }},
        {{ measured(
            'suspect_linkable',
            'suspects.forenames is not null and suspects.surname is not null and suspects.date_of_birth is not null '
            ~ 'and (suspects.has_strong_identifier or suspects.postcode is not null or suspects.phone is not null)'
        ) }},
        {{ measured(
            'suspect_surely_linked',
            'not suspects.withheld and suspects.link_probability >= parameters.suspect_surely_linked'
        ) }}
    from suspects
    cross join parameters
    group by suspects.force_code
),

measured_records as (
    select
        force_code,
        count(*) as nominals_unique_of,
        count(distinct person_id) as nominals_unique_in
    from {{ ref('national_person_records') }}
    group by force_code
),

sent_now as (
    select persons.*
    from {{ ref('stg_extracts__persons') }} as persons
    inner join run on persons.period = run.period
),

sent_before as (
    select persons.*
    from {{ ref('stg_extracts__persons') }} as persons
    cross join run
    cross join parameters
    where
        persons.period < run.period
        and persons.period
        >= cast({{ dbt.dateadd('month', '-cast(parameters.person_refs_kept as integer)', 'run.period') }} as date)
),

placeholder_dates as (
    select cast(value as date) as date_of_birth
    from {{ ref('placeholders') }}
    where kind = 'date_of_birth'
),

measured_births as (
    select
        sent_now.force_code,
        {{ measured(
            'birth_date_not_new_year',
            'extract(month from sent_now.date_of_birth) <> 1 or extract(day from sent_now.date_of_birth) <> 1',
            'sent_now.date_of_birth is not null'
        ) }}
    from sent_now
    group by sent_now.force_code
),

same_names as (
    select
        sent_now.force_code,
        sent_now.person_ref,
        max(case when sent_now.person_ref = sent_before.person_ref then 1 else 0 end) as is_kept
    from sent_now
    inner join sent_before
        on
            sent_now.force_code = sent_before.force_code
            and sent_now.surname = sent_before.surname
            and sent_now.forenames = sent_before.forenames
            and sent_now.date_of_birth = sent_before.date_of_birth
    left join placeholder_dates on sent_now.date_of_birth = placeholder_dates.date_of_birth
    where placeholder_dates.date_of_birth is null
    group by sent_now.force_code, sent_now.person_ref
),

same_references as (
    select
        sent_now.force_code,
        sent_now.person_ref,
        max(case when sent_now.pnc_id = sent_before.pnc_id then 1 else 0 end) as is_kept
    from sent_now
    inner join sent_before
        on sent_now.force_code = sent_before.force_code and sent_now.person_ref = sent_before.person_ref
    where sent_now.pnc_id is not null and sent_before.pnc_id is not null
    group by sent_now.force_code, sent_now.person_ref
),

measured_names as (
    select
        force_code,
        {{ measured('person_refs_kept', 'is_kept = 1') }}
    from same_names
    group by force_code
),

measured_pnc_ids as (
    select
        force_code,
        {{ measured('pnc_ids_kept', 'is_kept = 1') }}
    from same_references
    group by force_code
)

{{ scorecard_rows('measured_suspects', of_suspects) }}
union all
{{ scorecard_rows('measured_records', ['nominals_unique']) }}
union all
{{ scorecard_rows('measured_births', ['birth_date_not_new_year']) }}
union all
{{ scorecard_rows('measured_names', ['person_refs_kept']) }}
union all
{{ scorecard_rows('measured_pnc_ids', ['pnc_ids_kept']) }}
