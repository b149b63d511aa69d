{#
    Which version of each record stands: the newest by (extracted_at, period, sequence) per force and
    reference, less those a force took back. A record comes back if it is sent again after its deletion.

    Gives a select of force_code, <key>, submission_id: the record's rows and its children are those of
    that submission.
#}
{% macro current_records(staging_model, extract, key) %}
    select
        ranked.force_code,
        ranked.{{ key }},
        ranked.submission_id
    from (
        select
            versions.force_code,
            versions.{{ key }},
            versions.submission_id,
            versions.extracted_at,
            row_number() over (
                partition by versions.force_code, versions.{{ key }}
                order by
                    versions.extracted_at desc,
                    versions.period desc,
                    versions.sequence desc,
                    versions.submission_id desc
            ) as version_rank
        from (
            select distinct
                force_code,
                {{ key }},
                submission_id,
                extracted_at,
                period,
                sequence
            from {{ ref(staging_model) }}
        ) as versions
    ) as ranked
    left join (
        select
            force_code,
            record_ref,
            max(extracted_at) as deletion_extracted_at
        from {{ ref('stg_extracts__deletions') }}
        where extract = '{{ extract }}'
        group by force_code, record_ref
    ) as taken_back
        on ranked.force_code = taken_back.force_code and ranked.{{ key }} = taken_back.record_ref
    where
        ranked.version_rank = 1
        and (
            taken_back.deletion_extracted_at is null
            or taken_back.deletion_extracted_at <= ranked.extracted_at
        )
{% endmacro %}

{# Whole years between a birth date and a day; null where either is. #}
{% macro age_on(date_of_birth, day) -%}
    cast(
        floor(
            (
                (extract(year from {{ day }}) - extract(year from {{ date_of_birth }})) * 10000
                + (extract(month from {{ day }}) - extract(month from {{ date_of_birth }})) * 100
                + (extract(day from {{ day }}) - extract(day from {{ date_of_birth }}))
            ) / 10000.0
        ) as bigint
    )
{%- endmacro %}

{# True where an age lies in a condition's bounds; an unknown age meets it only where the condition says so. #}
{% macro age_meets(age, age_min, age_max, unknown_age_meets) -%}
    (
        ({{ age_min }} is null and {{ age_max }} is null)
        or ({{ age }} is null and {{ unknown_age_meets }})
        or (
            {{ age }} is not null
            and {{ age }} >= coalesce({{ age_min }}, 0)
            and {{ age }} <= coalesce({{ age_max }}, 200)
        )
    )
{%- endmacro %}

{# What a force wrote, as it is compared: upper case, without surrounding blanks. #}
{% macro raw_key(column) -%} upper(trim({{ column }})) {%- endmacro %}
