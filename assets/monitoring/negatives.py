"""Who must never be on a list, looked for among everybody who is: records of each kind that the run holds, and how many got on.

Read from the repository, not from what the ranking made of it. A kind of which the run holds none proves nothing, so the
number of records stands beside the number found.
"""

from __future__ import annotations

import duckdb
import polars as pl

# Of each kind what it is in words, and the ids of its records: persons who must be on no list, or crimes that must not count.
_PERSONS = {
    "a child": "select person_id from repository.national_person_gates where is_child",
    "somebody dead": "select person_id from repository.national_person_gates where is_deceased",
}
_NOT_RANKED = {
    "a person whose identity is under review": (
        "select person_id from repository.national_person_gates where withheld"
    ),
    "a person whose every link is too uncertain": """
        select person_id
        from repository.national_vawg_allegations
        where is_counted
        group by person_id
        having max(link_probability) < (
            select max(number) from codes.ranking_parameters where parameter = 'min_link_probability'
        )
    """,
}
_CRIMES = {
    "a crime that was cancelled or handed over": (
        "select person_id, offence_id from repository.national_vawg_allegations "
        "inner join repository.national_offences using (offence_id) where status <> 'live'"
    ),
    "a suspect who was eliminated, acquitted or never named": (
        "select person_id, offence_id from repository.national_vawg_allegations "
        "inner join codes.outcome_treatment as treatment "
        "on treatment.kind = 'suspect_status' and treatment.code = suspect_status where treatment.outcome_weight = 0"
    ),
    "something done as a child": (
        "select person_id, offence_id from repository.national_vawg_allegations where age_at_offence < 18"
    ),
}


def negative_tests(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Grain: kind of record: must_never (words), n_records in the run, n_found on any list or in any score."""
    rows = [
        (kind, *_found(connection, ids, "marts.perpetrator_lists", "person_id"))
        for kind, ids in _PERSONS.items()
    ]
    ranked = (
        "(select person_id from marts.perpetrator_lists where list_kind not in ('held', 'added_by_officer'))"
    )
    rows += [(kind, *_found(connection, ids, ranked, "person_id")) for kind, ids in _NOT_RANKED.items()]
    counted = "(select person_id, offence_id from marts.ranked_perpetrator_offences where is_counted or contribution <> 0)"
    rows += [
        (kind, *_found(connection, ids, counted, "person_id, offence_id")) for kind, ids in _CRIMES.items()
    ]
    schema = {"must_never": pl.String, "n_records": pl.Int64, "n_found": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _found(connection: duckdb.DuckDBPyConnection, ids: str, among: str, key: str) -> tuple[int, int]:
    n_records, n_found = connection.execute(f"""
        with records as (select distinct {key} from ({ids}) as never)
        select
            (select count(*) from records),
            (select count(*) from (select distinct {key} from {among} as listed semi join records using ({key})))
    """).fetchall()[0]
    return n_records, n_found
