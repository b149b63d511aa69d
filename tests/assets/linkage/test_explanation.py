"""Explanations add up to what the index holds, and say truly why records are one person or are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.linkage.decided import Decided
from assets.linkage.explaining.explanation import (
    PairExplanation,
    PersonExplanation,
    Unknown,
    explain_pair,
    explain_person,
    waterfall,
)
from assets.linkage.explaining.reading import NoIndex
from assets.linkage.explaining.text import pair_text, person_text
from assets.linkage.linker import link
from assets.linkage.model import MODEL, read_model
from assets.linkage.standing import OtherModel
from assets.linkage.vetoes import VETOES
from data_contracts.rules.persons import PNC_CHECK_LETTERS
from data_contracts.synthetic.nominals import write_nominals
from decisions.refusals import DecidedPair


def pnc(number: int) -> str:
    """A PNC id of 2004 whose check letter is right."""
    return f"2004/{number:07}{PNC_CHECK_LETTERS[int(f'04{number:07}') % len(PNC_CHECK_LETTERS)]}"


# One family of cases a surname, each of which ends in one way only. Blank is unknown.
CASES: dict[str, dict[str, Any]] = {
    "E23000001|TWIN-1": {"forenames": "JASON", "surname": "QUARRENDON"},
    "E23000001|TWIN-2": {"forenames": "JAXTON", "surname": "QUARRENDON"},
    "E23000002|TWO-NUMBERS-1": {"surname": "OSBALDEST", "pnc_id": pnc(1111)},
    "E23000003|TWO-NUMBERS-2": {"surname": "OSBALDEST", "pnc_id": pnc(2222)},
    "E23000004|FATHER": {"surname": "WRAXLEIGH", "date_of_birth": date(1955, 11, 30)},
    "E23000004|SON": {"surname": "WRAXLEIGH"},
    "E23000005|FATHER-OR-SON": {"surname": "WRAXLEIGH", "date_of_birth": None},
    "E23000006|ALONE": {"surname": "IVERMOSS", "phone": "", "pnc_id": pnc(5555)},
    "E23000006|OTHER-NAME": {"forenames": "BARNABY", "surname": "IVERMOSS", "phone": "", "pnc_id": pnc(5555)},
    # Three dated records make a person well known, who may claim one without a birth date.
    "E23000006|THIRD": {"surname": "IVERMOSS", "phone": "", "pnc_id": pnc(5555)},
    "E23000007|ALONE-UNDATED": {"surname": "IVERMOSS", "date_of_birth": None, "phone": ""},
    # Two do not, at the strict threshold.
    "E23000016|KNOWN-1": {"surname": "HARDCASTLE", "phone": "", "pnc_id": pnc(6666)},
    "E23000016|KNOWN-2": {"surname": "HARDCASTLE", "phone": "", "pnc_id": pnc(6666)},
    "E23000017|HARDLY-KNOWN": {"surname": "HARDCASTLE", "date_of_birth": None, "phone": ""},
    # The first and the last share a surname and little more; each shares a number with the one between.
    "E23000008|CHAIN-1": {"surname": "PENDERWICKE", "pnc_id": pnc(3333), "postcode": "SW1A2AA"},
    "E23000009|CHAIN-2": {"surname": "PENDERWICKE", "pnc_id": pnc(3333), "cro_number": "1234/04N"},
    "E23000010|CHAIN-3": {
        "surname": "PENDERWICKE",
        "cro_number": "1234/04N",
        "postcode": "CF101AA",
        "phone": "",
    },
    "E23000011|PARTED-1": {"surname": "ABERCRUST", "pnc_id": pnc(4444)},
    "E23000012|PARTED-2": {"surname": "ABERCRUST", "pnc_id": pnc(4444)},
    "E23000013|MADE-ONE-1": {"forenames": "OLWEN", "surname": "TREGARROW", "postcode": "TR11AA", "phone": ""},
    "E23000014|MADE-ONE-2": {
        "forenames": "BEATRIX",
        "surname": "HOLLOWMERE",
        "date_of_birth": date(1991, 5, 17),
        "postcode": "CA11AA",
        "phone": "",
    },
    "E23000015|WITHDRAWN": {"forenames": "GUNDRED", "surname": "LASTINGHAM", "phone": ""},
}
SURNAMES = sorted({said["surname"] for said in CASES.values()})


def ordinary(surname: str) -> dict[str, Any]:
    """What the records of a case say where nothing else is said: alike within a case, unlike between two."""
    number = SURNAMES.index(surname)
    return {
        "forenames": (
            "GARETH",
            "HORATIO",
            "ZACHARIAH",
            "LLEWELYN",
            "PEREGRINE",
            "THADDEUS",
            "QUENTIN",
            "ULRIC",
        )[number % 8],
        "date_of_birth": date(1984, 3, 1 + number),
        "sex": "M",
        "postcode": f"{('NE', 'LS', 'CB')[number % 3]}{10 + number}9QD",
        "phone": f"077009001{number:02}",
    }


DECISIONS = (
    DecidedPair("I000001", "cannot_link", "E23000011|PARTED-1", "E23000012|PARTED-2"),
    DecidedPair("I000002", "must_link", "E23000013|MADE-ONE-1", "E23000014|MADE-ONE-2"),
)


# Two records, what they are to each other, and why.
PAIRS = [
    ("E23000001|TWIN-1", "E23000001|TWIN-2", "apart", {"guard"}),
    ("E23000002|TWO-NUMBERS-1", "E23000003|TWO-NUMBERS-2", "apart", {"hard_veto"}),
    ("E23000004|FATHER", "E23000004|SON", "apart", {"guard"}),
    ("E23000005|FATHER-OR-SON", "E23000004|SON", "apart", {"claimed_by_several"}),
    ("E23000017|HARDLY-KNOWN", "E23000016|KNOWN-1", "one_group", {"claimant_hardly_known"}),
    ("E23000006|ALONE", "E23000007|ALONE-UNDATED", "one_person", {"held_by_others"}),
    ("E23000008|CHAIN-1", "E23000009|CHAIN-2", "one_person", {"linked_directly"}),
    ("E23000008|CHAIN-1", "E23000010|CHAIN-3", "one_person", {"held_by_others"}),
    ("E23000011|PARTED-1", "E23000012|PARTED-2", "apart", {"decision"}),
    ("E23000013|MADE-ONE-1", "E23000014|MADE-ONE-2", "one_person", {"linked_directly"}),
    ("E23000001|TWIN-1", "E23000013|MADE-ONE-1", "apart", {"never_compared"}),
]


@dataclass(frozen=True)
class Linked:
    """Two runs over a small nation with the cases in it: the second knows the decisions and that a record was withdrawn."""

    before: Path
    index: Path

    def rows(self, query: str, index: Path | None = None) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(index or self.index), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def pair(self, record_id: str, other_record_id: str) -> PairExplanation:
        return _pair(self.index, record_id, other_record_id)

    def person(self, asked_id: str) -> PersonExplanation:
        return _person(self.index, asked_id)

    def person_of(self, record_id: str, index: Path | None = None) -> str:
        [(person_id,)] = self.rows(
            f"SELECT person_id FROM members JOIN person_features USING (record_key) WHERE record_id = '{record_id}'",
            index,
        )
        return str(person_id)


# Half a second each, and asked for by several tests.
_pair, _person = cache(explain_pair), cache(explain_person)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Linked:
    folder = tmp_path_factory.mktemp("explained")
    [nominals] = write_nominals(folder, n_nominals=1000, seed=5).records
    nation = pl.read_parquet(nominals)
    cases = [
        {"record_id": record_id, "force_code": record_id.split("|")[0], **ordinary(said["surname"]), **said}
        for record_id, said in CASES.items()
    ]
    columns = {
        name: dtype for name, dtype in nation.schema.items() if name in {k for row in cases for k in row}
    }
    frame = pl.concat([nation, pl.DataFrame(cases, schema=columns)], how="diagonal")
    records, out = folder / "records.parquet", folder / "person_links.parquet"
    frame.write_parquet(records)
    before, index = folder / "before.duckdb", folder / "index.duckdb"
    link(records, out, keep=before, as_of=datetime(2026, 1, 31))
    link(
        None,
        out,
        standing=before,
        keep=index,
        complete=False,
        withdrawn=["E23000015|WITHDRAWN"],
        decided=Decided.of(DECISIONS),
        as_of=datetime(2026, 2, 28),
    )
    return Linked(before, index)


def test_parts_sum_to_the_weight_and_to_what_the_index_holds(linked: Linked) -> None:
    [(n_records,)] = linked.rows("SELECT count(*) FROM person_features")
    prior = read_model().prior_weight(n_records)
    held = {
        frozenset((one, other)): (evidence, veto)
        for one, other, evidence, veto in linked.rows("""
            SELECT l.record_id, r.record_id, evidence, veto
            FROM pairs
            JOIN person_features AS l ON l.record_key = record_key_l
            JOIN person_features AS r ON r.record_key = record_key_r
        """)
    }
    guards = set()
    for one, other, *_ in PAIRS:
        pair = linked.pair(one, other)
        assert pair.prior_weight == prior
        parts = pair.prior_weight + sum(part.bits for part in pair.fields)
        assert parts == pytest.approx(pair.match_weight, abs=1e-6)
        evidence, veto = held.get(frozenset((one, other)), (None, None))
        assert pair.stored_evidence == evidence
        if evidence is not None:
            guards.add(veto)
            assert pair.match_weight - prior == pytest.approx(evidence, abs=1e-6)
            assert (pair.guard.name if pair.guard else None) == veto
    assert {None, "pnc_differs", "like_named_twin", "birth_date_differs", "birth_date_unknown"} <= guards


def test_a_pair_is_the_same_in_either_order(linked: Linked) -> None:
    there = linked.pair("E23000008|CHAIN-1", "E23000010|CHAIN-3")
    back = linked.pair("E23000010|CHAIN-3", "E23000008|CHAIN-1")
    assert there.fields == back.fields and there.records == back.records[::-1]
    assert there.reasons == back.reasons


def test_rarity_is_said_as_the_model_knows_it(linked: Linked) -> None:
    pair = linked.pair("E23000011|PARTED-1", "E23000012|PARTED-2")
    said = {part.comparison: part for part in pair.fields}
    assert said["name"].says == "same full name" and said["identifiers"].says == "PNC agrees"
    assert said["sex"].rarity is None and said["sex"].rarity_bits == 0
    # Nobody the model was trained on bears the surname.
    assert re.fullmatch(
        r"no more than \d in \d+ million people bear this full name", said["name"].rarity or ""
    )
    [share] = (
        pl.read_parquet(read_model().frequencies)
        .filter(
            pl.col("kind") == "date_of_birth", pl.col("value") == str(ordinary("ABERCRUST")["date_of_birth"])
        )["share"]
        .to_list()
    ) or [0.0]
    number = re.fullmatch(
        r"(?:about|no more than) (\d+) in ([\d,]+) people were born on this day",
        said["date_of_birth"].rarity or "",
    )
    assert number
    told = int(number[1]) / int(number[2].replace(",", ""))
    assert told == pytest.approx(max(share, 4e-5), rel=0.5)


@pytest.mark.parametrize(("one", "other", "together", "codes"), PAIRS)
def test_why_two_are_one_person_or_not(
    linked: Linked, one: str, other: str, together: str, codes: set[str]
) -> None:
    pair = linked.pair(one, other)
    assert (pair.together, {reason.code for reason in pair.reasons}) == (together, codes)


def test_the_chain_leads_from_one_record_to_the_other(linked: Linked) -> None:
    chain = linked.pair("E23000010|CHAIN-3", "E23000008|CHAIN-1").chain
    assert [(link.record_id_l, link.record_id_r) for link in chain] == [
        ("E23000010|CHAIN-3", "E23000009|CHAIN-2"),
        ("E23000009|CHAIN-2", "E23000008|CHAIN-1"),
    ]


def test_a_link_says_what_holds_it(linked: Linked) -> None:
    def held_by(record_id: str) -> tuple[str, str | None]:
        [found] = [
            link
            for link in linked.person(record_id).links
            if record_id in (link.record_id_l, link.record_id_r)
        ]
        return found.held_by, found.decision_id

    assert held_by("E23000006|OTHER-NAME") == ("score", None)
    assert held_by("E23000007|ALONE-UNDATED") == ("claim", None)
    assert held_by("E23000014|MADE-ONE-2") == ("decision", "I000002")


def test_every_guard_has_a_sentence_and_says_what_it_did(linked: Linked) -> None:
    assert all(veto.sentence.endswith(".") for veto in VETOES)
    pair = linked.pair("E23000002|TWO-NUMBERS-1", "E23000003|TWO-NUMBERS-2")
    assert pair.guard and pair.guard.hard and pair.guarded_weight == -14
    assert f"from {pair.match_weight:.1f} to -14.0" in pair.guard.effect
    assert pair.probability < 0.5


def test_decisions_about_a_pair_are_told(linked: Linked) -> None:
    pair = linked.pair("E23000011|PARTED-1", "E23000012|PARTED-2")
    assert pair.decisions == (("I000001", "cannot_link"),)
    assert pair.guarded_weight > read_model().thresholds.person
    assert "I000001" in pair_text(pair)


def test_the_links_of_a_person_hold_all_its_records(linked: Linked) -> None:
    [(largest, n_records)] = linked.rows(
        "SELECT person_id, count(*) AS n FROM members GROUP BY ALL ORDER BY n DESC, person_id LIMIT 1"
    )
    person = linked.person(largest)
    assert len(person.records) == n_records and len(person.links) == n_records - 1
    assert {r.record_id for r in person.records} == {
        end for link in person.links for end in (link.record_id_l, link.record_id_r)
    }
    weights = [link.bits for link in person.links]
    assert weights == sorted(weights)
    [(weakest,)] = linked.rows(
        f"SELECT min(weight) FROM links WHERE person IN (SELECT person FROM members WHERE person_id = '{largest}')"
    )
    assert weights[0] == pytest.approx(weakest)
    # Scored afresh, and no guard on any of them: the parts are the link.
    prior = read_model().prior_weight(linked.rows("SELECT count(*) FROM person_features")[0][0])
    for link_ in person.links:
        if link_.guard is None:
            assert prior + sum(part.bits for part in link_.fields) == pytest.approx(link_.bits, abs=1e-6)
    assert "<- the weakest" in person_text(person)


def test_why_a_person_is_withheld(linked: Linked) -> None:
    withheld = linked.rows(
        "SELECT min(person_id), reason FROM reviews JOIN members USING (person) GROUP BY reason LIMIT 2"
    )
    assert withheld
    for person_id, reason in withheld:
        person = linked.person(person_id)
        assert reason in {r.code for r in person.withheld}
        assert "Withheld from every list" in person_text(person)
    assert "Not withheld" in person_text(linked.person("E23000006|ALONE"))


def test_a_person_tells_of_those_near_and_what_kept_them_apart(linked: Linked) -> None:
    person = linked.person("E23000011|PARTED-1")
    near = {other.person_id: other for other in person.others}
    parted = near[linked.person_of("E23000012|PARTED-2")]
    assert parted.kept_apart.code == "decision"
    assert set(parted.record_ids) == {"E23000011|PARTED-1", "E23000012|PARTED-2"}


def test_the_other_persons_of_a_group_are_told_first(linked: Linked) -> None:
    rows = linked.rows("""
        SELECT min(person_id) FROM members GROUP BY person_group HAVING count(DISTINCT person) > 1 ORDER BY ALL LIMIT 1
    """)
    assert rows
    for (person_id,) in rows:
        person = linked.person(person_id)
        assert person.others[0].same_group
        one, other = person.others[0].record_ids
        pair = linked.pair(one, other)
        assert pair.together == "one_group"
        assert pair.reasons[0].code == person.others[0].kept_apart.code


def test_a_retired_id_says_what_it_stands_for_today(linked: Linked) -> None:
    retired = {
        linked.person_of(record, linked.before) for record in ("E23000013|MADE-ONE-1", "E23000014|MADE-ONE-2")
    } - {linked.person_of("E23000013|MADE-ONE-1")}
    [retired_id] = retired
    person = linked.person(retired_id)
    assert person.is_retired and person.person_id == linked.person_of("E23000013|MADE-ONE-1")
    merge = person.history[-1]
    assert (merge.event, merge.cause, merge.decision_id) == ("merge", "decision", "I000002")
    assert (merge.from_person_id, merge.to_person_id, len(merge.record_ids)) == (
        retired_id,
        person.person_id,
        1,
    )
    text = person_text(person)
    assert f"{retired_id} is retired; today it stands for {person.person_id}" in text
    assert "2026-02-28 (run 2)  merged: 1 record" in text


def test_an_id_whose_records_were_withdrawn_stands_for_nobody(linked: Linked) -> None:
    gone = linked.person_of("E23000015|WITHDRAWN", linked.before)
    person = linked.person(gone)
    assert person.person_id is None and [event.event for event in person.history] == ["create", "retire"]
    assert "stands for nobody" in person_text(person)
    with pytest.raises(Unknown, match="was withdrawn"):
        linked.pair("E23000015|WITHDRAWN", "E23000006|ALONE")
    with pytest.raises(Unknown, match="was withdrawn"):
        linked.person("E23000015|WITHDRAWN")


def test_personal_values_only_where_asked(linked: Linked) -> None:
    pair = linked.pair("E23000008|CHAIN-1", "E23000009|CHAIN-2")
    person = linked.person("E23000008|CHAIN-1")
    page = waterfall(linked.index, "E23000008|CHAIN-1", "E23000009|CHAIN-2")
    personal = [
        "PENDERWICKE",
        "SW1A2AA",
        pnc(3333),
        *(str(ordinary("PENDERWICKE")[c]) for c in ("forenames", "date_of_birth", "phone")),
    ]
    for quiet in (repr(pair), pair_text(pair), repr(person), person_text(person), page):
        assert not [value for value in personal if value in quiet]
    for told in (pair_text(pair, show_values=True), person_text(person, show_values=True)):
        assert not [value for value in personal if value not in told]
    assert "PENDERWICKE" in waterfall(
        linked.index, "E23000008|CHAIN-1", "E23000009|CHAIN-2", show_values=True
    )


def test_the_chart_asks_nothing_of_a_network(linked: Linked) -> None:
    pair = ("E23000008|CHAIN-1", "E23000009|CHAIN-2")
    page = waterfall(linked.index, *pair)
    assert "vegaEmbed(" in page and len(page) > 100_000
    assert not re.search(r"<script[^>]*\ssrc\s*=", page, re.I)
    assert not re.search(r"<\w+[^>]*\s(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", page, re.I)
    assert "default-src 'none'" in page
    # The menu of the chart would send what it shows to an editor on another site.
    assert '"actions": false' in page or '"actions":false' in page


def test_what_is_not_known_is_refused(linked: Linked, tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="no record"):
        explain_pair(linked.index, "E23000008|CHAIN-1", "E23000008|NOBODY")
    with pytest.raises(ValueError, match="two records"):
        explain_pair(linked.index, "E23000008|CHAIN-1", "E23000008|CHAIN-1")
    with pytest.raises(Unknown, match="no person"):
        explain_person(linked.index, "P00000000000000000000")
    with pytest.raises(Unknown, match="is a group"):
        explain_person(linked.index, "G" + linked.person_of("E23000008|CHAIN-1")[1:])
    with pytest.raises(NoIndex, match="no standing index"):
        explain_person(tmp_path / "none.duckdb", "P0")
    (tmp_path / "text.duckdb").write_text("not a database")
    with pytest.raises(NoIndex, match="cannot be read"):
        explain_person(tmp_path / "text.duckdb", "P0")


def test_another_model_is_refused(linked: Linked, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(
        MODEL.read_text(encoding="utf-8").replace(read_model().version, "other-1"), encoding="utf-8"
    )
    with pytest.raises(OtherModel, match="not other-1"):
        explain_person(linked.index, "P0", model=other)


def test_explaining_changes_nothing_and_says_the_same_again(linked: Linked) -> None:
    before = linked.index.read_bytes()
    assert explain_person(linked.index, "E23000008|CHAIN-1") == linked.person("E23000008|CHAIN-1")
    pages = {waterfall(linked.index, "E23000008|CHAIN-1", "E23000009|CHAIN-2") for _ in range(2)}
    assert len(pages) == 1
    assert linked.index.read_bytes() == before
