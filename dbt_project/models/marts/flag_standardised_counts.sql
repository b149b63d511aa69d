-- Grain: period x force (or the nation) x flag: what is counted by the force's own marker, by the value that stands, and
-- what would be counted if every force flagged as the inferred standard does. Two ways beside each other: a direct recount,
-- and that recount corrected for what the standard itself misses and adds (Rogan and Gladen 1978), where a labelled sample
-- tells how much that is. The interval is by the delta method (Lang and Reiczigel 2014).
with parameters as (
    {{ statistics_parameters(['interval_z']) }}
),

periods as ({{ flag_periods() }}),

by_force as (
    select
        periods.period,
        periods.period_kind,
        counts.force_code,
        counts.flag,
        sum(counts.n) as n_offences,
        sum(counts.n_both + counts.n_rater_only) as n_force_flagged,
        sum(counts.n_national) as n_national_value,
        sum(counts.n_both + counts.n_reference_only) as n_inferred
    from {{ ref('national_flag_counts') }} as counts
    inner join periods on counts.recorded_month = periods.recorded_month
    where counts.reference = 'inferred'
    group by periods.period, periods.period_kind, counts.force_code, counts.flag
),

counted as (
    select * from by_force
    union all
    select
        period,
        period_kind,
        'national' as force_code,
        flag,
        sum(n_offences) as n_offences,
        sum(n_force_flagged) as n_force_flagged,
        sum(n_national_value) as n_national_value,
        sum(n_inferred) as n_inferred
    from by_force
    group by period, period_kind, flag
),

sample as (
    -- One standard for the nation: its labelled crimes of all forces and months together.
    select
        flag,
        sum(n_both + n_reference_only) as n_labelled_yes,
        sum(n - n_both - n_reference_only) as n_labelled_no,
        sum(n_both) as n_found,
        sum(n - n_both - n_reference_only - n_rater_only) as n_left
    from {{ ref('national_flag_counts') }}
    where rater = 'inferred' and reference = 'clerical'
    group by flag
),

quality as (
    select
        flag,
        n_labelled_yes,
        n_labelled_no,
        cast(n_found as double precision) / n_labelled_yes as sensitivity,
        cast(n_left as double precision) / n_labelled_no as specificity
    from sample
    where n_labelled_yes > 0 and n_labelled_no > 0
),

corrected as (
    select
        counted.*,
        parameters.interval_z as z,
        quality.sensitivity,
        quality.specificity,
        quality.n_labelled_yes,
        quality.n_labelled_no,
        cast(counted.n_inferred as double precision) / counted.n_offences as apparent_share,
        -- The correction has no meaning where the standard tells no more than chance.
        case
            when quality.sensitivity + quality.specificity > 1
                then
                    greatest(
                        0,
                        least(
                            1,
                            (cast(counted.n_inferred as double precision) / counted.n_offences + quality.specificity - 1)
                            / (quality.sensitivity + quality.specificity - 1)
                        )
                    )
        end as true_share
    from counted
    left join quality on counted.flag = quality.flag
    cross join parameters
),

errors as (
    select
        *,
        sqrt(
            apparent_share * (1 - apparent_share) / n_offences
            + true_share * true_share * sensitivity * (1 - sensitivity) / n_labelled_yes
            + (1 - true_share) * (1 - true_share) * specificity * (1 - specificity) / n_labelled_no
        )
        / (sensitivity + specificity - 1) as true_share_error
    from corrected
)

select
    period,
    period_kind,
    force_code,
    flag,
    cast(n_offences as bigint) as n_offences,
    cast(n_force_flagged as bigint) as n_force_flagged,
    cast(n_national_value as bigint) as n_national_value,
    cast(n_inferred as bigint) as n_inferred,
    cast(n_inferred - n_force_flagged as bigint) as n_recount_difference,
    sensitivity,
    specificity,
    cast(coalesce(n_labelled_yes + n_labelled_no, 0) as bigint) as n_labelled,
    true_share * n_offences as n_corrected,
    case
        when true_share is not null then greatest(0, true_share - z * true_share_error) * n_offences
    end as n_corrected_lower,
    case
        when true_share is not null then least(1, true_share + z * true_share_error) * n_offences
    end as n_corrected_upper,
    case when true_share is null then 'direct recount' else 'direct recount; Rogan-Gladen' end as counted_by
from errors
