-- Grain: person x crime, of those who stand on a list of the month: the row as it is shown, in tenths of a point and in a
-- sentence, and where the person would stand without it. Nobody else is shown to anybody, and their rows are not worded.
with parameters as (
    {{ ranking_parameters([
        'severity_exponent',
        'multiplier_exponent',
        'multiplier_cap',
        'incidents_count_in_n',
        'min_incidents',
        'min_link_probability',
        'max_outcome_unknown_share',
        'n_largest_explained',
    ]) }}
),

shown as (
    select distinct person_id
    from {{ ref('perpetrator_lists') }}
),

persons as (
    select
        scored.person_id,
        scored.person_no,
        scored.is_named_by_several_forces,
        scored.multiplier,
        scored.n_incidents,
        scored.n_non_crime_incidents,
        scored.n_victims,
        scored.list_status,
        places.national_rank,
        scored.score,
        {{ score_as_shown('scored.score') }} as score_shown,
        scored.score_outcome_unknown,
        scored.n_counted,
        -- What a sentence says of the person or of the class is worded once for each, not once an allegation.
        ', multiplier x ' || {{ as_shown('scored.multiplier', 2) }} || ' -> ' as multiplier_in_words,
        ' of ' || {{ as_shown('scored.score', 1) }} || ' points (' as score_in_words
    from {{ ref('scored_persons') }} as scored
    inner join shown on scored.person_id = shown.person_id
    left join {{ ref('person_places') }} as places on scored.person_id = places.person_id
),

classes as (
    select
        weights.offence_code,
        ', s = '
        || case
            when weights.cchi_days = floor(weights.cchi_days) then {{ as_shown('weights.cchi_days', 0) }}
            else {{ as_shown('weights.cchi_days', 1) }}
        end
        || ' days (' || weights.version
        || case when weights.mapping_status = 'mapped' then '), s^' else ', the class has no weight of its own), s^' end
        || {{ as_shown('parameters.severity_exponent', 2) }} || ' = '
        || {{ as_shown('power(weights.cchi_days, parameters.severity_exponent)', 2) }} || ', ' as weight_in_words
    from {{ ref('harm_weights') }} as weights
    cross join parameters
),

offences as (
    select
        offences.person_id,
        offences.person_no,
        offences.offence_id,
        offences.force_code,
        offences.crime_ref,
        offences.offence_code,
        offences.reported_at,
        offences.age_days,
        offences.is_outcome_known,
        offences.n_co_suspects,
        offences.decay,
        offences.link_probability,
        offences.multiplier,
        offences.n_incidents,
        offences.n_non_crime_incidents,
        offences.n_victims,
        offences.is_in_window,
        offences.is_recent,
        offences.is_counted,
        offences.not_counted_reason,
        offences.contribution,
        offences.list_status,
        offences.national_rank,
        offences.score,
        offences.score_shown,
        offences.score_outcome_unknown,
        offences.n_counted,
        offences.multiplier_in_words,
        offences.score_in_words
    from ({{ scored_allegations_of('persons', with_columns=[
        'list_status',
        'national_rank',
        'score',
        'score_shown',
        'score_outcome_unknown',
        'n_counted',
        'multiplier_in_words',
        'score_in_words',
    ]) }}) as offences
),

shares as (
    -- Tenths of a point, cut off; the tenths then missing to the score go to the largest remainders. A person with one
    -- allegation that counts needs no sharing out.
    select
        person_id,
        offence_id,
        score_shown,
        floor(contribution * 10) as tenths,
        sum(floor(contribution * 10)) over (partition by person_no) as person_tenths,
        row_number() over (
            partition by person_no
            order by contribution * 10 - floor(contribution * 10) desc, reported_at desc, offence_id asc
        ) as remainder_rank
    from offences
    where is_counted and n_counted > 1
),

shared as (
    select
        person_id,
        offence_id,
        cast(
            (tenths + case when remainder_rank <= score_shown * 10 - person_tenths then 1 else 0 end) / 10
            as decimal(28, 1)
        ) as points_shown
    from shares
),

crime_victims as (
    -- Whom V counts, by crime.
    select distinct
        offences.person_id,
        offences.offence_id,
        coalesce(victims.person_id, '') as victim_id
    from offences
    inner join {{ ref('national_involvements') }} as victims on offences.offence_id = victims.offence_id
    where
        offences.list_status = 'listed'
        and offences.is_counted
        and offences.is_in_window
        and victims.role = 'victim' and victims.sex = 'F'
),

victims_of_one_crime as (
    select
        person_id,
        victim_id,
        max(offence_id) as offence_id
    from crime_victims
    group by person_id, victim_id
    having count(*) = 1
),

only_here as (
    select
        person_id,
        offence_id,
        count(*) as n_victims
    from victims_of_one_crime
    group by person_id, offence_id
),

-- What counts against those who are listed.
counting as (
    select
        offences.*,
        row_number() over (
            partition by offences.person_no
            order by offences.contribution desc, offences.reported_at desc, offences.offence_id asc
        ) as contribution_rank,
        sum(case when offences.is_recent then 1 else 0 end) over (partition by offences.person_no) as n_recent,
        sum(case when offences.link_probability >= parameters.min_link_probability then 1 else 0 end)
            over (partition by offences.person_no) as n_surely_linked
    from offences
    cross join parameters
    where offences.list_status = 'listed' and offences.is_counted
),

