-- Grain: month of recording x force x role x definition x threat x breakdown value of the persons in crimes: victims who are
-- persons, and identified suspects whose allegation stands, once per crime.
with parameters as (
    {{ statistics_parameters(['young_adult_age_min', 'young_adult_age_max', 'repeat_months']) }}
),

victimisations as (
    -- Of persons who are victims of more than one crime that stands, whenever recorded.
    select
        victims.involvement_id,
        victims.offence_id,
        victims.person_id,
        offences.reported_at,
        bits.definition_bits,
        count(*) over (partition by victims.person_id) as n_crimes
    from {{ ref('national_involvements') }} as victims
    inner join {{ ref('offence_scope_bits') }} as bits on victims.offence_id = bits.offence_id
    inner join {{ ref('national_offences') }} as offences on victims.offence_id = offences.offence_id
    where victims.role = 'victim' and victims.is_person and victims.person_id is not null
),

repeats as (
    select
        later.involvement_id,
        {{ bits_of('earlier.definition_bits') }} as repeat_bits
    from victimisations as later
    cross join parameters
    inner join victimisations as earlier
        on
            later.person_id = earlier.person_id
            and later.offence_id <> earlier.offence_id
            and later.reported_at > earlier.reported_at
            and earlier.reported_at
            >= {{ dbt.dateadd('month', '-cast(parameters.repeat_months as integer)', 'later.reported_at') }}
    where later.n_crimes > 1 and earlier.n_crimes > 1
    group by later.involvement_id
),

spells as (
    select
        spells.person_id,
        spells.managed_from_on,
        spells.managed_to_on
    from {{ ref('national_offender_management') }} as spells
    inner join {{ ref('managed_schemes') }} as schemes on spells.scheme = schemes.scheme
    where spells.person_id is not null
),

ever_managed as (
    select distinct spells.person_id
    from spells
    cross join {{ ref('national_run') }} as run
    where spells.managed_from_on <= run.period_end
),

managed_then as (
    select distinct suspects.involvement_id
    from {{ ref('national_involvements') }} as suspects
    inner join spells on suspects.person_id = spells.person_id
    inner join {{ ref('statistical_offences') }} as offences on suspects.offence_id = offences.offence_id
    where
        suspects.role = 'suspect'
        and spells.managed_from_on <= cast(offences.committed_from as date)
        and coalesce(spells.managed_to_on >= cast(offences.committed_from as date), true)
),

ethnicities as (
    select
        victims.offence_id || '|victim|' || cast(victims.victim_no as {{ dbt.type_string() }}) as involvement_id,
        stated.high_level_group as ethnicity
    from {{ ref('std_victims') }} as victims
    inner join {{ ref('ethnicity_self_defined') }} as stated on victims.ethnicity = stated.code
),

person_ethnicities as (
    -- As the person states it; where that is not known, as an officer saw it.
    select
        persons.record_id,
        case
            when stated.high_level_group <> 'Not stated' then stated.high_level_group
            else seen.high_level_group
        end as ethnicity
    from {{ ref('std_persons') }} as persons
    left join {{ ref('ethnicity_self_defined') }} as stated on persons.ethnicity_self_defined = stated.code
    left join {{ ref('ethnicity_officer_defined') }} as seen on persons.ethnicity_officer_defined = seen.code
    where coalesce(stated.high_level_group <> 'Not stated', false) or seen.high_level_group is not null
),

