"""The heart of it: months applied one after another are worth exactly what linking everything from nothing is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assets.linkage.linker import link
from assets.linkage.model import read_model, size_step
from assets.linkage.standing import OtherModel
from tests.assets.linkage.conftest import LinkedNation
from tests.assets.linkage.histories import (
    CORRECTIONS,
    History,
    Row,
    Step,
    assert_same,
    cro,
    dense_rows,
    family,
    live,
    other_model,
    pnc,
    strangers,
    write_rows,
)


def test_a_life_of_everything_equals_a_full_relink(lived: History) -> None:
    assert_same(lived.last, lived.full())


def test_a_life_of_everything_had_everything_in_it(lived: History) -> None:
    """Else the equality above would say little."""
    events = set(lived.last.ledger["event"])
    assert events == {"create", "join", "merge", "split", "correct", "retire"}
    assert {"new_evidence", "correction", "withdrawal", "decision"} <= set(lived.last.ledger["cause"])
    assert {pair.kind for pair in lived.decided} == {"must_link", "cannot_link"}
    assert lived.last.links["n_records"].max() >= 4  # type: ignore[operator]
    assert lived.last.links["withheld"].any()
    assert lived.last.said()["evidence"].height > 20


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [21, 22, 23, 24])
def test_months_of_a_larger_nation_equal_a_full_relink(tmp_path: Path, seed: int) -> None:
    pool = dense_rows(tmp_path, seed=seed, n_records=900)
    history = live(
        History(tmp_path), pool, [Step(n_new=500), Step(n_new=200, complete=True), Step(n_new=200)]
    )
    assert_same(history.last, history.full())


# What one of three records of a person is corrected to.
CHANGES: dict[str, Row] = {
    "name": {"surname": "OTHERWISE", "forenames": "OLIVER"},
    "birth": {"date_of_birth": date(1931, 12, 8)},
    "undated": {"date_of_birth": None},
    "number": {"pnc_id": pnc(777), "cro_number": None},
    "middle": {"forenames": "OLWEN MAY"},
    "other_person": {
        "surname": "OTHERWISE",
        "forenames": "OLIVER",
        "date_of_birth": date(1931, 12, 8),
        "sex": "M",
    },
    "moved": {"phone": None, "postcode": "SA15AA", "postcode_district": "SA1", "pnc_id": None},
}
WITH_NUMBER = {name: family(number, pnc_id=pnc(number)) for number, name in enumerate(CHANGES)}
CHAIN = family(9, phone=None)
CHAIN_LINKS = {
    "chain|1": {**CHAIN, "pnc_id": pnc(91), "postcode": "SW1A2AA", "postcode_district": "SW1A"},
    "chain|2": {
        **CHAIN,
        "pnc_id": pnc(91),
        "cro_number": cro(1234),
        "postcode": None,
        "postcode_district": None,
    },
    "chain|3": {**CHAIN, "cro_number": cro(1234), "postcode": "CF101AA", "postcode_district": "CF10"},
}
FIRST: dict[str, Row] = {
    **{f"{name}|{n}": said for name, said in WITH_NUMBER.items() for n in (1, 2, 3)},
    **{f"renamed|{n}": family(8) for n in (1, 2)},
    **CHAIN_LINKS,
}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three months: records come, are corrected or go, and are as they were."""
    history = History(tmp_path_factory.mktemp("corrected"))

    def rows(said: dict[str, Row]) -> list[Row]:
        return [{**row, "record_id": record_id} for record_id, row in said.items()]

    history.month([*strangers(40), *rows(FIRST)])
    changed = {f"{name}|2": WITH_NUMBER[name] | change for name, change in CHANGES.items()}
    history.month(rows({**changed, "renamed|9": family(8)}), withdrawn=["renamed|2", "chain|2"])
    assert_same(history.last, history.full())
    history.month(rows(FIRST), withdrawn=["renamed|9"])
    return history


def test_corrected_records_are_told_and_no_others_worked_at(corrected: History) -> None:
    # Seven corrected, one new, two gone; all fellows of the corrected and the gone are looked at again.
    assert [done.n_changed for done in corrected.summaries] == [40 + len(FIRST), 10, 10]
    assert corrected.summaries[1].n_built_again == 7 * 3 + 2 + 2