largest as (
    -- The largest allegations of those who are listed: N and V without them, and what is left of the conditions.
    select
        counting.person_id,
        counting.offence_id,
        counting.score,
        counting.national_rank,
        (counting.score - counting.contribution) / counting.multiplier
        * {{ ranking_multiplier(
            'counting.n_incidents - case when counting.is_in_window then 1 else 0 end'
            ~ ' + parameters.incidents_count_in_n * counting.n_non_crime_incidents',
            'counting.n_victims - coalesce(only_here.n_victims, 0)',
        ) }} as score_without,
        counting.n_incidents - case when counting.is_in_window then 1 else 0 end >= parameters.min_incidents
        and counting.n_recent - case when counting.is_recent then 1 else 0 end > 0
        and counting.n_surely_linked
        - case when counting.link_probability >= parameters.min_link_probability then 1 else 0 end > 0
        and counting.score_outcome_unknown - case when counting.is_outcome_known then 0 else counting.contribution end
        <= (counting.score - counting.contribution) * cast(parameters.max_outcome_unknown_share as decimal(9, 4))
            as is_listed_without
    from counting
    cross join parameters
    left join only_here
        on
            counting.person_id = only_here.person_id
            and counting.offence_id = only_here.offence_id
    where counting.contribution_rank <= parameters.n_largest_explained
),

ladder as (
    -- Scores as they are and as they would be, in one order: those above a rung are counted in passing.
    select
        cast(null as {{ dbt.type_string() }}) as person_id,
        cast(null as {{ dbt.type_string() }}) as offence_id,
        cast(score as decimal(28, 9)) as score,
        1 as is_actual
    from {{ ref('scored_persons') }}
    where list_status = 'listed'

    union all

    select
        person_id,
        offence_id,
        cast(score_without as decimal(28, 9)) as score,
        0 as is_actual
    from largest
    where is_listed_without
),

rungs as (
    select
        person_id,
        offence_id,
        is_actual,
        sum(is_actual) over (order by score desc, is_actual asc rows unbounded preceding) as n_above
    from ladder
),

without_them as (
    -- The person's own score stands above the rung too, so the count is the place; where nothing is lost, nothing moves.
    select
        largest.person_id,
        largest.offence_id,
        largest.is_listed_without,
        cast(largest.score_without as decimal(28, 12)) as score_without,
        case
            when not largest.is_listed_without then null
            when cast(largest.score_without as decimal(28, 9)) = cast(largest.score as decimal(28, 9))
                then largest.national_rank
            else cast(rungs.n_above as bigint)
        end as rank_without
    from largest
    left join rungs
        on
            rungs.is_actual = 0
            and largest.person_id = rungs.person_id
            and largest.offence_id = rungs.offence_id
),

explained as (
    select
        offences.*,
        classes.weight_in_words,
        without_them.is_listed_without,
        without_them.score_without,
        without_them.rank_without,
        case
            when shared.points_shown is not null then shared.points_shown
            when offences.is_counted then offences.score_shown
            else 0
        end as points_shown,
        coalesce(forces.short_name || ' ', '') as force_name
    from offences
    left join classes on offences.offence_code = classes.offence_code
    left join shared
        on
            offences.person_id = shared.person_id
            and offences.offence_id = shared.offence_id
    left join without_them
        on
            offences.person_id = without_them.person_id
            and offences.offence_id = without_them.offence_id
    left join {{ ref('forces') }} as forces on offences.force_code = forces.code
)

select
    person_id,
    offence_id,
    cast(points_shown as decimal(28, 1)) as points_shown,
    is_listed_without,
    score_without,
    rank_without,
    force_name || crime_ref || ', reported ' || {{ day_in_words('reported_at') }}
    || case
        when not is_counted then ': not counted, because ' || not_counted_reason
        else
            weight_in_words || {{ as_shown('floor(age_days)', 0) }} || ' days old -> x ' || {{ as_shown('decay', 3) }}
            || ', link x ' || {{ as_shown('link_probability', 2) }} || multiplier_in_words
            || {{ as_shown('points_shown', 1) }} || score_in_words
            || {{ as_shown('100 * cast(contribution as double precision) / score', 0) }} || '%)'
            || case when is_outcome_known then '' else ', outcome not known' end
    end
    || case n_co_suspects
        when 0 then ''
        when 1 then ', with 1 other, role not distinguished'
        else ', with ' || cast(n_co_suspects as {{ dbt.type_string() }}) || ' others, role not distinguished'
    end
    || '.'
    || case
        when is_listed_without is null then ''
        when not is_listed_without then ' Without it the person would not be on the list.'
        when rank_without = national_rank
            then ' Without it the national rank would stay ' || cast(national_rank as {{ dbt.type_string() }}) || '.'
        else
            ' Without it the national rank would be ' || cast(rank_without as {{ dbt.type_string() }})
            || ' instead of ' || cast(national_rank as {{ dbt.type_string() }}) || '.'
    end as explanation
from explained
