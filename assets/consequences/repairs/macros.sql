{#- What several repairs share. A repair gives the rows of its staging model, with is_defect, is_mended
    and is_added (the row is not in staging). -#}
{%- macro relationships(is_defect) %}
with usual as (
    select
        relationships.force_code,
        offences.offence_subgroup,
        relationships.relationship_raw,
        row_number() over (
            partition by relationships.force_code, offences.offence_subgroup
            order by count(*) desc, relationships.relationship_raw asc
        ) as place
    from standardised.std_relationships as relationships
    inner join standardised.std_offences as offences on relationships.offence_id = offences.offence_id
    where relationships.relationship is not null and relationships.relationship <> 'UNK'
    group by relationships.force_code, offences.offence_subgroup, relationships.relationship_raw
),

judged as (
    select
        staged.*,
        {{ is_defect }} as is_defect,
        usual.relationship_raw as usual_word
    from staging.stg_extracts__relationships as staged
    left join standardised.std_value_mappings as mappings
        on
            staged.force_code = mappings.force_code
            and staged.period = mappings.period
            and mappings.field = 'relationship'
            and upper(trim(staged.relationship)) = mappings.raw_key
    left join standardised.std_offences as offences
        on staged.force_code || '|' || staged.crime_ref = offences.offence_id
    left join usual
        on
            staged.force_code = usual.force_code
            and offences.offence_subgroup = usual.offence_subgroup
            and usual.place = 1
)

select
    judged.* exclude (is_defect, usual_word)
        replace (case when is_defect then coalesce(usual_word, relationship) else relationship end as relationship),
    is_defect,
    is_defect and usual_word is not null as is_mended,
    false as is_added
from judged
{% endmacro -%}

{#- The rows of an extract that were refused, read as far as they can be, beside those that were accepted. -#}
{%- macro let_in(extract, key, needed) %}
with accepted as (
    select * from staging.stg_extracts__{{ extract }}
),

refused as (
    select
        submissions.submission_id,
        submissions.force_code,
        submissions.period,
        submissions.sequence,
        submissions.extracted_at,
        {% for column, type in columns['stg_extracts__' ~ extract] if column not in
            ['submission_id', 'force_code', 'period', 'sequence', 'extracted_at'] %}
        {% if column in refused_columns[extract] -%}
        try_cast(rows.{{ column }} as {{ type }}) as {{ column }}
        {%- else -%} null as {{ column }} {%- endif %}{{ ',' if not loop.last }}
        {% endfor %}
    from ({{ refused_rows[extract] }}) as rows
    inner join repository.national_submissions as submissions
        on parse_filename(rows.filename, true) = submissions.submission_id
    where submissions.is_in
),

-- Of a record that was accepted in another version nothing is missing.
missing as (
    select refused.*
    from refused
    anti join accepted
        on refused.force_code = accepted.force_code and refused.crime_ref = accepted.crime_ref
    where {{ needed }}
    qualify row_number() over (partition by refused.force_code, {{ key }} order by refused.extracted_at desc) = 1
)

select *, false as is_defect, false as is_mended, false as is_added from accepted
union all by name
select *, true as is_defect, true as is_mended, true as is_added from missing
{% endmacro -%}
