-- Grain: person x draw: where somebody near the top of a list would stand, had the doubtful links and the harm weights
-- fallen otherwise. In a draw a nominal belongs to the person or does not, with the probability of its link, and the
-- weight of each class is off by a factor whose logarithm has a standard deviation that is a parameter; N, V and the
-- multiplier follow. Chance is a digest of run, nominal and draw: the same inputs give the same draws.
-- Only those who can be near an end of a list are drawn: the cost is theirs, not the nation's.
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
    select
        places.person_id,
        places.list_scope_code,
        scored.n_non_crime_incidents,
        places.tie_break
    from {{ ref('person_places') }} as places
    inner join {{ ref('scored_persons') }} as scored on places.person_id = scored.person_id
    cross join parameters
    where
        places.national_rank <= parameters.drawn_national_factor * parameters.top_national
        or places.list_place <= parameters.drawn_force_factor * parameters.top_force
),

allegations as (
    select
        offences.person_id,
        offences.offence_id,
        offences.record_id,
        offences.offence_code,
        offences.link_probability,
        offences.is_in_window,
        offences.is_recent,
        power(offences.severity_days, parameters.severity_exponent) * offences.decay as term
    from {{ ref('scored_allegations') }} as offences
    inner join candidates on offences.person_id = candidates.person_id
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
        record_id,
        max(link_probability) as link_probability,
        sum(case when is_in_window then 1 else 0 end) as n_incidents,
        sum(case when is_recent then 1 else 0 end) as n_recent
    from allegations
    group by person_id, record_id
),

record_digests as (
    select
        records.person_id,
        records.record_id,
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
        record_digests.person_id,
        record_digests.record_id,
        draws.draw_no
    from record_digests
    inner join draws on record_digests.digest_no = draws.digest_no
    inner join records
        on
            record_digests.person_id = records.person_id
            and record_digests.record_id = records.record_id
    where {{ eighth_of_a_digest('record_digests.digest', 'draws.digest_part') }} >= records.link_probability
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
    from (select distinct offence_code from allegations) as classes
    cross join draws
    cross join {{ ref('national_run') }} as run
    cross join parameters
),

terms as (
    -- Decimals: a sum of floats depends on the order it is taken in, and a place may depend on the sum.
    select
        person_id,
        record_id,
        offence_code,
        sum(cast(term as decimal(18, 9))) as term
    from allegations
    group by person_id, record_id, offence_code
),

sums as (
    select
        terms.person_id,
        weights.draw_no,
        sum(cast(terms.term * weights.factor as decimal(18, 9))) as term
    from terms
    inner join weights on terms.offence_code = weights.offence_code
    left join links_lost
        on
            terms.person_id = links_lost.person_id
            and terms.record_id = links_lost.record_id
            and weights.draw_no = links_lost.draw_no
    where links_lost.draw_no is null
    group by terms.person_id, weights.draw_no
),

lost as (
    select
        links_lost.person_id,
        links_lost.draw_no,
        sum(records.n_incidents) as n_incidents,
        sum(records.n_recent) as n_recent
    from links_lost
    inner join records
        on
            links_lost.person_id = records.person_id
            and links_lost.record_id = records.record_id
    group by links_lost.person_id, links_lost.draw_no
),

-- A victim is lost with the last of the nominals that this victim is known by a crime of.
person_victims as (
    select distinct
        allegations.person_id,
        allegations.record_id,
        coalesce(victims.person_id, '') as victim_id
    from allegations
    inner join {{ ref('national_involvements') }} as victims
        on allegations.offence_id = victims.offence_id and victims.role = 'victim' and victims.sex = 'F'
    where allegations.is_in_window
),

victim_records as (
    select
        person_id,
        victim_id,
        count(*) as n_records
    from person_victims
    group by person_id, victim_id
),

victim_records_lost as (
    select
        person_victims.person_id,
        person_victims.victim_id,
        links_lost.draw_no,
        count(*) as n_records
    from person_victims
    inner join links_lost
        on
            person_victims.person_id = links_lost.person_id
            and person_victims.record_id = links_lost.record_id
    group by person_victims.person_id, person_victims.victim_id, links_lost.draw_no
),

victims_lost as (
    select
        victim_records_lost.person_id,
        victim_records_lost.draw_no,
        count(*) as n_victims
    from victim_records_lost
    inner join victim_records
        on
            victim_records_lost.person_id = victim_records.person_id
            and victim_records_lost.victim_id = victim_records.victim_id
            and victim_records_lost.n_records = victim_records.n_records
    group by victim_records_lost.person_id, victim_records_lost.draw_no
),

victims as (
    select
        person_id,
        count(*) as n_victims
    from victim_records
    group by person_id
),

whole as (
    select
        records.person_id,
        sum(records.n_incidents) as n_incidents,
        sum(records.n_recent) as n_recent,
        max(coalesce(victims.n_victims, 0)) as n_victims
    from records
    left join victims on records.person_id = victims.person_id
    group by records.person_id
),

drawn as (
    select
        candidates.person_id,
        candidates.list_scope_code,
        candidates.tie_break,
        candidates.n_non_crime_incidents,
        draws.draw_no,
        whole.n_incidents - coalesce(lost.n_incidents, 0) as n_incidents,
        whole.n_recent - coalesce(lost.n_recent, 0) as n_recent,
        whole.n_victims - coalesce(victims_lost.n_victims, 0) as n_victims,
        coalesce(sums.term, 0) as term
    from candidates
    inner join whole on candidates.person_id = whole.person_id
    cross join draws
    left join sums on candidates.person_id = sums.person_id and draws.draw_no = sums.draw_no
    left join lost on candidates.person_id = lost.person_id and draws.draw_no = lost.draw_no
    left join victims_lost on candidates.person_id = victims_lost.person_id and draws.draw_no = victims_lost.draw_no
),

scored as (
    select
        drawn.person_id,
        drawn.list_scope_code,
        drawn.tie_break,
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
)

select
    person_id,
    draw_no,
    is_eligible,
    score,
    cast(n_incidents as bigint) as n_incidents,
    cast(n_victims as bigint) as n_victims,
    row_number() over (
        partition by draw_no
        order by case when is_eligible then 0 else 1 end, score desc, tie_break asc
    ) as national_place,
    row_number() over (
        partition by draw_no, list_scope_code
        order by case when is_eligible then 0 else 1 end, score desc, tie_break asc
    ) as list_place
from scored
