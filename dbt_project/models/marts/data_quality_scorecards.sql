{{ config(materialized='view') }}
-- Grain: force x check for the run's month. A reading of `data_quality_counts` by the register of checks, the thresholds in
-- force and the groups of peers, so that any of these can change without anything being counted again.
with run as (
    select * from {{ ref('national_run') }}
),

checks as ({{ seed_in_force('scorecard_checks') }}),

parameters as ({{ statistics_parameters(['interval_z']) }}),

counts as (
    select
        counts.*,
        coalesce('rule_' || counts.severity, counts.check_id) as graded_as,
        case when counts.n_checked > 0 then cast(counts.n_passed as double precision) / counts.n_checked end as share,
        case
            when counts.previous_n_checked > 0
                then cast(counts.previous_n_passed as double precision) / counts.previous_n_checked
        end as previous_share,
        cast(counts.n_passed + counts.previous_n_passed as double precision)
        / nullif(counts.n_checked + counts.previous_n_checked, 0) as pooled_share
    from {{ ref('data_quality_counts') }} as counts
),

joined as (
    select
        counts.*,
        case when counts.rule is null then checks.title else 'Rule ' || counts.rule || ' (' || counts.extract || ')' end
            as title,
        coalesce(rules.dimension, checks.dimension) as dimension,
        coalesce(rules.unit, checks.unit) as unit,
        checks.pass_at,
        checks.attention_at,
        checks.when_none,
        coalesce(checks.live_from <= run.period_end, false) as is_live,
        peers.peer_group,
        counts.share is not null and peers.peer_group is not null as has_rank
    from counts
    cross join run
    inner join checks on counts.graded_as = checks.check_id
    left join {{ ref('scorecard_rules') }} as rules on counts.rule = rules.rule
    left join {{ ref('force_peer_groups') }} as peers on counts.force_code = peers.force_code
),

peer_medians as (
    select
        peer_group,
        check_id,
        count(*) as n_peers,
        percentile_cont(0.5) within group (order by share) as peer_median_share
    from joined
    where has_rank
    group by peer_group, check_id
),

ranked as (
    select
        joined.*,
        rank() over (
            partition by joined.peer_group, joined.check_id, joined.has_rank
            order by joined.share desc
        ) as place
    from joined
),

-- A change counts as one where chance alone would seldom make it: two shares, pooled.
changes as (
    select
        ranked.*,
        ranked.share - ranked.previous_share as share_change,
        abs(ranked.share - ranked.previous_share) > parameters.interval_z * sqrt(
            ranked.pooled_share * (1 - ranked.pooled_share)
            * (1.0 / nullif(ranked.n_checked, 0) + 1.0 / nullif(ranked.previous_n_checked, 0))
        ) as is_a_change
    from ranked
    cross join parameters
)

select
    changes.period,
    changes.force_code,
    changes.check_id,
    changes.title,
    changes.dimension,
    changes.unit,
    changes.rule,
    changes.severity,
    changes.n_checked,
    changes.n_passed,
    changes.share,
    changes.median_days,
    changes.pass_at,
    changes.attention_at,
    case when changes.is_live then 'live' else 'shadow' end as check_status,
    case
        when changes.n_submissions = 0 then 'not_submitted'
        when changes.n_submissions_in = 0 then 'held'
        when changes.n_checked = 0 then 'not_applicable'
        when not changes.is_live then 'not_graded'
        when changes.share >= changes.pass_at then 'pass'
        when changes.share >= changes.attention_at then 'attention'
        else 'fail'
    end as status,
    case
        when changes.n_submissions = 0 then 'Nothing was sent for the month.'
        when changes.n_submissions_in = 0 then 'What was sent for the month is held.'
        when changes.n_checked = 0 then changes.when_none
    end as not_applicable_reason,
    changes.previous_period,
    changes.previous_share,
    changes.share_change,
    case
        when changes.share_change is null then null
        when not changes.is_a_change then 'level'
        when changes.share_change > 0 then 'better'
        else 'worse'
    end as trend,
    changes.peer_group,
    case when changes.has_rank then changes.place end as peer_rank,
    case when changes.has_rank then peer_medians.n_peers end as n_peers,
    peer_medians.peer_median_share,
    changes.waived_by,
    changes.waived_until,
    changes.waiver_reason
from changes
left join peer_medians on changes.peer_group = peer_medians.peer_group and changes.check_id = peer_medians.check_id
