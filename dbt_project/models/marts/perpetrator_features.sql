-- Grain: person x kind of feature x value: in how many of the allegations that count, from the crimes' structured fields.
-- A crime may have several values of a kind (two threats, two flags), so shares of a kind need not add up to 1.
with allegations as (
    select
        person_id,
        offence_id,
        suspect_no,
        count(*) over (partition by person_id) as n_allegations
    from {{ ref('national_allegations') }}
    where is_profiled
),

profiled as (
    select distinct offence_id
    from allegations
),

crimes as (
    select offences.*
    from {{ ref('national_offences') }} as offences
    inner join profiled on offences.offence_id = profiled.offence_id
),

threats as (
    select
        offence_id,
        threat
    from {{ ref('national_offence_scopes') }}
    where definition_id = 'npcc_policing_scope' and threat <> 'all'
),

flags as (
    select
        offence_id,
        flag
    from {{ ref('national_offence_flags') }}
    where national_value = 'Y'
),

fields as (
    -- Each crime's structured fields, one below the other. What was not said is 'unknown', so that a share can be judged.
    -- Only a relationship is of one suspect; the rest is of the crime.
    {% for kind in ['location_type', 'weapon', 'injury'] %}
        select
            offence_id,
            cast(null as bigint) as suspect_no,
            '{{ kind }}' as kind,
            case when {{ kind }} = 'UNK' then 'unknown' else coalesce({{ kind }}, 'unknown') end as field_value
        from crimes

        union all
    {% endfor %}
    select
        offence_id,
        cast(null as bigint) as suspect_no,
        'offence_group' as kind,
        offence_group as field_value
    from crimes

    union all

    select
        offence_id,
        cast(null as bigint) as suspect_no,
        'flag' as kind,
        flag as field_value
    from flags

    union all

    select
        offence_id,
        cast(null as bigint) as suspect_no,
        'threat' as kind,
        threat as field_value
    from threats

    union all

    select
        offence_id,
        suspect_no,
        'relationship' as kind,
        case when relationship = 'UNK' then 'unknown' else coalesce(relationship, 'unknown') end as field_value
    from {{ ref('national_relationships') }}
),

observed as (
    select
        offence_id,
        suspect_no,
        kind,
        field_value
    from fields

    union all

    -- The features of the modus operandi: any of several fields may show one.
    select
        fields.offence_id,
        fields.suspect_no,
        'mo_feature' as kind,
        features.mo_feature as field_value
    from fields
    inner join {{ ref('mo_features') }} as features
        on fields.kind = features.kind and fields.field_value = features.code
),

labels as (
    select
        'location_type' as kind,
        code,
        label
    from {{ ref('location_types') }}
    {% for kind, seed in [
        ('weapon', 'weapons'),
        ('injury', 'injuries'),
        ('flag', 'flag_types'),
        ('relationship', 'relationship_types'),
    ] %}
        union all
        select
            '{{ kind }}' as kind,
            code,
            label
        from {{ ref(seed) }}
    {% endfor %}
    union all
    select
        'threat' as kind,
        threat as code,
        label
    from {{ ref('threats') }}
    union all
    select distinct
        'mo_feature' as kind,
        mo_feature as code,
        label
    from {{ ref('mo_features') }}
),

counted as (
    select
        allegations.person_id,
        observed.kind,
        observed.field_value,
        count(distinct allegations.offence_id) as n_allegations,
        max(allegations.n_allegations) as n_of
    from allegations
    inner join observed
        on
            allegations.offence_id = observed.offence_id
            and (observed.suspect_no is null or allegations.suspect_no = observed.suspect_no)
    group by allegations.person_id, observed.kind, observed.field_value
)

select
    counted.person_id,
    counted.kind as feature_kind,
    counted.field_value as feature,
    coalesce(labels.label, case when counted.field_value = 'unknown' then 'Not known' else counted.field_value end)
        as feature_label,
    counted.n_allegations,
    counted.n_of as n_allegations_of_person,
    cast(counted.n_allegations as double precision) / counted.n_of as allegation_share
from counted
left join labels on counted.kind = labels.kind and counted.field_value = labels.code
