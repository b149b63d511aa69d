-- Grain: person x draw: where somebody near the top of a list would stand, had the doubtful links and the harm weights
-- fallen otherwise. In a draw a nominal belongs to the person or does not, with the probability of its link, and the
-- weight of each class is off by a factor whose logarithm has a standard deviation that is a parameter; N, V and the
-- multiplier follow. Chance is a digest of run, nominal and draw: the same inputs give the same draws.
-- Only those who can be near an end of a list are drawn: the cost is theirs, not the nation's. Inside, persons, nominals
-- and scopes are numbers: millions of rows are summed and sorted by them.
with parameters as (
    {{ ranking_parameters([
        'severity_exponent',
        'multiplier_exponent',
        'multiplier_cap',
        'incidents_count_in_n',
        'min_incidents',
        'top_national',
        'top_force',
        'drawn_national_factor',
        'drawn_force_factor',
        'n_draws',
        'weight_log_sd',
    ]) }}
),

candidates as (
    -- In the order of the tie-break, so that the number breaks ties as it does.
    select
        places.person_id,
        cast(row_number() over (order by places.tie_break, places.person_id) as integer) as candidate_no,
        cast(dense_rank() over (order by places.list_scope_code) as integer) as scope_no,
        scored.person_no,
        scored.is_named_by_several_forces,
        scored.multiplier,
        scored.n_incidents,
        scored.n_non_crime_incidents,
        scored.n_victims
    from {{ ref('person_places') }} as places
    inner join {{ ref('scored_persons') }} as scored on places.person_id = scored.person_id
    cross join parameters
    where
        places.national_rank <= parameters.drawn_national_factor * parameters.top_national
        or places.list_place <= parameters.drawn_force_factor * parameters.top_force
),

offences as (
    {{ scored_allegations_of('candidates', with_columns=['candidate_no']) }}
),

allegations as (
    select
        offences.person_id,
        offences.candidate_no,
        offences.offence_id,
        offences.record_id,
        offences.offence_code,
        offences.link_probability,
        offences.is_in_window,
        offences.is_recent,
        power(offences.severity_days, parameters.severity_exponent) * offences.decay as term
    from offences
    cross join parameters
    where offences.is_counted
),

draws as (
    select
        cast(numbers.number as integer) as draw_no,
        cast(floor((numbers.number - 1) / 8) as integer) as digest_no,
        cast((numbers.number - 1) - 8 * floor((numbers.number - 1) / 8) as integer) as digest_part
    from ({{ thousand_numbers() }}) as numbers
    cross join parameters
    where numbers.number <= parameters.n_draws
),

digests as (
    select distinct digest_no
    from draws
),

-- What each nominal brings. A crime is one allegation of a person, so N is a sum over nominals.
records as (
    select
        person_id,
        candidate_no,
        record_id,
        cast(row_number() over (order by candidate_no, record_id) as integer) as record_no,
        max(link_probability) as link_probability,
        sum(case when is_in_window then 1 else 0 end) as n_incidents,
        sum(case when is_recent then 1 else 0 end) as n_recent
    from allegations
    group by person_id, candidate_no, record_id
),

record_digests as (
    select
        records.candidate_no,
        records.record_no,
        records.link_probability,
        records.n_incidents,
        records.n_recent,
        digests.digest_no,
        {{ dbt.hash(
            "run.snapshot_key || '|' || records.person_id || '|' || records.record_id || '|' || cast(digests.digest_no as "
            ~ dbt.type_string() ~ ")"
        ) }} as digest
    from records
    cross join {{ ref('national_run') }} as run
    cross join digests
    where records.link_probability < 1
),

-- Links that are certain hold in every draw and need no row here.
links_lost as (
    select
        record_digests.candidate_no,
        record_digests.record_no,
        draws.draw_no,
        record_digests.n_incidents,
        record_digests.n_recent
    from record_digests
    inner join draws on record_digests.digest_no = draws.digest_no
    where {{ eighth_of_a_digest('record_digests.digest', 'draws.digest_part') }} >= record_digests.link_probability
),

classes as (
    select distinct offence_code
    from allegations
),

weights as (
    -- Two uniforms make a normal deviate (Box and Muller).
    select
        classes.offence_code,
        draws.draw_no,
        exp(
            parameters.severity_exponent * parameters.weight_log_sd
            * sqrt(-2 * ln({{ fixed_uniform(
                "run.snapshot_key || '|' || classes.offence_code || '|' || cast(draws.draw_no as "
                ~ dbt.type_string() ~ ") || '|radius'"
            ) }}))
            * cos(2 * pi() * {{ fixed_uniform(
                "run.snapshot_key || '|' || classes.offence_code || '|' || cast(draws.draw_no as "
                ~ dbt.type_string() ~ ") || '|angle'"
            ) }})
        ) as factor
    from classes
    cross join draws
    cross join {{ ref('national_run') }} as run
    cross join parameters
),

-- Summed as decimals: a sum of floats depends on the order it is taken in, and a place may depend on the sum.
class_terms as (
    select
        candidate_no,
        offence_code,
        cast(sum(cast(term as decimal(18, 9))) as double precision) as term
    from allegations
    group by candidate_no, offence_code
),

terms as (
    select
        records.candidate_no,
        records.record_no,
        allegations.offence_code,
        cast(sum(cast(allegations.term as decimal(18, 9))) as double precision) as term
    from allegations
    inner join records
        on
            allegations.candidate_no = records.candidate_no
            and allegations.record_id = records.record_id
    group by records.candidate_no, records.record_no, allegations.offence_code
),

