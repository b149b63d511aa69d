-- Grain: one figure: period x force x definition x threat x measure x breakdown value.
{% set least_first = 'case when n_behind = 0 then 1 else 0 end, n_behind, breakdown_value' %}
{% set breakdown_of_place = listed(place_key() + figure_key()[:-1]) %}
with parameters as (
    {{ statistics_parameters(['suppress_below', 'interval_z', 'range_min_denominator']) }}
),

-- Breakdowns of single forces only for the kinds of period that say so, classes under no single threat: what is left out is
-- too few people to be read.
placed as (
    {%- for rows, kinds in [
        ("counts.breakdown = 'none'", 'true'),
        ("counts.breakdown <> 'none' and (counts.breakdown <> 'offence_code' or counts.threat = 'all')",
         'kinds.has_force_breakdowns'),
    ] %}
        select
            periods.period_kind,
            periods.period,
            counts.force_code,
            {{ listed(figure_key(), 'counts') }},
            counts.numerator,
            counts.denominator,
            counts.sum_of_squares
        from {{ ref('national_monthly_counts') }} as counts
        inner join
            (
                select periods.*
                from {{ ref('statistics_periods') }} as periods
                inner join {{ ref('period_kinds') }} as kinds on periods.period_kind = kinds.period_kind
                where {{ kinds }}
            ) as periods
            on counts.recorded_month = periods.recorded_month
        where {{ rows }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The list of forces that are pooled is of their region: behind it are those of the pool that sent a return.
place_coverage as (
    select
        {{ listed(place_key()) }},
        n_forces,
        n_months
    from {{ ref('statistics_coverage') }}

    union all

    select
        coverage.period_kind,
        coverage.period,
        scopes.list_scope_code as force_code,
        count(*) as n_forces,
        max(coverage.n_months) as n_months
    from {{ ref('statistics_coverage') }} as coverage
    inner join {{ ref('list_scopes') }} as scopes on coverage.force_code = scopes.force_code
    where coverage.period_kind = 'month' and scopes.list_scope = 'region'
    group by coverage.period_kind, coverage.period, scopes.list_scope_code
),

by_force as (
    select
        {{ listed(place_key() + figure_key()) }},
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(sum_of_squares) as sum_of_squares
    from placed
    group by {{ listed(place_key() + figure_key()) }}
),

national_months as (
    select
        recorded_month,
        {{ listed(figure_key()) }},
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(sum_of_squares) as sum_of_squares
    from {{ ref('national_monthly_counts') }}
    group by recorded_month, {{ listed(figure_key()) }}
),

summed as (
    select * from by_force

    union all

    select
        periods.period_kind,
        periods.period,
        'national' as force_code,
        {{ listed(figure_key(), 'counts') }},
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.sum_of_squares) as sum_of_squares
    from national_months as counts
    inner join {{ ref('statistics_periods') }} as periods on counts.recorded_month = periods.recorded_month
    group by
        periods.period_kind,
        periods.period,
        {{ listed(figure_key(), 'counts') }}
),

figures as (
    select
        {{ listed(place_key() + figure_key()) }},
        numerator,
        denominator,
        sum_of_squares,
        cast(null as double precision) as known_value,
        cast(null as double precision) as known_lower,
        cast(null as double precision) as known_upper
    from summed

    union all

    select
        summed.period_kind,
        summed.period,
        summed.force_code,
        summed.definition_id,
        summed.threat,
        'offences_per_day' as measure,
        summed.breakdown,
        summed.breakdown_value,
        summed.numerator,
        coverage.n_days as denominator,
        null as sum_of_squares,
        null as known_value,
        null as known_lower,
        null as known_upper
    from summed
    inner join {{ ref('statistics_coverage') }} as coverage
        on
            {{ same_in(place_key(), 'summed', 'coverage') }}
    where summed.measure = 'offences' and summed.breakdown = 'none'

    union all

    select
        {{ listed(place_key() + figure_key()) }},
        numerator,
        denominator,
        null as sum_of_squares,
        value as known_value,
        lower as known_lower,
        upper as known_upper
    from {{ ref('period_figures') }}

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
        null as denominator,
        null as sum_of_squares,
        null as known_value,
        null as known_lower,
        null as known_upper
    from {{ ref('perpetrator_lists') }} as lists
    cross join {{ ref('national_run') }} as run
    where lists.lens = '{{ ranking_lenses()[0].name }}'
    group by run.period, lists.list_scope_code, lists.list_kind
),

share_bases as (
    -- Of values of one breakdown that are known; where they overlap, of all.
    select
        figures.period_kind,
        figures.period,
        figures.force_code,
        figures.definition_id,
        figures.threat,
        figures.measure,
        case when figures.breakdown = 'none' then 'also_threat' else figures.breakdown end as breakdown,
        sum(figures.numerator) as share_base
    from figures
    inner join {{ ref('statistics_measures') }} as measures
        on figures.measure = measures.measure and measures.kind = 'count'
    where
        figures.breakdown not in ('also_threat', 'list')
        and {{ is_value_known('figures.breakdown_value') }}
    group by
        figures.period_kind,
        figures.period,
        figures.force_code,
        figures.definition_id,
        figures.threat,
        figures.measure,
        case when figures.breakdown = 'none' then 'also_threat' else figures.breakdown end
),

judged as (
    select
        figures.*,
        coverage.n_forces,
        coverage.n_months,
        measures.unit,
        measures.kind,
        measures.per,
        measures.interval_method,
        parameters.interval_z as z,
        parameters.range_min_denominator,
        -- What a few people of one force are is withheld; crimes are not.
        figures.force_code <> 'national'
        and measures.is_about_people
        and (figures.breakdown <> 'none' or measures.kind in ('share', 'mean')) as is_guarded,
        coalesce(figures.denominator, figures.numerator) as n_behind,
        parameters.suppress_below,
        case when {{ is_value_known('figures.breakdown_value') }} then share_bases.share_base end as share_base
    from figures
    inner join place_coverage as coverage
        on
            {{ same_in(place_key(), 'figures', 'coverage') }}
    inner join {{ ref('statistics_measures') }} as measures on figures.measure = measures.measure
    cross join parameters
    left join share_bases
        on
            {{ same_in(place_key() + figure_key()[:-1], 'figures', 'share_bases') }}
),

guarded as (
    -- Values of one breakdown of one place, the least first. Nobody is behind a nought, so it is shown; it comes last.
    select
        *,
        n_behind between 1 and suppress_below - 1 as is_small,
        {{ count_where('n_behind between 1 and suppress_below - 1') }}
            over (partition by {{ breakdown_of_place }}) as n_small,
        row_number() over (partition by {{ breakdown_of_place }} order by {{ least_first }}) as place_no,
        sum(n_behind) over (partition by {{ breakdown_of_place }} order by {{ least_first }}) - n_behind as n_less
    from judged
    where is_guarded
),

withheld as (
    select
        *,
        -- One withheld alone would be the total less the others: the next go with it, until together they are enough.
        is_small
        or (
            n_small > 0
            and n_behind > 0
            and breakdown not in ('none', 'list')
            and kind <> 'extreme'
            and (place_no <= 2 or n_less < suppress_below)
        ) as suppressed,
        -- The sum of what is known would tell what is withheld of it.
        case when n_small = 0 then share_base end as shown_base
    from guarded

    union all

    select
        *,
        false as is_small,
        cast(0 as bigint) as n_small,
        cast(0 as bigint) as place_no,
        cast(0 as bigint) as n_less,
        false as suppressed,
        share_base as shown_base
    from judged
    where not is_guarded
),

valued as (
    select
        withheld.*,
        case
            when withheld.suppressed then null
            when withheld.known_value is not null then withheld.known_value
            when withheld.kind in ('count', 'extreme') then cast(withheld.numerator as double precision)
            when withheld.denominator > 0
                then cast(withheld.numerator as double precision) * withheld.per / withheld.denominator
        end as value,
        case
            when not withheld.suppressed and withheld.shown_base > 0
                then cast(withheld.numerator as double precision) / withheld.shown_base
        end as share
    from withheld
),

bounded as (
    select
        valued.*,
        case
            when valued.value is null then null
            when valued.interval_method = 'wilson' then {{ wilson('valued.value', 'valued.denominator', 'valued.z', '-') }}
            when valued.interval_method = 'byar'
                then {{ byar_lower('valued.numerator', 'valued.z') }} * valued.per / valued.denominator
            when valued.interval_method = 'normal' and valued.denominator > 1
                then
                    valued.value
                    - valued.z
                    * sqrt(
                        greatest(valued.sum_of_squares - valued.value * valued.numerator, 0)
                        / (valued.denominator - 1.0)
                        / valued.denominator
                    )
            else valued.known_lower
        end as lower,
        case
            when valued.value is null then null
            when valued.interval_method = 'wilson' then {{ wilson('valued.value', 'valued.denominator', 'valued.z', '+') }}
            when valued.interval_method = 'byar'
                then {{ byar_upper('valued.numerator', 'valued.z') }} * valued.per / valued.denominator
            when valued.interval_method = 'normal' and valued.denominator > 1
                then
                    valued.value
                    + valued.z
                    * sqrt(
                        greatest(valued.sum_of_squares - valued.value * valued.numerator, 0)
                        / (valued.denominator - 1.0)
                        / valued.denominator
                    )
            else valued.known_upper
        end as upper,
        case when valued.share is not null then {{ wilson('valued.share', 'valued.shown_base', 'valued.z', '-') }} end
            as share_lower,
        case when valued.share is not null then {{ wilson('valued.share', 'valued.shown_base', 'valued.z', '+') }} end
            as share_upper
    from valued
),

ranges as (
    -- Forces with every month that the nation has, whose figure rests on enough.
    select
        forces.period_kind,
        forces.period,
        nation.force_code,
        {{ listed(figure_key(), 'forces') }},
        min(forces.value) as lowest_force_value,
        max(forces.value) as highest_force_value,
        count(*) as n_forces_compared
    from bounded as forces
    inner join {{ ref('statistics_coverage') }} as nation
        on
            forces.period_kind = nation.period_kind
            and forces.period = nation.period
            and nation.force_code = 'national'
            and forces.n_months = nation.n_months
    where
        forces.force_code <> 'national'
        and forces.kind in ('share', 'rate', 'mean', 'median')
        and forces.value is not null
        and forces.denominator >= forces.range_min_denominator
    group by
        forces.period_kind,
        forces.period,
        nation.force_code,
        {{ listed(figure_key(), 'forces') }}
),

breaks as (
    select
        spans.period_kind,
        spans.period,
        breaks.threat,
        {{ list_as_text(distinct_list('breaks.break_id')) }} as break_ids
    from {{ ref('statistics_coverage') }} as spans
    inner join {{ ref('statistics_breaks') }} as breaks
        on spans.period < breaks.breaks_on and spans.period_end >= breaks.breaks_on
    where spans.force_code = 'national'
    group by spans.period_kind, spans.period, breaks.threat
)

select
    bounded.period,
    bounded.period_kind,
    bounded.force_code,
    {{ listed(figure_key(), 'bounded') }},
    bounded.value,
    case when not bounded.suppressed then cast(bounded.numerator as bigint) end as numerator,
    case when not bounded.suppressed then cast(bounded.denominator as bigint) end as denominator,
    bounded.n_forces,
    bounded.n_months,
    {%- for bound, clamp in [('lower', 'greatest(0, '), ('upper', 'least(1, ')] %}
        case
            when bounded.{{ bound }} is null then null
            when bounded.kind = 'share' then {{ clamp }}bounded.{{ bound }})
            else bounded.{{ bound }}
        end as {{ bound }},
    {%- endfor %}
    bounded.suppressed,
    bounded.unit,
    case when not bounded.suppressed then cast(bounded.shown_base as bigint) end as share_base,
    bounded.share,
    case when bounded.share is not null then greatest(0, bounded.share_lower) end as share_lower,
    case when bounded.share is not null then least(1, bounded.share_upper) end as share_upper,
    ranges.lowest_force_value,
    ranges.highest_force_value,
    case when bounded.force_code = 'national' then coalesce(ranges.n_forces_compared, 0) end as n_forces_compared,
    breaks.break_ids
from bounded
left join ranges
    on
        {{ same_in(place_key() + figure_key(), 'bounded', 'ranges') }}
left join breaks
    on
        bounded.period_kind = breaks.period_kind
        and bounded.period = breaks.period
        and bounded.threat = breaks.threat