@pytest.mark.parametrize("name", CHANGES)
def test_a_correction_counts(corrected: History, name: str) -> None:
    first, second, third = corrected.runs
    assert first.one_person(f"{name}|1", f"{name}|2", f"{name}|3")
    assert second.one_person(f"{name}|1", f"{name}|3")
    # Where number and address agree, name or birth date may differ, not both; another number is another person.
    assert second.one_person(f"{name}|1", f"{name}|2") == (name in ("name", "birth", "undated", "middle"))
    assert third.one_person(f"{name}|1", f"{name}|2", f"{name}|3")


def test_a_record_under_another_id_takes_the_place_of_the_old_one(corrected: History) -> None:
    first, second, third = corrected.runs
    assert second.one_person("renamed|1", "renamed|9")
    assert second.person_of("renamed|9") == first.person_of("renamed|2")
    assert "renamed|2" not in second.crosswalk() and "renamed|9" not in third.crosswalk()


def test_without_the_record_that_held_them_two_fall_apart(corrected: History) -> None:
    """The first and the last share no more than name and birth date; each shares a number with the one between."""
    first, second, third = corrected.runs
    assert first.one_person(*CHAIN_LINKS)
    assert not second.one_person("chain|1", "chain|3")
    assert third.one_person(*CHAIN_LINKS)


def test_what_is_taken_back_leaves_no_trace_but_in_the_ledger(corrected: History) -> None:
    first, _, third = corrected.runs
    assert_same(third, first)
    # Each id found its way back to the records that most of it never left.
    assert third.crosswalk() == first.crosswalk()


def test_what_is_sent_again_unchanged_changes_nothing(corrected: History, tmp_path: Path) -> None:
    again = History(tmp_path, runs=corrected.runs[-1:]).month(corrected.rows.values())
    assert again.links.equals(corrected.last.links)
    assert again.ledger.equals(corrected.last.ledger)


def test_a_file_that_grows_and_shrinks_past_a_step_is_weighed_anew(tmp_path: Path) -> None:
    """The prior follows the size of the file; with fewer true matches expected, it moves at these sizes too."""
    model = other_model(tmp_path, expected_matches=0.1)
    weigh = read_model(model).prior_weight
    assert size_step(60) < size_step(100)
    assert weigh(60) - 1 == pytest.approx(weigh(100), abs=0.01)
    pool = dense_rows(tmp_path, seed=6, n_records=100)
    history = live(History(tmp_path, model), pool, [Step(n_new=60)])
    first = history.last
    live(history, pool[60:], [Step(n_new=40)])
    assert history.summaries[-1].n_built_again == 100
    assert_same(history.last, history.full())
    assert (
        history.last.said()["links"]
        .filter(pl.col("record_id").is_in(first.links["record_id"].to_list()))
        .drop_nulls("link_weight")["link_weight"]
        .to_list()
        != first.said()["links"].drop_nulls("link_weight")["link_weight"].to_list()
    )
    history.month(withdrawn=[row["record_id"] for row in pool[60:]])
    assert_same(history.last, first)


