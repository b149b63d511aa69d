-- Grain: period x force or nation x measure x breakdown value: how unequally harm is spread over suspects, and who is on the
-- lists of the month. Harm is the harm weight, in days, of every crime of the NPCC scope that a person is linked to.
with parameters as (
    {{ statistics_parameters(['harm_top_share', 'harm_top_persons']) }}
),

scoped as (
    select distinct
        definition_bits,
        threat_bits
    from {{ ref('scope_sets') }}
    where definition_id = 'npcc_policing_scope'
),

-- The span of the statistics that ends with the run.
window_months as (
    select
        periods.period_kind,
        periods.period,
        periods.recorded_month
    from {{ ref('statistics_periods') }} as periods
    cross join {{ ref('national_run') }} as run
    where periods.period_kind = 'rolling_year' and periods.period_end = run.period_end
),

allegations as (
    select distinct
        window_months.period_kind,
        window_months.period,
        involvements.person_id,
        involvements.role_no,
        offences.offence_id,
        weights.cchi_days as harm_days
    from {{ ref('statistical_offences') }} as offences
    inner join window_months on offences.recorded_month = window_months.recorded_month
    inner join scoped on offences.definition_bits = scoped.definition_bits and offences.threat_bits = scoped.threat_bits
    inner join {{ ref('national_involvements') }} as involvements on offences.offence_id = involvements.offence_id
    inner join {{ ref('harm_weights') }} as weights on offences.offence_code = weights.offence_code
    where
        involvements.role = 'suspect'
        and involvements.person_id is not null
        and involvements.is_identified
        and involvements.allegation_stands
),

intimate as (
    select distinct
        offence_id,
        suspect_no
    from {{ ref('national_relationships') }}
    where relationship_group = 'intimate'
),

persons as (
    select
        period_kind,
        period,
        person_id,
        'none' as breakdown,
        'all' as breakdown_value,
        sum(harm_days) as harm_days
    from allegations
    group by period_kind, period, person_id

    union all

    select
        allegations.period_kind,
        allegations.period,
        allegations.person_id,
        'relationship_group' as breakdown,
        'intimate' as breakdown_value,
        sum(allegations.harm_days) as harm_days
    from allegations
    inner join intimate
        on allegations.offence_id = intimate.offence_id and allegations.role_no = intimate.suspect_no
    group by allegations.period_kind, allegations.period, allegations.person_id
),

placed as (
    select
        persons.*,
        row_number() over (
            partition by persons.breakdown, persons.breakdown_value
            order by persons.harm_days desc, persons.person_id asc
        ) as harm_place,
        count(*) over (partition by persons.breakdown, persons.breakdown_value) as n_persons
    from persons
),

heads as (
    select
        placed.period_kind,
        placed.period,
        placed.harm_days,
        listed.person_id is not null as is_at_the_top,
        row_number() over (
            partition by case when listed.person_id is null then 0 else 1 end
            order by placed.harm_days
        ) as place,
        count(*) over (partition by case when listed.person_id is null then 0 else 1 end) as n_persons
    from placed
    cross join parameters
    left join {{ ref('ranked_perpetrators') }} as listed
        on placed.person_id = listed.person_id and listed.national_rank <= parameters.harm_top_persons
    where placed.breakdown = 'none'
),

per_head as (
    select
        period_kind,
        period,
        avg(case when is_at_the_top then harm_days end) as top_mean,
        avg(case when not is_at_the_top then harm_days end) as others_mean,
        avg(case when not is_at_the_top and place between n_persons / 2.0 and n_persons / 2.0 + 1 then harm_days end)
            as others_median
    from heads
    group by period_kind, period
),

figures as (
    select
        placed.period_kind,
        placed.period,
        'national' as force_code,
        'harm_of_top_3_percent_share' as measure,
        placed.breakdown,
        placed.breakdown_value,
        sum(case when placed.harm_place <= ceil(parameters.harm_top_share * placed.n_persons) then placed.harm_days end)
            as numerator,
        sum(placed.harm_days) as denominator
    from placed
    cross join parameters
    group by placed.period_kind, placed.period, placed.breakdown, placed.breakdown_value

    {% for measure, others in [
        ('harm_per_head_top_100_to_median', 'others_median'), ('harm_per_head_top_100_to_mean', 'others_mean')
    ] %}
        union all

        select
            period_kind,
            period,
            'national' as force_code,
            '{{ measure }}' as measure,
            'none' as breakdown,
            'all' as breakdown_value,
            top_mean as numerator,
            {{ others }} as denominator
        from per_head
        where top_mean is not null
    {% endfor %}
)

select
    period_kind,
    period,
    force_code,
    'npcc_policing_scope' as definition_id,
    'all' as threat,
    measure,
    breakdown,
    breakdown_value,
    cast(round(numerator) as bigint) as numerator,
    cast(round(denominator) as bigint) as denominator,
    case when denominator > 0 then cast(numerator / denominator as double precision) end as value
from figures

union all

select
    'month' as period_kind,
    run.period,
    lists.list_scope_code as force_code,
    'npcc_policing_scope' as definition_id,
    'all' as threat,
    'persons_listed' as measure,
    'list' as breakdown,
    lists.list_kind as breakdown_value,
    count(*) as numerator,
    cast(null as bigint) as denominator,
    cast(null as double precision) as value
from {{ ref('perpetrator_lists') }} as lists
cross join {{ ref('national_run') }} as run
where lists.list_scope in ('force', 'national') and lists.lens = '{{ ranking_lenses()[0].name }}'
group by run.period, lists.list_scope_code, lists.list_kind
