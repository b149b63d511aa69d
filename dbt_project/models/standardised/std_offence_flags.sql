-- Grain: crime x national flag, where the force set a marker or a national rule speaks. Three sources kept apart:
-- what the force wrote, what its word maps to with its value, and what rules infer, with the rule as basis.
with rules as (
    -- Conditions on the offence are resolved to codes here, so that crimes join on equality.
    select
        rules.rule_id,
        rules.flag,
        rules.confidence,
        codes.code as offence_code,
        rules.victim_age_min,
        rules.victim_age_max,
        rules.suspect_age_min,
        rules.suspect_age_max,
        rules.unknown_age_meets,
        rules.relationship_group,
        rules.location_type,
        rules.order_type,
        rules.text_sign,
        rules.valid_from,
        rules.valid_to
    from {{ ref('flag_rules') }} as rules
    inner join {{ ref('offence_codes') }} as codes
        on
            (rules.offence_code is null or rules.offence_code = codes.code)
            and (rules.offence_group is null or rules.offence_group = codes.offence_group)
            and (rules.offence_subgroup is null or rules.offence_subgroup = codes.offence_subgroup)
),

pairs as (
    select
        offences.offence_id,
        offences.offence_code,
        offences.location_type,
        offences.recorded_at,
        victims.age as victim_age,
        suspects.age as suspect_age,
        relationships.relationship_group
    from {{ ref('std_offences') }} as offences
    left join {{ ref('std_victims') }} as victims on offences.offence_id = victims.offence_id
    left join {{ ref('std_relationships') }} as relationships
        on victims.offence_id = relationships.offence_id and victims.victim_no = relationships.victim_no
    left join {{ ref('std_suspects') }} as suspects
        on relationships.offence_id = suspects.offence_id and relationships.suspect_no = suspects.suspect_no
),

inferred_from_records as (
    select
        pairs.offence_id,
        rules.flag,
        rules.confidence,
        rules.rule_id
    from pairs
    inner join rules on pairs.offence_code = rules.offence_code
    where
        rules.text_sign is null
        and rules.order_type is null
        and (rules.valid_from is null or pairs.recorded_at >= rules.valid_from)
        and (rules.valid_to is null or cast(pairs.recorded_at as date) <= rules.valid_to)
        and (rules.location_type is null or pairs.location_type = rules.location_type)
        and (rules.relationship_group is null or pairs.relationship_group = rules.relationship_group)
        and {{ age_meets('pairs.victim_age', 'rules.victim_age_min', 'rules.victim_age_max', 'rules.unknown_age_meets') }}
        and {{ age_meets('pairs.suspect_age', 'rules.suspect_age_min', 'rules.suspect_age_max', 'rules.unknown_age_meets') }}
),

inferred_from_orders as (
    select
        offences.offence_id,
        rules.flag,
        rules.confidence,
        rules.rule_id
    from {{ ref('std_protective_orders') }} as orders
    inner join {{ ref('std_offences') }} as offences on orders.breach_offence_id = offences.offence_id
    inner join rules on offences.offence_code = rules.offence_code and orders.order_type = rules.order_type
),

offence_signs as (
    select
        offences.offence_id,
        signs.sign
    from {{ ref('std_offences') }} as offences
    inner join {{ source('text', 'text_signs') }} as signs
        on {{ dbt.hash('offences.modus_operandi') }} = signs.text_hash
),

inferred_from_text as (
    select
        pairs.offence_id,
        rules.flag,
        rules.confidence,
        rules.rule_id
    from offence_signs
    inner join pairs on offence_signs.offence_id = pairs.offence_id
    inner join rules on pairs.offence_code = rules.offence_code and offence_signs.sign = rules.text_sign
    where
        (rules.valid_from is null or pairs.recorded_at >= rules.valid_from)
        and (rules.valid_to is null or cast(pairs.recorded_at as date) <= rules.valid_to)
        and {{ age_meets('pairs.victim_age', 'rules.victim_age_min', 'rules.victim_age_max', 'rules.unknown_age_meets') }}
        and {{ age_meets('pairs.suspect_age', 'rules.suspect_age_min', 'rules.suspect_age_max', 'rules.unknown_age_meets') }}
),

inferred as (
    select * from inferred_from_records
    union all
    select * from inferred_from_orders
    union all
    select * from inferred_from_text
),

evidence as (
    select
        offences.offence_id,
        mappings.national_code as flag,
        'force' as kind,
        flags.value,
        flags.flag as raw_value,
        cast(null as {{ dbt.type_string() }}) as rule_id
    from {{ ref('stg_extracts__flags') }} as flags
    inner join {{ ref('std_offences') }} as offences
        on
            flags.force_code = offences.force_code
            and flags.crime_ref = offences.crime_ref
            and flags.submission_id = offences.submission_id
    inner join {{ ref('std_value_mappings') }} as mappings
        on
            flags.force_code = mappings.force_code
            and flags.period = mappings.period
            and mappings.field = 'flag'
            and {{ raw_key('flags.flag') }} = mappings.raw_key
            and mappings.national_code is not null

    union all

    select
        offence_id,
        flag,
        confidence || '_rule' as kind,
        'Y' as value,
        cast(null as {{ dbt.type_string() }}) as raw_value,
        rule_id
    from inferred
),

weighed as (
    select
        evidence.offence_id,
        evidence.flag,
        min(evidence.raw_value) as force_raw_value,
        min(case when evidence.kind = 'force' then precedence.precedence end) as force_precedence,
        min(case when evidence.kind = 'definite_rule' then evidence.rule_id end) as definite_rule,
        min(case when evidence.kind = 'probable_rule' then evidence.rule_id end) as probable_rule,
        min(precedence.precedence) as precedence
    from evidence
    inner join {{ ref('flag_precedence') }} as precedence
        on evidence.kind = precedence.kind and evidence.value = precedence.value
    group by evidence.offence_id, evidence.flag
),

readers as (
    select max(model_version) as model_version
    from {{ source('text', 'text_signs') }}
)

select
    weighed.offence_id,
    weighed.flag,
    offences.force_code,
    offences.submission_period,
    weighed.force_raw_value,
    force_precedence.value as force_value,
    case when coalesce(weighed.definite_rule, weighed.probable_rule) is not null then 'Y' end as inferred_value,
    case
        when weighed.definite_rule is not null then 'definite'
        when weighed.probable_rule is not null then 'probable'
    end as inferred_confidence,
    coalesce(weighed.definite_rule, weighed.probable_rule) as inferred_basis,
    case
        when inferring_rules.text_sign is null then inferring_rules.version
        else readers.model_version
    end as inferred_version,
    national_precedence.national_value,
    national_precedence.basis as national_basis
from weighed
inner join {{ ref('std_offences') }} as offences on weighed.offence_id = offences.offence_id
inner join {{ ref('flag_precedence') }} as national_precedence on weighed.precedence = national_precedence.precedence
left join {{ ref('flag_rules') }} as inferring_rules
    on coalesce(weighed.definite_rule, weighed.probable_rule) = inferring_rules.rule_id
cross join readers
left join {{ ref('flag_precedence') }} as force_precedence on weighed.force_precedence = force_precedence.precedence