def test_another_model_goes_on_only_anew_and_keeps_the_ids(tmp_path: Path) -> None:
    pool = dense_rows(tmp_path, seed=7, n_records=90)
    history = live(History(tmp_path), pool, [Step(n_new=80)])
    before = history.last
    history.model = other_model(tmp_path, thresholds={"person": 19.0})
    with pytest.raises(OtherModel, match=f"{read_model().version}, not person_other-00000000"):
        link(
            write_rows([], tmp_path / "none.parquet"),
            tmp_path / "out" / "person_links.parquet",
            model=history.model,
            standing=before.index,
            keep=tmp_path / "index.duckdb",
        )
    assert not (tmp_path / "index.duckdb").exists()
    gone = pool[0]["record_id"]
    history.rows.pop(gone)
    after = history.month(pool[80:], anew=True)
    assert_same(after, history.full())
    assert set(after.links["model_version"]) == {"person_other-00000000"}
    # Who was alone before and after, or together, is who he was.
    who, was = after.said()["links"], before.said()["links"]
    same = who.join(was, on=["record_id", "person_id", "n_records"]).get_column("record_id").to_list()
    assert len(same) > 40
    ids, were = after.crosswalk(), before.crosswalk()
    assert {r: ids[r] for r in same} == {r: were[r] for r in same}
    last = after.ledger.filter(pl.col("run_no") == 2)
    assert dict(
        last.filter(pl.col("event").is_in(["merge", "split"])).group_by("cause").len().iter_rows()
    ).keys() == {"linked_anew"}
    assert last.filter(pl.col("record_id") == gone).select("event", "cause").rows() == [
        ("retire", "withdrawal")
    ]
    assert after.ledger.filter(pl.col("run_no") == 1).equals(before.ledger)


def test_the_work_follows_the_month(nation: LinkedNation, tmp_path: Path) -> None:
    records = pl.read_parquet(nation.records)
    changed = records.head(1).with_columns(postcode=pl.lit("SA15AA"))
    changed.write_parquet(tmp_path / "records.parquet")
    done = link(
        tmp_path / "records.parquet",
        tmp_path / "out" / "person_links.parquet",
        standing=nation.index,
        keep=tmp_path / "index.duckdb",
        complete=False,
    )
    assert (done.n_records, done.n_changed) == (records.height, 1)
    assert done.n_built_again < 60


def test_a_nation_whose_records_are_all_withdrawn_is_empty(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.month([{"record_id": "E|1"}, {"record_id": "E|2"}])
    emptied = history.month(withdrawn=["E|1", "E|2", "never there"])
    assert emptied.links.height == 0
    assert all(frame.height == 0 for frame in emptied.said().values())
    assert emptied.ledger.filter(pl.col("event") == "retire").height == 2


NUMBERS = st.integers(0, 999)
STEPS = st.builds(
    Step,
    n_new=st.integers(0, 20),
    corrected=st.lists(st.tuples(NUMBERS, st.sampled_from(sorted(CORRECTIONS)), NUMBERS), max_size=6).map(
        tuple
    ),
    withdrawn=st.lists(NUMBERS, max_size=5).map(tuple),
    returned=st.lists(NUMBERS, max_size=2).map(tuple),
    decided=st.lists(
        st.tuples(st.sampled_from(["cannot_link", "must_link"]), NUMBERS, NUMBERS), max_size=3
    ).map(tuple),
    revoked=st.lists(NUMBERS, max_size=1).map(tuple),
    complete=st.booleans(),
    anew=st.sampled_from([False, False, False, True]),
)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, list[Row]]:
    """The first month of every random life, and the records to come."""
    folder = tmp_path_factory.mktemp("begun")
    pool = dense_rows(folder, seed=8, n_records=140)
    return live(History(folder), pool, [Step(n_new=60)]), pool[60:]


def any_life_equals_a_full_relink(begun: tuple[History, list[Row]], folder: Path, steps: list[Step]) -> None:
    history, pool = begun
    history = live(History(folder, rows=dict(history.rows), runs=list(history.runs)), pool, steps)
    assert_same(history.last, history.full())


RANDOM_LIFE = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    # A life takes seconds, and shrinking one hundreds of lives.
    phases=[Phase.explicit, Phase.generate],
)


@settings(RANDOM_LIFE, max_examples=2)
@given(steps=st.lists(STEPS, min_size=1, max_size=2))
def test_any_life_equals_a_full_relink(
    begun: tuple[History, list[Row]], tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    any_life_equals_a_full_relink(begun, tmp_path_factory.mktemp("life"), steps)


@pytest.mark.heavy
@settings(RANDOM_LIFE, max_examples=12)
@given(steps=st.lists(STEPS, min_size=3, max_size=5))
def test_any_of_many_lives_equals_a_full_relink(
    begun: tuple[History, list[Row]], tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    any_life_equals_a_full_relink(begun, tmp_path_factory.mktemp("life"), steps)
