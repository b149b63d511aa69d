-- Grain: one question about identity that waits for a person: two persons that may be one, or one person that is withheld.
-- What nobody will read is not worth asking: `queue_rank` says what to read first. In this order:
--   1. consequence: somebody on the ranked list, then a live suspect, then the rest;
--   2. expected change: the score the answer would put on the list or move on it, times the chance that it does;
--   3. how likely the two are one person, for most records carry no score.
with parameters as (
    {{ ranking_parameters(['recent_months']) }}
),

live_suspects as (
    select distinct allegations.person_id
    from {{ ref('national_vawg_allegations') }} as allegations
    cross join {{ ref('national_run') }} as run
    cross join parameters
    where
        allegations.is_counted
        and allegations.outcome_code = '0'
        and allegations.reported_at <= run.ranked_at
        and allegations.reported_at
        > {{ dbt.dateadd('month', '-cast(parameters.recent_months as integer)', 'run.ranked_at') }}
),

persons as (
    select
        persons.person_id,
        persons.withheld,
        {{ list_as_text('persons.withheld_reasons') }} as withheld_reason,
        {{ list_as_text('persons.withheld_reasons') }} like '%tied_to_another_person%' as is_tied,
        persons.lowest_link_probability,
        coalesce(ranked.score, 0) as score,
        case
            when ranked.list_status = 'listed' or ranked.is_held_for_identity_alone then 1
            when live_suspects.person_id is not null then 2
            else 3
        end as consequence_order
    from {{ ref('national_persons') }} as persons
    left join {{ ref('ranked_perpetrators') }} as ranked on persons.person_id = ranked.person_id
    left join live_suspects on persons.person_id = live_suspects.person_id
),

record_pairs as (
    select
        least(l.person_id, r.person_id) as person_id,
        greatest(l.person_id, r.person_id) as other_person_id,
        pairs.record_id_l,
        pairs.record_id_r,
        pairs.match_weight,
        pairs.guarded_weight,
        pairs.probability,
        pairs.veto
    from {{ source('linkage', 'person_review_pairs') }} as pairs
    inner join {{ ref('national_person_records') }} as l on pairs.record_id_l = l.record_id
    inner join {{ ref('national_person_records') }} as r on pairs.record_id_r = r.record_id
),

decided_apart as (
    select distinct
        least(l.person_id, r.person_id) as person_id,
        greatest(l.person_id, r.person_id) as other_person_id
    from {{ ref('stg_run__identity_decisions') }} as decisions
    inner join {{ ref('national_person_records') }} as l on decisions.record_id_l = l.record_id
    inner join {{ ref('national_person_records') }} as r on decisions.record_id_r = r.record_id
    where decisions.kind = 'cannot_link'
),

ranked_record_pairs as (
    select
        record_pairs.*,
        row_number() over (
            partition by record_pairs.person_id, record_pairs.other_person_id
            order by
                record_pairs.guarded_weight desc,
                record_pairs.match_weight desc,
                record_pairs.record_id_l asc,
                record_pairs.record_id_r asc
        ) as pair_rank,
        -- The guard that stands between two persons is shown even where it is not their best pair that met it.
        row_number() over (
            partition by record_pairs.person_id, record_pairs.other_person_id
            order by
                case when record_pairs.veto is null then 1 else 0 end,
                record_pairs.guarded_weight desc,
                record_pairs.match_weight desc,
                record_pairs.record_id_l asc,
                record_pairs.record_id_r asc
        ) as veto_rank
    from record_pairs
    left join decided_apart
        on
            record_pairs.person_id = decided_apart.person_id
            and record_pairs.other_person_id = decided_apart.other_person_id
    where decided_apart.person_id is null
),

pairs as (
    select
        person_id,
        other_person_id,
        coalesce(max(case when veto_rank = 1 then veto end), 'band') as reason,
        max(case when pair_rank = 1 then match_weight end) as match_weight,
        max(case when pair_rank = 1 then guarded_weight end) as guarded_weight,
        max(case when pair_rank = 1 then probability end) as probability,
        max(case when pair_rank = 1 then record_id_l end) as record_id_l,
        max(case when pair_rank = 1 then record_id_r end) as record_id_r,
        count(*) as n_record_pairs
    from ranked_record_pairs
    group by person_id, other_person_id
),

questions_of_two as (
    select
        pairs.*,
        one.withheld or other.withheld as withheld,
        least(one.consequence_order, other.consequence_order) as consequence_order,
        -- One that is tied to the other is off the list with all their score, and stays so until somebody has looked; of
        -- two that stand apart, what the lesser has done would come to the greater, if they are one.
        case
            when one.is_tied and other.is_tied then greatest(one.score, other.score)
            when one.is_tied then one.score
            when other.is_tied then other.score
            else least(one.score, other.score)
        end as score_at_stake,
        case when one.is_tied or other.is_tied then 1 else pairs.probability end as chance_of_change
    from pairs
    inner join persons as one on pairs.person_id = one.person_id
    inner join persons as other on pairs.other_person_id = other.person_id
),

paired as (
    select person_id from pairs
    union
    select other_person_id from pairs
),

weakest_links as (
    select
        person_id,
        max(case when is_weakest then record_id_l end) as record_id_l,
        max(case when is_weakest then record_id_r end) as record_id_r,
        min(link_weight) as link_weight,
        count(*) as n_links
    from {{ ref('person_link_evidence') }}
    group by person_id
),

first_records as (
    select
        person_id,
        min(record_id) as record_id
    from {{ ref('national_person_records') }}
    group by person_id
),

questions_of_one as (
    -- Where nothing but another person is in doubt, the pair is the question.
    select
        persons.*,
        weakest_links.link_weight,
        coalesce(weakest_links.record_id_l, first_records.record_id) as record_id_l,
        weakest_links.record_id_r,
        coalesce(weakest_links.n_links, 0) as n_links
    from persons
    inner join first_records on persons.person_id = first_records.person_id
    left join weakest_links on persons.person_id = weakest_links.person_id
    left join paired on persons.person_id = paired.person_id
    where
        persons.withheld
        and (persons.withheld_reason <> 'tied_to_another_person' or paired.person_id is null)
),

questions as (
    select
        person_id,
        other_person_id,
        reason,
        withheld,
        consequence_order,
        score_at_stake,
        chance_of_change,
        match_weight,
        guarded_weight,
        probability,
        n_record_pairs,
        record_id_l,
        record_id_r
    from questions_of_two

    union all

    select
        person_id,
        cast(null as {{ dbt.type_string() }}) as other_person_id,
        withheld_reason as reason,
        withheld,
        consequence_order,
        score as score_at_stake,
        1 as chance_of_change,
        link_weight as match_weight,
        link_weight as guarded_weight,
        lowest_link_probability as probability,
        n_links as n_record_pairs,
        record_id_l,
        record_id_r
    from questions_of_one
),

expected as (
    select
        *,
        cast(score_at_stake * chance_of_change as decimal(28, 12)) as expected_change
    from questions
)

select
    row_number() over (
        order by
            consequence_order asc,
            expected_change desc,
            probability desc,
            guarded_weight desc,
            person_id asc,
            coalesce(other_person_id, '') asc
    ) as queue_rank,
    person_id,
    other_person_id,
    reason,
    case consequence_order when 1 then 'listed' when 2 then 'live_suspect' else 'recorded' end as consequence,
    withheld,
    cast(score_at_stake as decimal(28, 12)) as score_at_stake,
    expected_change,
    match_weight,
    guarded_weight,
    probability,
    n_record_pairs,
    record_id_l,
    record_id_r
from expected
