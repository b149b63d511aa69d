-- Grain: month x force x definition x threat x measure x breakdown x value. Additive: every longer period and the nation are
-- sums of these. Only months that a force sent a return for; within them a missing crime is a zero.
with parameters as (
    {{ statistics_parameters(['rate_age_min']) }}
),

covered as (
    select distinct
        submissions.force_code,
        submissions.period as recorded_month
    from {{ ref('national_submissions') }} as submissions
    where submissions.is_in
),

all_threats as (
    select threat
    from {{ ref('threats') }}
    union all
    select 'all' as threat
),

scopes as (
    select distinct
        definitions.definition_id,
        threats.threat
    from {{ ref('vawg_definitions') }} as definitions
    cross join all_threats as threats
),

{#- Relation, measure, breakdowns (none where it is all of them), numerator, denominator, sum of squares, condition. #}
{%- set none_only = "breakdown = 'none'" %}
{%- set measures = [
    ('offence_counts', 'offences', 'n_offences', 'null', 'null', "breakdown <> 'flag'"),
    ('offence_counts', 'force_flag_share', 'n_offences', '0', 'null', "breakdown = 'flag' and threat = 'all'"),
    ('offence_counts', 'charged_share', 'n_charged', 'n_closed', 'null', "breakdown in ('none', 'offence_subgroup')"),
    (
        'offence_counts', 'evidential_difficulty_share', 'n_evidential_difficulty + n_victim_not_supporting', 'n_closed',
        'null', "breakdown in ('none', 'offence_subgroup')"
    ),
    (
        'offence_counts', 'victim_not_supporting_share', 'n_victim_not_supporting', 'n_closed', 'null',
        "breakdown in ('none', 'offence_subgroup')"
    ),
    ('offence_counts', 'child_suspect_share', 'n_child_suspect', 'n_suspect_age_known', 'null', none_only),
    ('offence_counts', 'arrests_per_100_crimes', 'n_arrests', 'n_offences', 'null', none_only),
    ('offence_counts', 'share_of_recorded_crime', 'n_offences', '0', 'null', none_only),
    ('offence_counts', 'threat_share', 'n_offences', '0', 'null', none_only),
    ('offence_counts', 'offences_per_1000_women', 'n_offences', '0', 'null', none_only),
    ('person_counts', 'victims', 'n', 'null', 'null', "role = 'victim' and breakdown <> 'repeat'"),
    ('person_counts', 'victims', 'n_known', 'null', 'null', "role = 'victim' and breakdown = 'repeat'"),
    ('person_counts', 'victims_female_share', 'n_female', 'n', 'null', "role = 'victim' and breakdown = 'none'"),
    (
        'person_counts', 'victims_female_share_sex_known', 'n_female', 'n_sex_known', 'null',
        "role = 'victim' and breakdown = 'none'"
    ),
    ('person_counts', 'victim_mean_age', 'sum_age', 'n_age', 'sum_age_squares', "role = 'victim' and breakdown = 'none'"),
    (
        'person_counts', 'victims_aged_16_to_29_share', 'n_young_adult', 'n_from_young_adult', 'null',
        "role = 'victim' and breakdown = 'none'"
    ),
    ('person_counts', 'suspects', 'n', 'null', 'null', "role = 'suspect' and breakdown <> 'repeat'"),
    ('person_counts', 'suspect_mean_age', 'sum_age', 'n_age', 'sum_age_squares', "role = 'suspect' and breakdown = 'none'"),
    (
        'person_counts', 'suspects_managed_share', 'n_managed_then', 'n_known', 'null',
        "role = 'suspect' and breakdown in ('none', 'offence_subgroup')"
    ),
    (
        'person_counts', 'suspects_ever_managed_share', 'n_ever_managed', 'n_known', 'null',
        "role = 'suspect' and breakdown in ('none', 'offence_subgroup')"
    ),
] %}

measured as (
    {% for relation, measure, numerator, denominator, squares, condition in measures %}
        select
            recorded_month,
            force_code,
            definition_id,
            threat,
            '{{ measure }}' as measure,
            breakdown,
            breakdown_value,
            {{ numerator }} as numerator,
            cast({{ denominator }} as bigint) as denominator,
            cast({{ squares }} as bigint) as sum_of_squares
        from {{ ref(relation) }}
        where {{ condition }}

        union all
    {% endfor %}

    -- Victims without a nominal may be repeat victims; nobody can say.
    select
        recorded_month,
        force_code,
        definition_id,
        threat,
        'victims' as measure,
        breakdown,
        'unknown' as breakdown_value,
        n - n_known as numerator,
        cast(null as bigint) as denominator,
        cast(null as bigint) as sum_of_squares
    from {{ ref('person_counts') }}
    where role = 'victim' and breakdown = 'repeat' and n > n_known

    union all

    select
        recorded_month,
        force_code,
        definition_id,
        threat,
        'repeat_victim_share' as measure,
        'none' as breakdown,
        'all' as breakdown_value,
        case when breakdown_value = 'repeat' then n_known else 0 end as numerator,
        n_known as denominator,
        null as sum_of_squares
    from {{ ref('person_counts') }}
    where role = 'victim' and breakdown = 'repeat'

    union all

    -- A rape is domestic where the crime meets the threat of domestic abuse; the figure is of the whole definition.
    select
        recorded_month,
        force_code,
        definition_id,
        'all' as threat,
        'rape_domestic_share' as measure,
        'none' as breakdown,
        'all' as breakdown_value,
        case when threat = 'domestic_abuse' then n_offences else 0 end as numerator,
        case when threat = 'all' then n_offences else 0 end as denominator,
        null as sum_of_squares
    from {{ ref('offence_counts') }}
    where breakdown = 'offence_kind' and breakdown_value = 'rape' and threat in ('all', 'domestic_abuse')

    union all

    select
        recorded_month,
        force_code,
        definition_id,
        threat,
        'rape_share_of_sexual_offences' as measure,
        'none' as breakdown,
        'all' as breakdown_value,
        case when breakdown = 'offence_kind' then n_offences else 0 end as numerator,
        case when breakdown = 'offence_group' then n_offences else 0 end as denominator,
        null as sum_of_squares
    from {{ ref('offence_counts') }}
    where
        (breakdown = 'offence_kind' and breakdown_value = 'rape')
        or (breakdown = 'offence_group' and breakdown_value = 'Sexual offences')

    {% for breakdown in ['relationship', 'relationship_group'] %}
        {% for measure, numerator, denominator in [
            ('victims', 'n', 'null'), ('victims_female_share', 'n_female', 'n')
        ] %}
            union all

            select
                recorded_month,
                force_code,
                definition_id,
                threat,
                '{{ measure }}' as measure,
                '{{ breakdown }}' as breakdown,
                {{ breakdown }} as breakdown_value,
                {{ numerator }} as numerator,
                cast({{ denominator }} as bigint) as denominator,
                null as sum_of_squares
            from {{ ref('relationship_counts') }}
        {% endfor %}
    {% endfor %}

    union all

    select
        {{ listed(month_key() + figure_key()) }},
        numerator,
        denominator,
        null as sum_of_squares
    from {{ ref('other_monthly_counts') }}
),

index_rows as (
    -- Every covered force and month has every headline figure, so that a zero is said and not left out.
    select
        covered.recorded_month,
        covered.force_code,
        scopes.definition_id,
        scopes.threat,
        measures.measure,
        'none' as breakdown,
        'all' as breakdown_value,
        0 as numerator,
        case when measures.kind <> 'count' then 0 end as denominator,
        cast(null as bigint) as sum_of_squares
    from covered
    cross join scopes
    cross join {{ ref('statistics_measures') }} as measures
    where measures.is_headline
),

totals as (
    select
        recorded_month,
        force_code,
        definition_id,
        n_offences
    from {{ ref('offence_counts') }}
    where threat = 'all' and breakdown = 'none'
),

women as (
    select
        population.force_code,
        cast(sum(population.population) as bigint) as n_women
    from {{ ref('population_by_force') }} as population
    cross join parameters
    where population.sex = 'F' and population.age_min >= parameters.rate_age_min
    group by population.force_code
),

outside_denominators as (
    -- Denominators that do not come from the crimes of the figure itself: one for each force and month.
    select
        totals.recorded_month,
        totals.force_code,
        scopes.definition_id,
        scopes.threat,
        'share_of_recorded_crime' as measure,
        totals.n_offences as denominator
    from totals
    cross join scopes
    where totals.definition_id = 'all_recorded_crime'

    union all

    select
        totals.recorded_month,
        totals.force_code,
        scopes.definition_id,
        scopes.threat,
        'threat_share' as measure,
        totals.n_offences as denominator
    from totals
    inner join scopes on totals.definition_id = scopes.definition_id

    union all

    select
        covered.recorded_month,
        covered.force_code,
        scopes.definition_id,
        scopes.threat,
        'offences_per_1000_women' as measure,
        women.n_women as denominator
    from covered
    inner join women on covered.force_code = women.force_code
    cross join scopes
),

flag_denominators as (
    select
        offence_counts.recorded_month,
        offence_counts.force_code,
        offence_counts.definition_id,
        offence_counts.threat,
        'force_flag_share' as measure,
        'flag' as breakdown,
        flags.code as breakdown_value,
        offence_counts.n_offences as denominator
    from {{ ref('offence_counts') }} as offence_counts
    cross join {{ ref('flag_types') }} as flags
    where offence_counts.breakdown = 'none' and offence_counts.threat = 'all'
),

together as (
    select * from measured
    union all
    select * from index_rows
    union all
    select
        recorded_month,
        force_code,
        definition_id,
        threat,
        measure,
        'none' as breakdown,
        'all' as breakdown_value,
        0 as numerator,
        denominator,
        null as sum_of_squares
    from outside_denominators
    union all
    select
        {{ listed(month_key() + figure_key()) }},
        0 as numerator,
        denominator,
        null as sum_of_squares
    from flag_denominators
)

select
    {{ listed(month_key() + figure_key()) }},
    cast(sum(numerator) as bigint) as numerator,
    cast(sum(denominator) as bigint) as denominator,
    cast(sum(sum_of_squares) as bigint) as sum_of_squares
from together
group by {{ listed(month_key() + figure_key()) }}
