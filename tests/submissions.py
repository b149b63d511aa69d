"""Small submissions for tests: clean ones, and clean ones with one thing changed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl

from data_contracts.extracts.catalogue import CONTRACT_VERSION, EXTRACTS
from data_contracts.submission import write_submission

PERIOD = date(2026, 2, 1)
FORCE = "E23000036"


def crimes(n: int, period: date = PERIOD) -> dict[str, pl.DataFrame]:
    """Extracts of `n` clean assaults by an ex-partner, each with one victim, suspect, relationship and flag."""
    numbers = range(1, n + 1)
    refs = [f"52/{period:%y%m}{i:05d}" for i in numbers]
    offences = {
        "crime_ref": refs,
        "offence_code": ["8N"] * n,
        "committed_from": [f"{period:%Y-%m}-03T21:10:00"] * n,
        "committed_time_known": ["Y"] * n,
        "reported_at": [f"{period:%Y-%m}-03T22:00:00"] * n,
        "recorded_at": [f"{period:%Y-%m}-03T23:30:00"] * n,
        "status": ["live"] * n,
        "injury": ["minor"] * n,
    }
    persons = {
        "person_ref": [f"V{i:04d}" for i in numbers] + [f"S{i:04d}" for i in numbers],
        "forenames": ["ANNA"] * n + ["MARK"] * n,
        "surname": ["EXAMPLE"] * 2 * n,
        "date_of_birth": [f"19{60 + i % 39}-05-17" for i in numbers]
        + [f"19{60 + i % 39}-04-09" for i in numbers],
        "sex": ["F"] * n + ["M"] * n,
    }
    victims = {
        "crime_ref": refs,
        "victim_no": ["1"] * n,
        "victim_type": ["person"] * n,
        "person_ref": [f"V{i:04d}" for i in numbers],
        "age": ["34"] * n,
        "sex": ["F"] * n,
        "ethnicity": ["W1"] * n,
    }
    suspects = {
        "crime_ref": refs,
        "suspect_no": ["1"] * n,
        "person_ref": [f"S{i:04d}" for i in numbers],
        "age": ["36"] * n,
        "sex": ["M"] * n,
        "status": ["named"] * n,
    }
    relationships = {
        "crime_ref": refs,
        "victim_no": ["1"] * n,
        "suspect_no": ["1"] * n,
        "relationship": ["Relationship"] * n,
    }
    flags = {"crime_ref": refs, "flag": ["DOMESTIC ABUSE"] * n, "value": ["Y"] * n}
    tables = {
        "offences": offences,
        "persons": persons,
        "victims": victims,
        "suspects": suspects,
        "relationships": relationships,
        "flags": flags,
    }
    return {name: in_contract_order(name, pl.DataFrame(rows)) for name, rows in tables.items()}


def in_contract_order(extract: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with every column of the contract, as text, blank where not given."""
    blank = [
        pl.lit(None, dtype=pl.String).alias(c) for c in EXTRACTS[extract].schema if c not in rows.columns
    ]
    return rows.with_columns(blank).select(list(EXTRACTS[extract].schema)).cast(pl.String)


def send(
    folder: Path,
    *,
    force_code: str = FORCE,
    period: date = PERIOD,
    sequence: int = 1,
    n_crimes: int = 2,
    extracts: dict[str, pl.DataFrame] | None = None,
    change: dict[str, dict[str, str | None]] | None = None,
) -> Path:
    """Write a clean submission of `n_crimes`, with `change` (extract -> field -> value) made to its first rows."""
    tables = dict(extracts if extracts is not None else crimes(n_crimes, period))
    for extract, values in (change or {}).items():
        first = pl.int_range(pl.len()) == 0
        tables[extract] = tables[extract].with_columns(
            pl.when(first).then(pl.lit(v, dtype=pl.String)).otherwise(pl.col(f)).alias(f)
            for f, v in values.items()
        )
    next_month = date(period.year + period.month // 12, period.month % 12 + 1, 1)
    return write_submission(
        folder / f"{force_code}_{period:%Y-%m}_{sequence}",
        force_code=force_code,
        period=period,
        sequence=sequence,
        extracted_at=datetime(next_month.year, next_month.month, 3, 6),
        contact="analyst@force.example",
        extracts=tables,
        contract_version=CONTRACT_VERSION,
    )
