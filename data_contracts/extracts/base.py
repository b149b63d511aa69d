"""How an extract is described: one typed Pandera model per extract, each field written once.

Belongs here: the kinds of field, their sensitivity, and what every extract model can say of itself.
Does not belong here: the fields of a particular extract (its own module), or rules that compare
fields (`data_contracts.rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from data_contracts.code_lists import codes


class Sensitivity(StrEnum):
    """How a field's values may be shown: outside `OPEN` they never leave the extracts in clear."""

    OPEN = "open"
    PERSONAL = "personal"
    SPECIAL = "special category"


def _in_code_list(code_list: str) -> pa.Check:
    """True where a value is one of the codes of `data_contracts/codes/<code_list>.csv`."""
    # Not `pandera.extensions`: registering a check there needs pandas, which a force's laptop need not have.
    return pa.Check(
        lambda data: data.lazyframe.select(pl.col(data.key).is_in(_as_one_list(code_list))),
        name="in_code_list",
        error=f"in_code_list({code_list})",
        statistics={"code_list": code_list},
    )


@cache
def _as_one_list(code_list: str) -> pl.Series:
    return codes(code_list).implode()


def field(
    description: str,
    *,
    example: str,
    required: bool = False,
    sensitivity: Sensitivity = Sensitivity.OPEN,
    unit: str | None = None,
    mapped_to: str | None = None,
    in_code_list: str | None = None,
    **constraints: Any,
) -> Any:
    """One field of an extract.

    `required`: blank is an error. `mapped_to`: the force writes its own words, which the mapping
    tables carry to this code list; an unmapped value is counted, not refused. `in_code_list`: the
    value is one of the codes of this list. `constraints` are Pandera's (`str_matches`, `in_range` ...).
    """
    described = pa.Field(
        nullable=not required,
        description=description,
        metadata={
            "example": example,
            "sensitivity": sensitivity,
            "unit": unit,
            "mapped_to": mapped_to,
        },
        **constraints,
    )
    if in_code_list:
        described.checks.append(_in_code_list(in_code_list))
    return described


class Extract(pa.DataFrameModel):
    """Base of every extract model; `Config.metadata` names its key and the extract it belongs to.

    `key`: the fields that identify a row. `root`: the extract whose record this row travels with;
    `root_key`: the field that names that record. A record is sent whole: a newer version of a crime
    replaces the older one together with its victims, suspects, relationships and flags.
    """


@dataclass(frozen=True)
class FieldSpec:
    """A field as the generated documents and the parser see it."""

    name: str
    dtype: type
    required: bool
    description: str
    example: str
    sensitivity: Sensitivity
    unit: str | None
    mapped_to: str | None
    code_list: str | None
    pattern: str | None
    minimum: float | None
    maximum: float | None

    @property
    def type_name(self) -> str:
        return {str: "text", int: "integer", bool: "Y or N", date: "date", datetime: "timestamp"}[self.dtype]


@dataclass(frozen=True)
class ExtractSpec:
    """An extract as the generated documents, the parser and the store see it."""

    name: str
    grain: str
    model: type[Extract]
    key: tuple[str, ...]
    root: str
    root_key: str
    fields: tuple[FieldSpec, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column name to polars type, in contract order."""
        return {f.name: POLARS_TYPES[f.dtype] for f in self.fields}

    def field(self, name: str) -> FieldSpec:
        return next(f for f in self.fields if f.name == name)


POLARS_TYPES: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    bool: pl.Boolean(),
    date: pl.Date(),
    datetime: pl.Datetime("us"),
}


@cache
def spec_of(model: type[Extract]) -> ExtractSpec:
    """Read a model back as plain facts (grain, key, fields in order)."""
    schema = model.to_schema()
    meta: dict[str, Any] = model.__config__.metadata or {}  # type: ignore[union-attr]
    annotations: dict[str, Any] = {name: hint.arg for name, (hint, _) in model.__fields__.items()}
    specs = []
    for name, column in schema.columns.items():
        statistics: dict[str, Any] = {}
        for check in column.checks:
            statistics |= check.statistics
        pattern = statistics.get("pattern")
        specs.append(
            FieldSpec(
                name=name,
                dtype=annotations[name],
                required=not column.nullable,
                description=column.description,
                code_list=statistics.get("code_list"),
                pattern=getattr(pattern, "pattern", pattern),
                minimum=statistics.get("min_value"),
                maximum=statistics.get("max_value"),
                **column.metadata,
            )
        )
    return ExtractSpec(
        name=str(schema.name),
        grain=(model.__doc__ or "").strip().splitlines()[0],
        model=model,
        key=tuple(meta["key"]),
        root=meta["root"],
        root_key=meta["root_key"],
        fields=tuple(specs),
    )
