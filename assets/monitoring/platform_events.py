"""The run's own allegations as a table of events, with what people are compared by, read from the warehouse.

What people are compared by (ethnicity as they and as officers put it, sex, age band, force) is read here, apart from
whatever a score is made of, joined in memory, and leaves the station only as counts: nothing here is written per person.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import duckdb
import polars as pl

from assets.monitoring.events import Events, events_of

# What persons are compared by: column -> what it is called.
ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "ethnicity_self_defined": "ethnicity, self-defined",
        "ethnicity_officer_defined": "ethnicity, officer-defined",
        "sex": "sex",
        "age_band": "age band",
        "force": "force",
    }
)
# Pairs of them that are compared too: a group may be treated otherwise within another than as a whole.
PAIRS: tuple[tuple[str, str], ...] = (
    ("ethnicity_self_defined", "sex"),
    ("ethnicity_officer_defined", "sex"),
    ("ethnicity_self_defined", "age_band"),
    ("ethnicity_officer_defined", "age_band"),
    ("sex", "age_band"),
)
# Which weight an offence is given: name -> column of `national_vawg_allegations`.
WEIGHTS: Mapping[str, str] = MappingProxyType({"CCHI": "severity_days", "ONS CSS": "ons_css_weight"})
_OUTCOMES = {"counts": 1.0, "does not count": 0.0}

# An outcome that lets an allegation drop is known from its day on; the other reasons have no date and hold throughout.
_ALLEGATIONS = """
    with victims as (
        select distinct offence_id, person_id as victim_id
        from repository.national_involvements
        where role = 'victim' and sex = 'F' and person_id is not null
    ),

    dropped_by_outcome as (
        select code, reason
        from codes.outcome_treatment
        where kind = 'outcome_code' and outcome_weight = 0
    )

    select
        allegations.person_id,
        allegations.offence_id as event_id,
        victims.victim_id,
        allegations.reported_at as reported_on,
        allegations.committed_from as occurred_on,
        allegations.{weight} as harm_days,
        case when allegations.is_counted then 'counts' else 'does not count' end as outcome,
        case when dropped_by_outcome.code is not null then allegations.outcome_on end as outcome_on,
        allegations.link_probability,
        allegations.force_code
    from repository.national_vawg_allegations as allegations
    inner join repository.national_person_gates as gates using (person_id)
    cross join repository.national_run as run
    left join victims on allegations.offence_id = victims.offence_id
    left join dropped_by_outcome
        on allegations.outcome_code = dropped_by_outcome.code
        and allegations.not_counted_reason = dropped_by_outcome.reason
    where not gates.is_child and not gates.is_deceased and allegations.reported_at <= run.ranked_at
    order by all
"""

# Crimes of the scope for which nobody is named: how often a force names a suspect.
_UNNAMED = """
    select
        offences.offence_id as event_id,
        offences.reported_at as reported_on,
        offences.committed_from as occurred_on,
        offences.force_code
    from repository.national_offences as offences
    inner join repository.national_offence_scopes as scopes
        on offences.offence_id = scopes.offence_id
        and scopes.definition_id = 'npcc_policing_scope' and scopes.threat = 'all' and scopes.is_counted
    cross join repository.national_run as run
    anti join repository.national_vawg_allegations as allegations on offences.offence_id = allegations.offence_id
    where offences.reported_at <= run.ranked_at
    order by all
"""

# One row a person; of several nominals the value known last. Ethnicity comes from the nominals' current versions.
_ATTRIBUTES = """
    with nominals as (
        select
            records.person_id,
            arg_max(self_defined.high_level_group, (nominals.extracted_at, nominals.record_id))
                filter (where self_defined.high_level_group is not null) as ethnicity_self_defined,
            arg_max(officer_defined.high_level_group, (nominals.extracted_at, nominals.record_id))
                filter (where officer_defined.high_level_group is not null) as ethnicity_officer_defined
        from standardised.std_persons as nominals
        inner join staging.stg_extracts__persons as extracts
            using (force_code, person_ref, submission_id)
        inner join repository.national_person_records as records using (record_id)
        left join codes.ethnicity_self_defined as self_defined
            on extracts.ethnicity_self_defined = self_defined.code and self_defined.high_level_group not in ('Unknown', 'Not stated')
        left join codes.ethnicity_officer_defined as officer_defined
            on extracts.ethnicity_officer_defined = officer_defined.code
            and officer_defined.high_level_group not in ('Unknown', 'Not stated')
        group by records.person_id
    )

    select
        perpetrators.person_id,
        nominals.ethnicity_self_defined,
        nominals.ethnicity_officer_defined,
        case when persons.sex <> 'U' then persons.sex end as sex,
        bands.age_band,
        perpetrators.owner_force_code as force
    from marts.ranked_perpetrators as perpetrators
    inner join repository.national_persons as persons using (person_id)
    cross join repository.national_run as run
    left join nominals using (person_id)
    left join codes.age_bands as bands
        on date_sub('year', persons.latest_date_of_birth::timestamp, run.ranked_at)
        between bands.age_min and coalesce(bands.age_max, 200)
    order by perpetrators.person_id
"""


def allegations(connection: duckdb.DuckDBPyConnection, weight: str = "CCHI") -> Events:
    """The run's allegations of persons who may have a score, with `ATTRIBUTES` as groups. `weight`: one of `WEIGHTS`.

    Raises NotEvents where no allegation has a weight.
    """
    rows = connection.execute(_ALLEGATIONS.format(weight=WEIGHTS[weight])).pl()
    unnamed = connection.execute(_UNNAMED).pl()
    attributes = connection.execute(_ATTRIBUTES).pl().cast(dict.fromkeys(ATTRIBUTES, pl.String))
    rows = rows.join(attributes, on="person_id", how="left", maintain_order="left")
    return events_of(
        pl.concat([rows, unnamed], how="diagonal"),
        outcomes=_OUTCOMES,
        groups=tuple(ATTRIBUTES),
        leave_out_faulty=True,
    )


def groups_of(persons: pl.DataFrame) -> dict[str, list[str | None]]:
    """What is compared, in words -> the group of each person, singly and in pairs; where either of a pair is missing, the pair is."""
    single = {words: persons[column].to_list() for column, words in ATTRIBUTES.items()}
    paired = {
        f"{ATTRIBUTES[one]} and {ATTRIBUTES[other]}": [
            None if a is None or b is None else f"{a}, {b}" for a, b in persons.select(one, other).iter_rows()
        ]
        for one, other in PAIRS
    }
    return single | paired


def new_offence_codes(connection: duckdb.DuckDBPyConnection, *, months: int) -> pl.DataFrame:
    """Offence codes that nobody reported before the last `months`: offence_code, label, first_reported_on, n_offences.

    A code that is new to the return is new to the score too: its weight is a guess until somebody has looked.
    """
    return connection.execute(
        """
        select
            offences.offence_code,
            any_value(codes.label) as label,
            cast(min(offences.reported_at) as date) as first_reported_on,
            count(*) as n_offences
        from repository.national_offences as offences
        cross join repository.national_run as run
        left join codes.offence_codes as codes on offences.offence_code = codes.code
        where offences.reported_at <= run.ranked_at
        group by offences.offence_code, run.ranked_at
        having min(offences.reported_at) > run.ranked_at - to_months(?)
        order by first_reported_on, offences.offence_code
        """,
        [months],
    ).pl()