people as (
    select
        offences.recorded_month,
        offences.force_code,
        offences.definition_bits,
        offences.threat_bits,
        offences.offence_subgroup,
        involvements.role,
        involvements.sex,
        involvements.age_band,
        involvements.age,
        involvements.age between parameters.young_adult_age_min and parameters.young_adult_age_max as is_young_adult,
        involvements.age >= parameters.young_adult_age_min as is_from_young_adult,
        involvements.person_id,
        coalesce(ethnicities.ethnicity, person_ethnicities.ethnicity, 'unknown') as ethnicity,
        coalesce(repeats.repeat_bits, 0) as repeat_bits,
        -- Here and not in the join, which would compare every pair.
        involvements.role = 'suspect' and ever_managed.person_id is not null as is_ever_managed,
        managed_then.involvement_id is not null as is_managed_then
    from {{ ref('statistical_offences') }} as offences
    inner join {{ ref('national_involvements') }} as involvements on offences.offence_id = involvements.offence_id
    cross join parameters
    left join ethnicities on involvements.involvement_id = ethnicities.involvement_id
    left join person_ethnicities on involvements.record_id = person_ethnicities.record_id
    left join repeats on involvements.involvement_id = repeats.involvement_id
    left join ever_managed on involvements.person_id = ever_managed.person_id
    left join managed_then on involvements.involvement_id = managed_then.involvement_id
    where
        involvements.is_person
        and (
            involvements.role = 'victim'
            or (involvements.is_identified and involvements.allegation_stands)
        )
),

{% set breakdowns = ['sex', 'age_band', 'ethnicity', 'offence_subgroup', 'repeat_bits'] %}
grouped as (
    select
        recorded_month,
        force_code,
        role,
        definition_bits,
        threat_bits,
        {{ breakdown_of_set(breakdowns) }} as breakdown,
        case
            {%- for column in breakdowns[:-1] %}
                when grouping({{ column }}) = 0 then {{ column }}
            {%- endfor %}
            else 'all'
        end as breakdown_value,
        repeat_bits,
        count(*) as n,
        count(person_id) as n_known,
        {{ count_where("sex = 'F'") }} as n_female,
        {{ count_where("sex <> 'U'") }} as n_sex_known,
        {{ count_where('is_young_adult') }} as n_young_adult,
        {{ count_where('is_from_young_adult') }} as n_from_young_adult,
        count(age) as n_age,
        sum(age) as sum_age,
        sum(age * age) as sum_age_squares,
        {{ count_where('is_ever_managed') }} as n_ever_managed,
        {{ count_where('is_managed_then') }} as n_managed_then
    from people
    group by grouping sets (  -- noqa: PRS
        (recorded_month, force_code, role, definition_bits, threat_bits)
        {%- for column in breakdowns %},
        (recorded_month, force_code, role, definition_bits, threat_bits, {{ column }})
        {%- endfor %}
    )
),

placed as (
    select
        grouped.*,
        scope_sets.definition_id,
        scope_sets.threat,
        grouped.breakdown = 'repeat_bits' and {{ has_bit('grouped.repeat_bits', 'scope_sets.definition_bit') }} as is_repeat
    from grouped
    inner join {{ ref('scope_sets') }} as scope_sets
        on grouped.definition_bits = scope_sets.definition_bits and grouped.threat_bits = scope_sets.threat_bits
)

select
    recorded_month,
    force_code,
    role,
    definition_id,
    threat,
    case when breakdown = 'repeat_bits' then 'repeat' else breakdown end as breakdown,
    case
        when breakdown <> 'repeat_bits' then breakdown_value
        when is_repeat then 'repeat'
        else 'first'
    end as breakdown_value,
    {%- for column in ['n', 'n_known', 'n_female', 'n_sex_known', 'n_young_adult', 'n_from_young_adult', 'n_age', 'sum_age',
                       'sum_age_squares', 'n_ever_managed'] %}
        cast(sum({{ column }}) as bigint) as {{ column }},
    {%- endfor %}
    cast(sum(n_managed_then) as bigint) as n_managed_then
from placed
group by
    recorded_month,
    force_code,
    role,
    definition_id,
    threat,
    case when breakdown = 'repeat_bits' then 'repeat' else breakdown end,
    case
        when breakdown <> 'repeat_bits' then breakdown_value
        when is_repeat then 'repeat'
        else 'first'
    end
