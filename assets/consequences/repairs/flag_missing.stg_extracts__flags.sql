-- Flags as staged, and those that national rules infer and the force did not set, in the force's own word.
with own_words as (
    select
        systems.force_code,
        systems.valid_from,
        systems.valid_to,
        words.national_code as flag,
        min(words.raw_value) as word
    from codes.force_record_systems as systems
    inner join codes.code_mappings as words on systems.record_system = words.record_system and words.field = 'flag'
    group by systems.force_code, systems.valid_from, systems.valid_to, words.national_code
),

missing as (
    select
        offences.submission_id,
        offences.force_code,
        offences.submission_period as period,
        submissions.sequence,
        offences.extracted_at,
        offences.crime_ref,
        own_words.word as flag,
        'Y' as value,
        own_words.word is not null as is_mended
    from standardised.std_offence_flags as flags
    inner join standardised.std_offences as offences on flags.offence_id = offences.offence_id
    inner join repository.national_submissions as submissions
        on offences.submission_id = submissions.submission_id
    left join own_words
        on
            offences.force_code = own_words.force_code
            and flags.flag = own_words.flag
            and offences.submission_period >= own_words.valid_from
            and (own_words.valid_to is null or offences.submission_period <= own_words.valid_to)
    where flags.inferred_value = 'Y' and flags.force_value is null
)

select *, false as is_defect, false as is_mended, false as is_added from staging.stg_extracts__flags
union all by name
select * exclude (is_mended), true as is_defect, is_mended, true as is_added from missing
