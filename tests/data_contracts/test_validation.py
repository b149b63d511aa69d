"""What checking promises whatever comes: nothing lost, nothing hidden, nothing else taken out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandera.errors
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.extracts.base import ExtractSpec, Sensitivity
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import FINDINGS_SCHEMA
from data_contracts.rules.catalogue import rules
from data_contracts.validation import Checked, model_verdicts, parse
from tests.data_contracts.clean import Tables, as_frame, check_tables, clean_tables

CRIME_EXTRACTS = [name for name, spec in EXTRACTS.items() if spec.root == "offences"]
CELLS = [
    (extract, row, field.name)
    for extract, rows in clean_tables().items()
    for row in range(len(rows))
    for field in EXTRACTS[extract].fields
]
ODD = [
    "",
    " ",
    "?",
    "-1",
    "0",
    "9999999999999999",
    "2026-02-30",
    "2031-01-01",
    "1066-10-14T00:00",
    "Y",
    "=1+1",
    "\u202e",
    "é" * 50,
]

few = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def _checked(tables: Tables) -> Checked:
    with tempfile.TemporaryDirectory() as folder:
        return check_tables(Path(folder), tables)


def _refs(rows: pl.DataFrame, spec: ExtractSpec) -> list[str]:
    return [r or "" for r in rows[spec.root_key].str.strip_chars()]


mutations = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"), st.sampled_from(CELLS), st.sampled_from(ODD) | st.text("aé,\"'\n 0", max_size=6)
        ),
        st.tuples(st.just("double"), st.sampled_from(CELLS), st.none()),
        st.tuples(st.just("cut"), st.sampled_from(CELLS), st.none()),
    ),
    min_size=1,
    max_size=8,
)


def _mutated(steps: list[tuple[str, tuple[str, int, str], Any]]) -> Tables:
    tables = clean_tables()
    for kind, (extract, row, name), value in steps:
        rows = tables[extract]
        if not rows:
            continue
        at = row % len(rows)
        if kind == "put":
            rows[at][name] = value
        elif kind == "double":
            rows.append(dict(rows[at]))
        else:
            del rows[at]
    return tables


@few
@given(mutations)
def test_accepted_and_quarantined_make_up_what_was_received(steps: Any) -> None:
    tables = _mutated(steps)
    checked = _checked(tables)
    for extract, n_received, n_accepted, n_quarantined in checked.counts.iter_rows():
        assert n_received == len(tables[extract])
        assert (n_accepted, n_quarantined) == (
            checked.accepted[extract].height,
            checked.quarantined[extract].height,
        )
        numbers = [*checked.accepted[extract]["row_number"], *checked.quarantined[extract]["row_number"]]
        assert sorted(numbers) == list(range(1, n_received + 1))


@few
@given(mutations)
def test_an_error_takes_out_its_record_with_what_travels_with_it_and_nothing_else(steps: Any) -> None:
    tables = _mutated(steps)
    checked = _checked(tables)
    errors = checked.findings.filter(severity="error")
    for root in {spec.root for spec in EXTRACTS.values()}:
        family = {n: s for n, s in EXTRACTS.items() if s.root == root}
        bad = {
            (name, number)
            for name, number in errors.filter(pl.col("extract").is_in(list(family)))
            .select("extract", "row_number")
            .iter_rows()
        }
        sent = {name: as_frame(name, tables[name]).with_row_index("row_number", offset=1) for name in family}
        bad_refs = {_refs(sent[name], family[name])[number - 1] for name, number in bad if number} - {""}
        for name, spec in family.items():
            refs = _refs(sent[name], spec)
            expected = {
                number
                for number, ref in enumerate(refs, start=1)
                if ref in bad_refs or ref == "" or (name, number) in bad
            }
            assert set(checked.quarantined[name]["row_number"]) == expected


@few
@given(
    st.lists(st.sampled_from([c for c in CELLS if c[0] == "offences"]), min_size=2, max_size=6, unique=True)
)
def test_one_bad_cell_hides_no_other(cells: list[tuple[str, int, str]]) -> None:
    # Text that no typed or coded field can hold; free text takes it as it is.
    judged = {f.name for f in EXTRACTS["offences"].fields if f.dtype is not str or f.code_list or f.pattern}
    tables = clean_tables()
    for extract, row, name in cells:
        tables[extract][row][name] = "no such value"
    found = set(
        _checked(tables)
        .findings.filter(pl.col("rule").is_in(["value_not_readable", "code_not_in_list", "value_malformed"]))
        .select("extract", pl.col("row_number") - 1, "field")
        .iter_rows()
    )
    assert {c for c in cells if c[2] in judged} <= found


def _values(spec: ExtractSpec) -> st.SearchStrategy[dict[str, str]]:
    """Rows whose cells are often right, sometimes odd, sometimes blank."""
    return st.fixed_dictionaries(
        {
            f.name: st.sampled_from([f.example, f.example, f.example.lower(), "", "0", "121", "XX"])
            for f in spec.fields
        }
    )


@pytest.mark.parametrize("extract", list(EXTRACTS))
def test_the_verdicts_are_those_of_the_models_themselves(extract: str) -> None:
    spec = EXTRACTS[extract]

    @settings(few, max_examples=6)
    @given(st.lists(_values(spec), min_size=1, max_size=6))
    def same(rows: list[dict[str, str]]) -> None:
        typed = parse(as_frame(extract, rows).with_row_index("row_number", offset=1), spec)
        ours = {
            (name, row)
            for verdict in pl.concat(model_verdicts(typed, spec), how="horizontal").collect()
            for row in verdict.arg_true()
            for name in [verdict.name.split("|")[1]]
        }
        theirs = set()
        try:
            spec.model.validate(typed.drop("row_number"), lazy=True)
        except pandera.errors.SchemaErrors as errors:
            cases = errors.failure_cases.filter(pl.col("check") != "not_nullable")
            theirs = set(cases.select("column", pl.col("index").cast(pl.Int64)).iter_rows())
        assert ours == theirs

    same()


def test_every_example_in_the_contract_is_itself_right() -> None:
    for spec in EXTRACTS.values():
        example = as_frame(spec.name, [{f.name: f.example for f in spec.fields}]).with_row_index(
            "row_number", offset=1
        )
        typed = parse(example, spec)
        assert typed.null_count().select(pl.sum_horizontal(pl.all())).item() == 0, spec.name
        broken = pl.concat(model_verdicts(typed, spec), how="horizontal").collect()
        assert not any(broken.row(0)), spec.name


def test_findings_withhold_every_value_that_is_not_open(tmp_path: Path) -> None:
    tables = clean_tables()
    for extract, spec in EXTRACTS.items():
        tables[extract].append({f.name: "Secret" for f in spec.fields})
    findings = check_tables(tmp_path, tables).findings
    assert dict(findings.schema) == FINDINGS_SCHEMA
    for extract, name, value in findings.select("extract", "field", "value").unique().iter_rows():
        if EXTRACTS[extract].field(name).sensitivity is not Sensitivity.OPEN:
            assert value in (None, "(withheld)"), (extract, name)


def test_findings_do_not_depend_on_the_order_of_their_making(tmp_path: Path) -> None:
    tables = clean_tables()
    tables["offences"][0]["injury"] = "none"
    tables["victims"][1]["age"] = "98"
    first, second = (check_tables(tmp_path / n, tables).findings for n in ("one", "two"))
    assert first.equals(second)


def test_a_finding_keeps_its_key_when_the_record_moves(tmp_path: Path) -> None:
    tables = clean_tables()
    tables["offences"][1]["injury"] = "broken"
    first = check_tables(tmp_path / "first", tables).findings
    tables["offences"].reverse()
    second = check_tables(tmp_path / "second", tables).findings
    assert first["row_number"].to_list() != second["row_number"].to_list()
    assert first["finding_key"].to_list() == second["finding_key"].to_list()


def test_every_rule_speaks_plainly() -> None:
    for rule in rules().values():
        for sentence in (rule.message, rule.remedy):
            assert sentence[0].isupper() or sentence.startswith(("{field}", "submission.json")), rule.name
            assert sentence.endswith(".") and len(sentence) < 150, rule.name
            sentence.format(field="x")
        assert rule.source.startswith("checks "), rule.name
        if rule.extract:
            assert set(rule.fields) <= set(EXTRACTS[rule.extract].schema), rule.name
