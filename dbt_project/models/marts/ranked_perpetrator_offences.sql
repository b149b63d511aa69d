-- Grain: person x crime: one allegation with what it adds to the person's score, in numbers and in a sentence, and where
-- the person would stand without it. Rows of a person sum to the score, and the points shown to the score shown.
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

persons as (
    select
        scored.person_id,
        scored.list_status,
        places.national_rank,
        scored.score,
        cast(scored.score as decimal(28, 1)) as score_shown,
        scored.score_outcome_unknown,
        scored.n_counted,
        scored.n_recent,
        scored.n_surely_linked,
        -- What a sentence says of the person or of the class is worded once for each, not once an allegation.
        ', multiplier x ' || {{ as_shown('scored.multiplier', 2) }} || ' -> ' as multiplier_in_words,
        ' of ' || {{ as_shown('scored.score', 1) }} || ' points (' as score_in_words
    from {{ ref('scored_persons') }} as scored
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

victim_lists as (
    select
        offence_id,
        {{ sorted_list('person_id') }} as victim_ids
    from (
        select distinct
            offence_id,
            person_id
        from {{ ref('national_involvements') }}
        where role = 'victim' and sex = 'F' and person_id is not null
    ) as victims
    group by offence_id
),

shares as (
    -- Tenths of a point, cut off; the tenths then missing to the score go to the largest remainders. A person with one
    -- allegation that counts needs no sharing out.
    select
        offences.person_id,
        offences.offence_id,
        persons.score_shown,
        floor(offences.contribution * 10) as tenths,
        sum(floor(offences.contribution * 10)) over (partition by offences.person_id) as person_tenths,
        row_number() over (
            partition by offences.person_id
            order by
                offences.contribution * 10 - floor(offences.contribution * 10) desc,
                offences.reported_at desc,
                offences.offence_id asc
        ) as remainder_rank,
        row_number() over (
            partition by offences.person_id
            order by offences.contribution desc, offences.reported_at desc, offences.offence_id asc
        ) as contribution_rank
    from {{ ref('scored_allegations') }} as offences
    inner join persons on offences.person_id = persons.person_id
    where offences.is_counted and persons.n_counted > 1
),

shared as (
    select
        person_id,
        offence_id,
        contribution_rank,
        cast(
            (tenths + case when remainder_rank <= score_shown * 10 - person_tenths then 1 else 0 end) / 10
            as decimal(28, 1)
        ) as points_shown
    from shares
),

largest as (
    -- The largest allegations of those who are listed: N and V without them, and what is left of the conditions.
    select
        offences.person_id,
        offences.offence_id,
        persons.score,
        persons.national_rank,
        (persons.score - offences.contribution) / offences.multiplier
        * {{ ranking_multiplier(
            'offences.n_incidents - case when offences.is_in_window then 1 else 0 end'
            ~ ' + parameters.incidents_count_in_n * offences.n_non_crime_incidents',
            'offences.n_victims - offences.n_victims_only_here',
        ) }} as score_without,
        offences.n_incidents - case when offences.is_in_window then 1 else 0 end >= parameters.min_incidents
        and persons.n_recent - case when offences.is_recent then 1 else 0 end > 0
        and persons.n_surely_linked
        - case when offences.link_probability >= parameters.min_link_probability then 1 else 0 end > 0
        and persons.score_outcome_unknown - case when offences.is_outcome_known then 0 else offences.contribution end
        <= (persons.score - offences.contribution) * cast(parameters.max_outcome_unknown_share as decimal(9, 4))
            as is_listed_without
    from {{ ref('scored_allegations') }} as offences
    inner join shared
        on
            offences.person_id = shared.person_id
            and offences.offence_id = shared.offence_id
    inner join persons on offences.person_id = persons.person_id
    cross join parameters
    where persons.list_status = 'listed' and shared.contribution_rank <= parameters.n_largest_explained
),

ladder as (
    -- Scores as they are and as they would be, in one order: those above a rung are counted in passing.
    select
        cast(null as {{ dbt.type_string() }}) as person_id,
        cast(null as {{ dbt.type_string() }}) as offence_id,
        cast(score as decimal(28, 9)) as score,
        1 as is_actual
    from persons
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
        allegations.*,
        offences.age_days,
        offences.decay,
        offences.multiplier,
        offences.n_incidents,
        offences.n_non_crime_incidents,
        offences.n_victims,
        offences.is_in_window,
        offences.is_recent,
        offences.contribution,
        offences.contribution_grave,
        offences.contribution_gravest_harm,
        coalesce(victim_lists.victim_ids, {{ empty_list('varchar') }}) as victim_ids,
        persons.score,
        persons.score_shown,
        persons.national_rank,
        persons.multiplier_in_words,
        persons.score_in_words,
        classes.weight_in_words,
        without_them.is_listed_without,
        without_them.score_without,
        without_them.rank_without,
        case
            when shared.points_shown is not null then shared.points_shown
            when offences.is_counted then persons.score_shown
            else 0
        end as points_shown,
        coalesce(forces.short_name || ' ', '') as force_name
    from {{ ref('scored_allegations') }} as offences
    inner join {{ ref('national_vawg_allegations') }} as allegations
        on
            offences.person_id = allegations.person_id
            and offences.offence_id = allegations.offence_id
    inner join persons on offences.person_id = persons.person_id
    left join classes on offences.offence_code = classes.offence_code
    left join victim_lists on offences.offence_id = victim_lists.offence_id
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
    force_code,
    crime_ref,
    suspect_no,
    record_id,
    offence_code,
    definition_id,
    definition_version,
    committed_from,
    reported_at,
    age_days,
    suspect_status,
    outcome_code,
    outcome_on,
    is_outcome_known,
    n_co_suspects,
    victim_ids,
    severity_days,
    is_severity_mapped,
    weights_version,
    decay,
    cast(outcome_weight as bigint) as outcome_weight,
    link_probability,
    multiplier,
    n_incidents,
    n_non_crime_incidents,
    n_victims,
    is_in_window,
    is_recent,
    is_counted,
    not_counted_reason,
    cast(contribution as decimal(28, 12)) as contribution,
    cast(contribution_grave as decimal(28, 12)) as contribution_grave,
    contribution_gravest_harm,
    cast(points_shown as decimal(28, 1)) as points_shown,
    case when score > 0 then cast(contribution as double precision) / score end as contribution_share,
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
