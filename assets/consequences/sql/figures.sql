-- force x whose figure x figure, without breakdowns: what it is and what it would be. The nation's by what the force's own
-- numerator and denominator change, where those of the forces sum to the nation's; of others nothing is said.
create table changed_figures as
with figures as (
    select * from now.marts.national_statistics where breakdown = 'none'
),

own_now as (
    select * from figures where force_code <> 'national'
),

both_own as (
    select
        coalesce(past.force_code, later.force_code) as force_code,
        coalesce(past.period_kind, later.period_kind) as period_kind,
        coalesce(past.period, later.period) as period,
        coalesce(past.definition_id, later.definition_id) as definition_id,
        coalesce(past.threat, later.threat) as threat,
        coalesce(past.measure, later.measure) as measure,
        past.value as value_now,
        later.value as value_mended,
        coalesce(later.numerator, 0) - coalesce(past.numerator, 0) as numerator_change,
        coalesce(later.denominator, 0) - coalesce(past.denominator, 0) as denominator_change,
        later.measure is null as is_gone
    from own_now as past
    full outer join figures_mended as later
        on
            past.force_code = later.force_code and past.period_kind = later.period_kind
            and past.period = later.period and past.definition_id = later.definition_id
            and past.threat = later.threat and past.measure = later.measure
),

sums as (
    select
        period_kind, period, definition_id, threat, measure,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from own_now
    group by period_kind, period, definition_id, threat, measure
),

nation as (
    select
        figures.*,
        measures.kind,
        measures.per,
        abs(coalesce(figures.denominator, 0) - coalesce(sums.denominator, 0)) < 1e-6 as is_denominator_summed
    from figures
    inner join now.codes.statistics_measures as measures
        on figures.measure = measures.measure and measures.kind in ('count', 'share', 'rate', 'mean')
    inner join sums
        on
            figures.period_kind = sums.period_kind and figures.period = sums.period
            and figures.definition_id = sums.definition_id and figures.threat = sums.threat
            and figures.measure = sums.measure
            and abs(figures.numerator - sums.numerator) < 1e-6
    where figures.force_code = 'national'
),

moved as (
    select
        both_own.force_code,
        nation.period_kind,
        nation.period,
        nation.definition_id,
        nation.threat,
        nation.measure,
        nation.value as value_now,
        nation.kind,
        nation.per,
        nation.numerator as numerator_now,
        nation.numerator + both_own.numerator_change as numerator_mended,
        nation.denominator as denominator_now,
        nation.denominator + case when nation.is_denominator_summed then both_own.denominator_change else 0 end
            as denominator_mended,
        both_own.numerator_change
    from both_own
    inner join nation
        on
            both_own.period_kind = nation.period_kind and both_own.period = nation.period
            and both_own.definition_id = nation.definition_id and both_own.threat = nation.threat
            and both_own.measure = nation.measure
),

told as (
    select
        force_code, 'force' as of_whom, period_kind, period, definition_id, threat, measure, value_now, value_mended,
        numerator_change
    from both_own
    -- Of a force that is left out there is no figure of its own.
    where not is_gone or (select count(*) from figures_mended) > 0

    union all

    select
        force_code, 'nation' as of_whom, period_kind, period, definition_id, threat, measure, value_now,
        case
            when kind = 'count' then numerator_mended
            when denominator_mended > 0
                then value_now
                    * case when numerator_now <> 0
                        then (numerator_mended / denominator_mended) / (numerator_now / denominator_now) end
        end as value_mended,
        numerator_change
    from moved
    where
        numerator_now is distinct from numerator_mended
        or denominator_now is distinct from denominator_mended
)

select *, value_mended - value_now as difference
from told
where value_now is distinct from value_mended and abs(coalesce(value_mended - value_now, 1)) > 1e-12;
