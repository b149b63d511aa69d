-- Grain: month of recording x force x definition x threat x measure x breakdown x value. Additive: every longer period
-- and the nation are sums of these. Only months that a force sent a return for; within them a missing crime is a zero.
with covered as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

scopes as (
    select
        offences.offence_id,
        offences.recorded_month,
        offences.force_code,
        scopes.definition_id,
        scopes.threat
    from {{ ref('national_offence_scopes') }} as scopes
    inner join {{ ref('national_offences') }} as offences on scopes.offence_id = offences.offence_id
    inner join covered
        on offences.force_code = covered.force_code and offences.recorded_month = covered.recorded_month
    where scopes.is_counted
),

offence_cube as (
    select
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        offences.offence_group,
        offences.outcome_group,
        coalesce(
            offences.location_type,
            case when offences.location_type_raw is null then 'blank' else 'unmapped' end
        ) as location_type,
        offences.is_charged,
        offences.is_closed,
        count(*) as n
    from scopes
    inner join {{ ref('national_offences') }} as offences on scopes.offence_id = offences.offence_id
    group by
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        offences.offence_group,
        offences.outcome_group,
        coalesce(
            offences.location_type,
            case when offences.location_type_raw is null then 'blank' else 'unmapped' end
        ),
        offences.is_charged,
        offences.is_closed
),

person_cube as (
    select
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        involvements.role,
        involvements.sex,
        involvements.age_band,
        count(*) as n
    from scopes
    inner join {{ ref('national_involvements') }} as involvements on scopes.offence_id = involvements.offence_id
    where
        involvements.is_person
        and (
            involvements.role = 'victim'
            or (involvements.is_identified and involvements.allegation_stands)
        )
    group by
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        involvements.role,
        involvements.sex,
        involvements.age_band
),

relationship_cube as (
    select
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        coalesce(relationships.relationship, 'unmapped') as relationship,
        coalesce(relationships.relationship_group, 'unmapped') as relationship_group,
        sum(case when relationships.victim_sex = 'F' then 1 else 0 end) as n_female,
        count(*) as n
    from scopes
    inner join {{ ref('national_relationships') }} as relationships on scopes.offence_id = relationships.offence_id
    group by
        scopes.recorded_month,
        scopes.force_code,
        scopes.definition_id,
        scopes.threat,
        coalesce(relationships.relationship, 'unmapped'),
        coalesce(relationships.relationship_group, 'unmapped')
),

{% set measures = [
    ('offence_cube', 'offences', 'none', 'n', 'null', 'true'),
    ('offence_cube', 'offences', 'offence_group', 'n', 'null', 'true'),
    ('offence_cube', 'offences', 'outcome_group', 'n', 'null', 'true'),
    ('offence_cube', 'offences', 'location_type', 'n', 'null', 'true'),
    ('offence_cube', 'share_of_recorded_crime', 'none', 'n', '0', 'true'),
    ('offence_cube', 'charged_share', 'none', 'case when is_charged then n else 0 end', 'n', 'is_closed'),
    ('person_cube', 'victims', 'none', 'n', 'null', "role = 'victim'"),
    ('person_cube', 'victims', 'sex', 'n', 'null', "role = 'victim'"),
    ('person_cube', 'victims', 'age_band', 'n', 'null', "role = 'victim'"),
    ('person_cube', 'victims_female_share', 'none', "case when sex = 'F' then n else 0 end", 'n', "role = 'victim'"),
    (
        'person_cube', 'victims_female_share_sex_known', 'none',
        "case when sex = 'F' then n else 0 end", 'n', "role = 'victim' and sex <> 'U'"
    ),
    ('person_cube', 'suspects', 'none', 'n', 'null', "role = 'suspect'"),
    ('person_cube', 'suspects', 'sex', 'n', 'null', "role = 'suspect'"),
    ('person_cube', 'suspects', 'age_band', 'n', 'null', "role = 'suspect'"),
    ('relationship_cube', 'victims', 'relationship', 'n', 'null', 'true'),
    ('relationship_cube', 'victims', 'relationship_group', 'n', 'null', 'true'),
    ('relationship_cube', 'victims_female_share', 'relationship', 'n_female', 'n', 'true'),
    ('relationship_cube', 'victims_female_share', 'relationship_group', 'n_female', 'n', 'true'),
] %}

-- Cube, measure, breakdown, numerator, denominator, condition: see `measures` above.
measured as (
    {% for cube, measure, breakdown, numerator, denominator, condition in measures %}
        select
            recorded_month,
            force_code,
            definition_id,
            threat,
            '{{ measure }}' as measure,
            '{{ breakdown }}' as breakdown,
            {{ "'all'" if breakdown == 'none' else breakdown }} as breakdown_value,
            {{ numerator }} as numerator,
            cast({{ denominator }} as bigint) as denominator
        from {{ cube }}
        where {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

definitions as (
    select distinct definition_id
    from {{ ref('vawg_definitions') }}
),

all_threats as (
    select threat
    from {{ ref('threats') }}
    union all
    select 'all' as threat
),

headline_measures as (
    select
        'offences' as measure,
        false as is_share
    {% for measure, is_share in [
        ('victims', 'false'),
        ('suspects', 'false'),
        ('share_of_recorded_crime', 'true'),
        ('charged_share', 'true'),
        ('victims_female_share', 'true'),
        ('victims_female_share_sex_known', 'true'),
    ] %}
        union all
        select
            '{{ measure }}' as measure,
            {{ is_share }} as is_share
    {% endfor %}
),

headlines as (
    -- Every definition and threat that a figure can be read under, with every headline measure.
    select
        definitions.definition_id,
        threats.threat,
        measures.measure,
        measures.is_share
    from definitions
    cross join all_threats as threats
    cross join headline_measures as measures
),

index_rows as (
    -- Every covered force and month has every headline figure, so that a zero is said and not left out.
    select
        covered.recorded_month,
        covered.force_code,
        headlines.definition_id,
        headlines.threat,
        headlines.measure,
        'none' as breakdown,
        'all' as breakdown_value,
        0 as numerator,
        case when headlines.is_share then 0 end as denominator
    from covered
    cross join headlines
),

recorded_crime as (
    select
        recorded_month,
        force_code,
        count(*) as n
    from scopes
    where definition_id = 'all_recorded_crime' and threat = 'all'
    group by recorded_month, force_code
),

all_crime as (
    -- The denominator of the share of recorded crime: the same for every definition and threat of a force and month.
    select
        recorded_crime.recorded_month,
        recorded_crime.force_code,
        headlines.definition_id,
        headlines.threat,
        headlines.measure,
        'none' as breakdown,
        'all' as breakdown_value,
        0 as numerator,
        recorded_crime.n as denominator
    from recorded_crime
    cross join headlines
    where headlines.measure = 'share_of_recorded_crime'
),

together as (
    select * from measured
    union all
    select * from index_rows
    union all
    select * from all_crime
)

select
    recorded_month,
    force_code,
    definition_id,
    threat,
    measure,
    breakdown,
    breakdown_value,
    cast(sum(numerator) as bigint) as numerator,
    cast(sum(denominator) as bigint) as denominator
from together
group by recorded_month, force_code, definition_id, threat, measure, breakdown, breakdown_value