-- All that is there is a product of two matrices, a person's terms by class and a draw's factors by class: a vector of
-- each, whose items stand in one order, so that the sum is always taken in the same. What is lost of it is little.
candidate_vectors as (
    select
        filled.candidate_no,
        {{ list_in_order('filled.term', 'filled.offence_code') }} as terms
    from (
        select
            candidates.candidate_no,
            classes.offence_code,
            coalesce(class_terms.term, 0) as term
        from candidates
        cross join classes
        left join class_terms
            on
                candidates.candidate_no = class_terms.candidate_no
                and classes.offence_code = class_terms.offence_code
    ) as filled
    group by filled.candidate_no
),

draw_vectors as (
    select
        draw_no,
        {{ list_in_order('factor', 'offence_code') }} as factors
    from weights
    group by draw_no
),

sums as (
    select
        candidate_vectors.candidate_no,
        draw_vectors.draw_no,
        cast({{ dot_product('candidate_vectors.terms', 'draw_vectors.factors') }} as decimal(18, 9)) as term
    from candidate_vectors
    cross join draw_vectors
),

terms_lost as (
    select
        links_lost.candidate_no,
        links_lost.draw_no,
        sum(cast(terms.term * weights.factor as decimal(18, 9))) as term
    from links_lost
    inner join terms on links_lost.record_no = terms.record_no
    inner join weights on links_lost.draw_no = weights.draw_no and terms.offence_code = weights.offence_code
    group by links_lost.candidate_no, links_lost.draw_no
),

lost as (
    select
        candidate_no,
        draw_no,
        sum(n_incidents) as n_incidents,
        sum(n_recent) as n_recent
    from links_lost
    group by candidate_no, draw_no
),

-- A victim is lost with the last of the nominals that this victim is known by a crime of.
person_victims as (
    select distinct
        records.candidate_no,
        records.record_no,
        coalesce(victims.person_id, '') as victim_id
    from allegations
    inner join records
        on
            allegations.candidate_no = records.candidate_no
            and allegations.record_id = records.record_id
    inner join {{ ref('national_involvements') }} as victims
        on allegations.offence_id = victims.offence_id and victims.role = 'victim' and victims.sex = 'F'
    where allegations.is_in_window
),

victim_records as (
    select
        candidate_no,
        victim_id,
        count(*) as n_records
    from person_victims
    group by candidate_no, victim_id
),

victim_records_lost as (
    select
        person_victims.candidate_no,
        person_victims.victim_id,
        links_lost.draw_no,
        count(*) as n_records
    from person_victims
    inner join links_lost on person_victims.record_no = links_lost.record_no
    group by person_victims.candidate_no, person_victims.victim_id, links_lost.draw_no
),

victims_lost as (
    select
        victim_records_lost.candidate_no,
        victim_records_lost.draw_no,
        count(*) as n_victims
    from victim_records_lost
    inner join victim_records
        on
            victim_records_lost.candidate_no = victim_records.candidate_no
            and victim_records_lost.victim_id = victim_records.victim_id
            and victim_records_lost.n_records = victim_records.n_records
    group by victim_records_lost.candidate_no, victim_records_lost.draw_no
),

victims as (
    select
        candidate_no,
        count(*) as n_victims
    from victim_records
    group by candidate_no
),

whole as (
    select
        records.candidate_no,
        sum(records.n_incidents) as n_incidents,
        sum(records.n_recent) as n_recent,
        max(coalesce(victims.n_victims, 0)) as n_victims
    from records
    left join victims on records.candidate_no = victims.candidate_no
    group by records.candidate_no
),

drawn as (
    select
        candidates.person_id,
        candidates.candidate_no,
        candidates.scope_no,
        candidates.n_non_crime_incidents,
        draws.draw_no,
        whole.n_incidents - coalesce(lost.n_incidents, 0) as n_incidents,
        whole.n_recent - coalesce(lost.n_recent, 0) as n_recent,
        whole.n_victims - coalesce(victims_lost.n_victims, 0) as n_victims,
        -- Both are rounded: of what is lost wholly nothing may be left.
        greatest(sums.term - coalesce(terms_lost.term, 0), 0) as term
    from candidates
    inner join whole on candidates.candidate_no = whole.candidate_no
    cross join draws
    inner join sums on candidates.candidate_no = sums.candidate_no and draws.draw_no = sums.draw_no
    left join terms_lost on candidates.candidate_no = terms_lost.candidate_no and draws.draw_no = terms_lost.draw_no
    left join lost on candidates.candidate_no = lost.candidate_no and draws.draw_no = lost.draw_no
    left join victims_lost on candidates.candidate_no = victims_lost.candidate_no and draws.draw_no = victims_lost.draw_no
),

scored as (
    select
        drawn.person_id,
        drawn.candidate_no,
        drawn.scope_no,
        drawn.draw_no,
        drawn.n_incidents,
        drawn.n_victims,
        drawn.n_incidents >= parameters.min_incidents and drawn.n_recent > 0 as is_eligible,
        cast(
            drawn.term * {{ ranking_multiplier(
                'drawn.n_incidents + parameters.incidents_count_in_n * drawn.n_non_crime_incidents',
                'drawn.n_victims',
            ) }} as decimal(28, 9)
        ) as score
    from drawn
    cross join parameters
),

placed as (
    select
        person_id,
        draw_no,
        scope_no,
        is_eligible,
        score,
        n_incidents,
        n_victims,
        row_number() over (
            partition by draw_no
            order by case when is_eligible then 0 else 1 end, score desc, candidate_no asc
        ) as national_place
    from scored
)

select
    person_id,
    draw_no,
    is_eligible,
    score,
    cast(n_incidents as bigint) as n_incidents,
    cast(n_victims as bigint) as n_victims,
    national_place,
    -- Who is before whom in the nation is so in the scope.
    row_number() over (
        partition by draw_no, scope_no
        order by national_place
    ) as list_place
from placed
