-- Grain: scope x pair of lists: how far two ways of ranking name the same people, and in the same order. Pairs are those of
-- the lenses and, for the nation, the list by score with the one by quotas.
--   rbo_ext = ((1 - p) / p) * ( SUM_(d=1..l) X_d / d * p^d + SUM_(d=s+1..l) X_s * (d - s) / (s * d) * p^d )
--             + ( (X_l - X_s) / l + X_s / s ) * p^l
-- with X_d persons in common down to depth d, s and l the lengths of the shorter and the longer list (Webber, Moffat and
-- Zobel 2010, eq. 32).
with parameters as (
    {{ ranking_parameters(['rbo_p', 'overlap_depth']) }}
),

lists as (
    select
        list_scope,
        list_scope_code,
        case when list_kind = 'national_quota' then 'national_quota' else lens end as list_name,
        place,
        person_id
    from {{ ref('perpetrator_lists') }}
    where list_kind in ('force_top', 'national_top', 'national_quota')
),

lengths as (
    select
        list_scope,
        list_scope_code,
        list_name,
        count(*) as n_persons
    from lists
    group by list_scope, list_scope_code, list_name
),

pairs as (
    select
        lengths.list_scope,
        lengths.list_scope_code,
        lengths.list_name as list_l,
        right_lengths.list_name as list_r,
        lengths.n_persons as n_l,
        right_lengths.n_persons as n_r,
        least(lengths.n_persons, right_lengths.n_persons) as n_shorter,
        greatest(lengths.n_persons, right_lengths.n_persons) as n_longer,
        case when lengths.n_persons >= right_lengths.n_persons then lengths.list_name else right_lengths.list_name end
            as longer_list
    from lengths
    inner join lengths as right_lengths
        on
            lengths.list_scope = right_lengths.list_scope
            and lengths.list_scope_code = right_lengths.list_scope_code
    inner join {{ ref('list_comparisons') }} as comparisons
        on
            lengths.list_name = comparisons.list_l
            and right_lengths.list_name = comparisons.list_r
),

common as (
    -- A person is in common from the depth at which both lists have named them.
    select
        pairs.list_scope,
        pairs.list_scope_code,
        pairs.list_l,
        pairs.list_r,
        greatest(lefts.place, rights.place) as at_depth,
        count(*) as n_new
    from pairs
    inner join lists as lefts
        on
            pairs.list_scope = lefts.list_scope
            and pairs.list_scope_code = lefts.list_scope_code
            and pairs.list_l = lefts.list_name
    inner join lists as rights
        on
            pairs.list_scope = rights.list_scope
            and pairs.list_scope_code = rights.list_scope_code
            and pairs.list_r = rights.list_name
            and lefts.person_id = rights.person_id
    group by pairs.list_scope, pairs.list_scope_code, pairs.list_l, pairs.list_r, greatest(lefts.place, rights.place)
),

depths as (
    -- The longer list has every depth once.
    select
        pairs.list_scope,
        pairs.list_scope_code,
        pairs.list_l,
        pairs.list_r,
        pairs.n_l,
        pairs.n_r,
        pairs.n_shorter,
        pairs.n_longer,
        cast(longer.place as double precision) as at_depth,
        sum(coalesce(common.n_new, 0)) over (
            partition by pairs.list_scope, pairs.list_scope_code, pairs.list_l, pairs.list_r
            order by longer.place
            rows unbounded preceding
        ) as n_common
    from pairs
    inner join lists as longer
        on
            pairs.list_scope = longer.list_scope
            and pairs.list_scope_code = longer.list_scope_code
            and pairs.longer_list = longer.list_name
    left join common
        on
            pairs.list_scope = common.list_scope
            and pairs.list_scope_code = common.list_scope_code
            and pairs.list_l = common.list_l
            and pairs.list_r = common.list_r
            and longer.place = common.at_depth
),

ends as (
    select
        list_scope,
        list_scope_code,
        list_l,
        list_r,
        max(case when at_depth = n_shorter then n_common end) as n_common_at_shorter
    from depths
    group by list_scope, list_scope_code, list_l, list_r
),

summed as (
    -- The terms as decimals, so that the order of the sum does not show.
    select
        depths.list_scope,
        depths.list_scope_code,
        depths.list_l,
        depths.list_r,
        max(depths.n_l) as n_l,
        max(depths.n_r) as n_r,
        max(depths.n_shorter) as n_shorter,
        max(depths.n_longer) as n_longer,
        max(depths.n_common) as n_both,
        max(case when depths.at_depth <= parameters.overlap_depth then depths.n_common end) as n_both_first,
        max(least(depths.n_longer, parameters.overlap_depth)) as n_first,
        max(ends.n_common_at_shorter) as n_common_at_shorter,
        sum(
            cast(
                (
                    depths.n_common / depths.at_depth
                    + case
                        when depths.at_depth > depths.n_shorter
                            then
                                ends.n_common_at_shorter * (depths.at_depth - depths.n_shorter)
                                / (depths.n_shorter * depths.at_depth)
                        else 0
                    end
                ) * power(cast(parameters.rbo_p as double precision), depths.at_depth)
                as decimal(28, 18)
            )
        ) as weighted_agreement
    from depths
    inner join ends
        on
            depths.list_scope = ends.list_scope
            and depths.list_scope_code = ends.list_scope_code
            and depths.list_l = ends.list_l
            and depths.list_r = ends.list_r
    cross join parameters
    group by depths.list_scope, depths.list_scope_code, depths.list_l, depths.list_r
)

select
    run.period,
    summed.list_scope,
    summed.list_scope_code,
    summed.list_l,
    summed.list_r,
    summed.n_l,
    summed.n_r,
    cast(summed.n_both as bigint) as n_both,
    cast(summed.n_both as double precision) / summed.n_longer as overlap_share,
    cast(summed.n_first as bigint) as n_first,
    cast(summed.n_both_first as double precision) / summed.n_first as overlap_share_first,
    round(
        (1 - parameters.rbo_p) / parameters.rbo_p * cast(summed.weighted_agreement as double precision)
        + (
            (summed.n_both - summed.n_common_at_shorter) / cast(summed.n_longer as double precision)
            + summed.n_common_at_shorter / cast(summed.n_shorter as double precision)
        ) * power(cast(parameters.rbo_p as double precision), summed.n_longer),
        9
    ) as rbo_ext,
    parameters.rbo_p
from summed
cross join {{ ref('national_run') }} as run
cross join parameters
