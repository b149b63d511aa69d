"""`vawg link`: any file of persons from nothing, against an index, with a model of its own; and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from cli.main import main
from data_contracts.synthetic.nominals import write_nominals

COLUMNS = ["record_id", "person_id", "person_group_id", "link_probability", "n_records", "withheld"]
# The same woman twice, under an alias and from an earlier home; and a man who is neither.
PERSONS = [
    {"record_id": "F1|1", "forenames": "Olwen", "surname": "O'Penderwicke", "date_of_birth": "17/05/1975", "sex": "F",
     "postcode": "TR1 1AA", "phone": "+44 7700 900001", "aliases": "", "postcode_history": ""},
    {"record_id": "F2|1", "forenames": "OLWEN", "surname": "HOLLOWMERE", "date_of_birth": "1975-05-17", "sex": "F",
     "postcode": "CF10 1AA", "phone": "07700900001", "aliases": "Olwen OPenderwicke|O Other", "postcode_history": "TR1 1AA"},
    {"record_id": "F2|2", "forenames": "Gundred", "surname": "Lastingham", "date_of_birth": "19600102", "sex": "M",
     "postcode": "ZZ99 3VZ", "phone": "07000000000", "aliases": "", "postcode_history": ""},
]  # fmt: skip


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in ("link", *arguments)])


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def persons(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "persons.csv", PERSONS)


def person_of(path: Path) -> dict[str, str]:
    return dict(pl.read_csv(path, infer_schema=False).select("record_id", "person_id").iter_rows())


def test_from_nothing(persons: Path, tmp_path: Path) -> None:
    done = vawg(persons, "--out", tmp_path / "new" / "links.csv", "--details", tmp_path / "details")
    assert done.exit_code == 0, done.output
    links = pl.read_csv(tmp_path / "new" / "links.csv")
    assert links.columns == COLUMNS
    assert links["record_id"].to_list() == ["F1|1", "F2|1", "F2|2"]
    assert links["n_records"].to_list() == [2, 2, 1]
    assert links["person_id"][0] == links["person_id"][1] != links["person_id"][2]
    assert "3 records stand for 2 persons" in done.output and "links.csv" in done.output
    assert {path.name for path in (tmp_path / "details").iterdir()} >= {
        "person_links.parquet",
        "person_evidence.parquet",
        "person_review_pairs.parquet",
        "person_ledger.parquet",
    }
    # Nobody's name is on the screen.
    assert not any(row["surname"].upper() in done.output.upper() for row in PERSONS)


def test_csv_and_parquet_in_and_out_are_the_same(persons: Path, tmp_path: Path) -> None:
    pl.read_csv(persons, infer_schema=False).write_parquet(tmp_path / "persons.parquet")
    assert vawg(persons, "--out", tmp_path / "links.parquet").exit_code == 0
    assert vawg(tmp_path / "persons.parquet", "--out", tmp_path / "links.csv").exit_code == 0
    links = pl.read_parquet(tmp_path / "links.parquet")
    assert links.equals(pl.read_csv(tmp_path / "links.csv", schema=links.schema))


def test_months_against_an_index(tmp_path: Path) -> None:
    index, out = tmp_path / "index.duckdb", tmp_path / "links.csv"
    first = vawg(write_csv(tmp_path / "1.csv", [PERSONS[0], PERSONS[2]]), "--out", out, "--standing", index)
    assert first.exit_code == 0 and "2 records stand for 2 persons" in first.output
    issued = person_of(out)

    # A record comes again, a new one comes, and the decisions and withdrawals are given.
    (tmp_path / "withdrawn.txt").write_text("F2|2\n")
    second = vawg(
        write_csv(tmp_path / "2.csv", PERSONS[:2]), "--out", out, "--standing", index, "--withdrawn", tmp_path / "withdrawn.txt"
    )  # fmt: skip
    assert second.exit_code == 0, second.output
    assert second.output.startswith("2 records new, changed or withdrawn")
    assert person_of(out) == {"F1|1": issued["F1|1"], "F2|1": issued["F1|1"]}

    (tmp_path / "decisions.csv").write_text("kind,record_id_l,record_id_r\ncannot_link,F1|1,F2|1\n")
    third = vawg(
        write_csv(tmp_path / "3.csv", PERSONS[:1]), "--out", out, "--standing", index, "--decisions", tmp_path / "decisions.csv"
    )  # fmt: skip
    assert third.exit_code == 0 and len(set(person_of(out).values())) == 2
    assert not list(tmp_path.glob(".*.part"))


def test_decisions_alone_are_applied_in_place_and_only_the_changes_written(
    persons: Path, tmp_path: Path
) -> None:
    index, out, changes = tmp_path / "index.duckdb", tmp_path / "links.csv", tmp_path / "changes.csv"
    assert vawg(persons, "--out", out, "--standing", index).exit_code == 0
    before, written = person_of(out), out.read_bytes()
    (tmp_path / "decisions.csv").write_text("kind,record_id_l,record_id_r\ncannot_link,F1|1,F2|1\n")
    decided = ("--standing", index, "--decisions", tmp_path / "decisions.csv")
    done = vawg("--changes", changes, *decided)
    assert done.exit_code == 0, done.output
    assert f"Changes: {changes}; index: {index}" in done.output
    rows = pl.read_csv(changes)
    assert rows.columns[:6] == ["record_id", "change", "event", "cause", "decision_id", "former_person_id"]
    assert rows["record_id"].to_list() == ["F1|1", "F2|1"] and set(rows["change"]) == {"changed"}
    assert rows.filter(pl.col("event") == "split")["decision_id"].to_list() == ["D000001"]
    assert set(rows["former_person_id"]) == {before["F1|1"]} and rows["person_id"].n_unique() == 2
    assert out.read_bytes() == written
    # All of it, as the index has it now.
    assert vawg("--out", out, *decided).exit_code == 0
    assert dict(rows.select("record_id", "person_id").iter_rows()).items() <= person_of(out).items()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--out", "links.csv"), "without PERSONS there must be a standing index"),
        (
            ("--changes", "changes.csv", "--standing", "none.duckdb"),
            "without PERSONS there must be a standing index",
        ),
        (("persons.csv",), "name a FILE for the links with --out"),
        (
            ("persons.csv", "--changes", "changes.csv", "--details", "details"),
            "name a FILE for the links with --out",
        ),
        (("persons.csv", "--changes", "changes.csv", "--train", "1"), "name a FILE for the links with --out"),
    ],
)
def test_what_does_not_go_together(
    persons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(vawg(*arguments), says, tmp_path / "links.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["persons.csv"]


def test_a_file_that_trains_nothing(tmp_path: Path) -> None:
    rows = [{**PERSONS[0], "record_id": f"F1|{number}"} for number in range(4)]
    out = tmp_path / "links.csv"
    done = vawg(write_csv(tmp_path / "persons.csv", rows), "--out", out, "--train", 1)
    assert done.exit_code == 2 and not out.exists()
    assert "vawg: a model cannot be trained on these 4 person records" in done.output


def test_an_index_of_another_version_of_the_program(persons: Path, tmp_path: Path) -> None:
    index, out = tmp_path / "index.duckdb", tmp_path / "links.csv"
    assert vawg(persons, "--out", tmp_path / "first.csv", "--standing", index).exit_code == 0
    with duckdb.connect(str(index)) as connection:
        connection.execute("ALTER TABLE facts DROP COLUMN layout")
    refused(vawg(persons, "--out", out, "--standing", index), "made by another version of this program", out)


def test_with_a_model_of_its_own(tmp_path: Path) -> None:
    [persons] = write_nominals(tmp_path, n_nominals=1000, seed=31).records
    out, index = tmp_path / "links.csv", tmp_path / "index.duckdb"
    done = vawg(persons, "--out", out, "--train", 5, "--standing", index)
    assert done.exit_code == 0, done.output
    model = tmp_path / "links.model.json"
    assert f"Model {json.loads(model.read_text())['version']}." in done.output
    assert len(person_of(out)) == 1000

    # The index goes on with that model, and with no other.
    again = vawg(persons, "--out", out, "--train", 5, "--standing", index)
    assert again.exit_code == 2 and "leave out --train" in again.output
    shipped = vawg(persons, "--out", out, "--standing", index)
    assert shipped.exit_code == 2 and "the standing index was made with model own-" in shipped.output
    its_own = vawg(persons, "--out", out, "--standing", index, "--model", model)
    assert its_own.exit_code == 0 and its_own.output.startswith("0 records new")


def refused(done: Result, says: str, out: Path) -> None:
    assert done.exit_code == 2, done.output
    assert says in done.output and done.output.startswith("vawg: ") and "Traceback" not in done.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"name": "x"}], "persons.csv has no column record_id, surname, date_of_birth"),
        ([{"record_id": "1", "surname": "A"}], "persons.csv has no column date_of_birth"),
        ([{**PERSONS[0]}, {**PERSONS[0]}], "1 person records share a record_id"),
        ([{**PERSONS[0], "record_id": ""}], "1 person records have no record_id"),
    ],
)
def test_a_file_of_no_persons(tmp_path: Path, rows: list[dict[str, str]], says: str) -> None:
    out = tmp_path / "links.csv"
    refused(vawg(write_csv(tmp_path / "persons.csv", rows), "--out", out), says, out)


def test_no_file(tmp_path: Path) -> None:
    out = tmp_path / "links.csv"
    refused(vawg(tmp_path / "none.csv", "--out", out), "there is no file", out)
    (tmp_path / "persons.parquet").write_bytes(b"PAR1 and nothing more")
    refused(
        vawg(tmp_path / "persons.parquet", "--out", out), "persons.parquet cannot be read as persons", out
    )


def test_a_bad_file_leaves_the_index_as_it_was(persons: Path, tmp_path: Path) -> None:
    index, out = tmp_path / "index.duckdb", tmp_path / "links.csv"
    assert vawg(persons, "--out", out, "--standing", index).exit_code == 0
    before, written = index.read_bytes(), out.read_bytes()
    bad = write_csv(tmp_path / "bad.csv", [PERSONS[0], PERSONS[0]])
    assert vawg(bad, "--out", out, "--standing", index).exit_code == 2
    assert (index.read_bytes(), out.read_bytes()) == (before, written)


@pytest.mark.parametrize("option", ["--model", "--withdrawn", "--decisions"])
def test_an_option_that_names_no_file(persons: Path, tmp_path: Path, option: str) -> None:
    out = tmp_path / "links.csv"
    refused(vawg(persons, "--out", out, option, tmp_path / "none"), "none", out)


def test_decisions_that_contradict_each_other(persons: Path, tmp_path: Path) -> None:
    decisions, out = tmp_path / "decisions.csv", tmp_path / "links.csv"
    decisions.write_text("kind,record_id_l,record_id_r\ncannot_link,F1|1,F2|1\nmust_link,F1|1,F2|1\n")
    refused(vawg(persons, "--out", out, "--decisions", decisions), "D000001 keeps F1|1 and F2|1 apart", out)


@pytest.mark.parametrize(
    ("option", "content"),
    [
        pytest.param(
            "--decisions",
            "kind,one,other\nmust_link,F1|1,F2|1\n",
        ),
        pytest.param(
            "--decisions",
            "kind,record_id_l,record_id_r\nmaybe_link,F1|1,F2|1\n",
        ),
        pytest.param(
            "--model",
            "no json",
        ),
        pytest.param(
            "--model",
            "{}",
        ),
    ],
    ids=["columns", "kind", "not_json", "no_model"],
)
def test_an_option_that_names_a_bad_file(persons: Path, tmp_path: Path, option: str, content: str) -> None:
    (tmp_path / "bad").write_text(content)
    out = tmp_path / "links.csv"
    refused(vawg(persons, "--out", out, option, tmp_path / "bad"), "bad", out)


def test_an_index_that_is_none(persons: Path, tmp_path: Path) -> None:
    (tmp_path / "index.duckdb").write_text("not a database")
    out = tmp_path / "links.csv"
    refused(
        vawg(persons, "--out", out, "--standing", tmp_path / "index.duckdb"),
        "index.duckdb cannot be read",
        out,
    )
    assert (tmp_path / "index.duckdb").read_text() == "not a database"
