"""The NIBRS adapter: against counts of the raw tables, and on small returns with known answers."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.adapters import nibrs
from data_contracts.code_lists import code_list, codes
from data_contracts.extracts.catalogue import CONTRACT_VERSION
from data_contracts.submission import content_hash, open_submission, write_submission
from data_contracts.validation import check
from tests.journey.nibrs_counts import RawCounts, raw_counts, raw_tables

RECEIVED_ON = date(2019, 12, 31)
FILLED = {"offences", "victims", "suspects", "relationships"}

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def raw() -> RawCounts:
    return raw_counts()


@pytest.fixture(scope="module")
def tables() -> Tables:
    return nibrs.read_tables(nibrs.ARCHIVE)


@pytest.fixture(scope="module")
def extracts(tables: Tables) -> Tables:
    return nibrs.standard_extracts(tables)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return nibrs.write_submissions(None, tmp_path_factory.mktemp("nibrs"))


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "submission.json").read_text(encoding="utf-8"))


def sent(submissions: list[Path], extract: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Force, month and row of every row of an extract, as the files have them."""
    for folder in submissions:
        force_code, period, _ = folder.name.split("_")
        if (folder / f"{extract}.csv").exists():
            with (folder / f"{extract}.csv").open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    yield force_code, period, row


# Against the raw tables


def test_every_reported_month_is_sent_once_and_no_other(submissions: list[Path], raw: RawCounts) -> None:
    named = [tuple(folder.name.split("_")) for folder in submissions]
    assert sorted(named) == sorted((*month, "1") for month in raw.months_reported)
    assert len({force_code for force_code, _, _ in named}) == 70


def test_months_without_incidents_are_nil_returns(submissions: list[Path], raw: RawCounts) -> None:
    nil = {tuple(f.name.split("_")[:2]) for f in submissions if manifest(f)["nil_return"]}
    assert nil == raw.months_reported - set(raw.incidents_by_agency_and_month)
    assert len(nil) == 57


def test_incidents_agree_by_agency_and_month(submissions: list[Path], raw: RawCounts) -> None:
    found = Counter((force_code, period) for force_code, period, _ in sent(submissions, "offences"))
    assert found == raw.incidents_by_agency_and_month
    assert found.total() == raw.incidents == 18_779


def test_victims_agree_by_agency_month_and_sex(submissions: list[Path], raw: RawCounts) -> None:
    found = Counter((f, p, row["sex"]) for f, p, row in sent(submissions, "victims"))
    assert found == raw.victims_by_agency_month_and_sex
    assert found.total() == raw.victims == 21_377


def test_persons_among_the_victims_agree_by_sex(submissions: list[Path], raw: RawCounts) -> None:
    persons = [
        row for _, _, row in sent(submissions, "victims") if row["victim_type"] in {"person", "police"}
    ]
    assert Counter(row["sex"] for row in persons) == raw.person_victims_by_sex
    assert raw.person_victims_by_sex == {"F": 6_825, "M": 7_230, "U": 130}


def test_suspects_agree(submissions: list[Path], raw: RawCounts) -> None:
    statuses = Counter(row["status"] for _, _, row in sent(submissions, "suspects"))
    assert statuses.total() == raw.offenders == 21_333
    assert statuses["unidentified"] == raw.unidentified_offenders == 8_047
    # All but a few arrestees are found among the offenders of their incident.
    assert 0.995 * raw.arrestees < statuses["arrested"] + statuses["charged"] <= raw.arrestees


def test_relationships_agree_by_name_and_sex_of_the_victim(submissions: list[Path], raw: RawCounts) -> None:
    sex = {(row["crime_ref"], row["victim_no"]): row["sex"] for _, _, row in sent(submissions, "victims")}
    stated = [row for _, _, row in sent(submissions, "relationships")]
    found = Counter((row["relationship"], sex[row["crime_ref"], row["victim_no"]]) for row in stated)
    assert found == raw.relationships_by_name_and_sex
    assert found.total() == raw.relationships == 4_829
    assert raw.relationships_by_name["Victim Was Boyfriend/Girlfriend"] == 911
    assert found["Victim Was Boyfriend/Girlfriend", "F"] == 703
    assert raw.relationships_by_name["Victim Was Spouse"] == 295
    assert found["Victim Was Spouse", "F"] == 225


def test_the_principal_offence_is_the_highest_of_the_hierarchy(extracts: Tables) -> None:
    with (nibrs.FOLDER / "nibrs_offence_codes.csv").open(encoding="utf-8", newline="") as stream:
        mapping = list(csv.DictReader(stream))
    rank = {row["nibrs_code"]: int(row["hierarchy_rank"]) for row in mapping}
    rows = raw_tables()
    nibrs_code = {row["OFFENSE_TYPE_ID"]: row["OFFENSE_CODE"] for row in rows["NIBRS_OFFENSE_TYPE"]}
    highest: dict[str, str] = {}
    for row in rows["NIBRS_OFFENSE"]:
        code, incident = nibrs_code[row["OFFENSE_TYPE_ID"]], row["INCIDENT_ID"]
        highest[incident] = min(code, highest.get(incident, code), key=rank.__getitem__)
    allowed = {(row["nibrs_code"], row["offence_code"]) for row in mapping}
    found = dict(extracts["offences"].select("crime_ref", "offence_code").iter_rows())
    assert found.keys() == highest.keys()
    assert {(highest[incident], code) for incident, code in found.items()} <= allowed


def test_outcomes_follow_arrests_and_exceptional_clearances(extracts: Tables) -> None:
    rows = raw_tables()
    arrested = {row["INCIDENT_ID"] for row in rows["NIBRS_ARRESTEE"]}
    excepted = {row["INCIDENT_ID"] for row in rows["NIBRS_incident"] if row["CLEARED_EXCEPT_DATE"]}
    with_outcome = extracts["offences"].filter(pl.col("outcome_code").is_not_null())
    assert set(with_outcome["crime_ref"]) == arrested | excepted
    assert with_outcome["outcome_date"].null_count() == 0


def test_what_nibrs_cannot_give_is_not_sent(submissions: list[Path]) -> None:
    files = {file.name for folder in submissions for file in folder.iterdir()}
    assert files == {"submission.json"} | {f"{extract}.csv" for extract in FILLED}
    assert not any("person_ref" in row for _, _, row in sent(submissions, "suspects"))


# Against the contract


def test_every_submission_opens_as_it_was_written(submissions: list[Path]) -> None:
    for folder in submissions:
        opened = open_submission(folder)
        assert opened.fault is None and opened.undeclared == ()
        assert {file.fault for file in opened.files.values()} <= {None}
        assert opened.manifest is not None
        assert opened.manifest.extracted_at.date() > opened.manifest.period


@pytest.mark.parametrize("month", range(1, 13))
def test_no_row_of_a_month_has_an_error(month: int, extracts: Tables, tmp_path: Path) -> None:
    # All agencies in one submission: the rules see the same rows as in theirs, a fiftieth of the time.
    period = date(2018, month, 1)
    folder = write_submission(
        tmp_path / "all",
        force_code="MN0030000",
        period=period,
        sequence=1,
        extracted_at=datetime(2019, 11, 6, 23, 59, 59),
        contact=nibrs.CONTACT,
        extracts={n: d.filter(pl.col("period") == period).drop(nibrs.SENDER) for n, d in extracts.items()},
        contract_version=CONTRACT_VERSION,
    )
    checked = check(open_submission(folder), received_on=RECEIVED_ON)
    errors = checked.findings.filter(pl.col("severity") == "error")
    assert errors.group_by("rule", "extract").len().rows() == []
    assert checked.status == "accepted"


def assert_accepted(folder: Path) -> None:
    checked = check(open_submission(folder), received_on=RECEIVED_ON)
    assert checked.findings.filter(pl.col("severity") == "error")["rule"].to_list() == []
    assert checked.status == ("nil" if manifest(folder)["nil_return"] else "accepted")


def test_an_agencys_year_is_accepted(submissions: list[Path]) -> None:
    year = [folder for folder in submissions if folder.name.startswith("MN0560700_")]
    assert any(manifest(folder)["nil_return"] for folder in year)
    for folder in year:
        assert_accepted(folder)


@pytest.mark.heavy
def test_every_submission_is_accepted(submissions: list[Path]) -> None:
    for folder in submissions:
        assert_accepted(folder)


def test_same_input_same_bytes(submissions: list[Path], tmp_path: Path) -> None:
    again = nibrs.write_submissions(nibrs.ARCHIVE, tmp_path)
    assert [content_hash(p) for p in again] == [content_hash(p) for p in submissions]


# The mapping tables


def mappings(field: str) -> dict[str, str]:
    rows = code_list("code_mappings").filter(
        (pl.col("record_system") == nibrs.RECORD_SYSTEM) & (pl.col("field") == field)
    )
    assert rows["raw_value"].is_unique().all()
    return dict(rows.select("raw_value", "national_code").iter_rows())


@pytest.mark.parametrize(
    ("field", "table", "name"),
    [
        ("relationship", "RELATIONSHIP", "RELATIONSHIP_NAME"),
        ("location_type", "LOCATION_TYPE", "LOCATION_NAME"),
    ],
)
def test_every_word_nibrs_has_is_mapped(field: str, table: str, name: str, tables: Tables) -> None:
    found = mappings(field)
    assert set(found) == set(tables[table][name])
    assert set(found.values()) <= set(
        codes(f"{field}s" if field == "location_type" else "relationship_types")
    )


@pytest.mark.parametrize(
    ("victim_was", "suspect_is"),
    [
        ("Victim Was Child", "PNT"),
        ("Victim Was Stepchild", "PNT"),
        ("Victim Was Parent", "CHD"),
        ("Victim Was Stepparent", "CHD"),
        ("Victim Was Babysittee", "CAR"),
        ("Victim was Ex-Spouse", "EXS"),
        ("Victim Was Common-Law Spouse", "INT"),
    ],
)
def test_relationships_are_turned_round(victim_was: str, suspect_is: str) -> None:
    assert mappings("relationship")[victim_was] == suspect_is


def test_partner_and_spouse_hold_one_nibrs_word_each() -> None:
    words = mappings("relationship")
    assert [w for w, code in words.items() if code == "PAR"] == ["Victim Was Boyfriend/Girlfriend"]
    assert [w for w, code in words.items() if code == "SPO"] == ["Victim Was Spouse"]


def test_every_nibrs_offence_code_has_a_rank_and_a_last_resort(tables: Tables) -> None:
    rows = nibrs.code_rows("nibrs_offence_codes")
    assert set(rows["nibrs_code"]) == set(tables["OFFENSE_TYPE"]["OFFENSE_CODE"])
    ranks = rows.select("nibrs_code", "hierarchy_rank").unique()
    assert ranks.height == rows["nibrs_code"].n_unique() == rows["hierarchy_rank"].n_unique() == 86
    last = rows.group_by("nibrs_code").last()
    conditions = [*nibrs.CONDITIONS, "victim_age_max"]
    assert last.select(pl.all_horizontal(pl.col(conditions).is_null()).all()).item()


def test_offence_mapping_names_codes_of_the_lists() -> None:
    rows = nibrs.code_rows("nibrs_offence_codes")
    assert set(rows["offence_code"]) <= set(codes("offence_codes"))
    lists = {
        "victim_sex": "sexes",
        "victim_type": "victim_types",
        "injury": "injuries",
        "location_type": "location_types",
    }
    for column, name in lists.items():
        assert set(rows[column].drop_nulls()) <= set(codes(name))
    assert rows["source"].str.contains("judgement").all()


def test_offence_mapping_respects_the_sex_and_age_of_home_office_codes() -> None:
    facts = code_list("offence_codes").select("code", "victim_sex", "victim_age_max")
    rows = nibrs.code_rows("nibrs_offence_codes").join(
        facts, left_on="offence_code", right_on="code", suffix="_of_code"
    )
    for column in ("victim_sex", "victim_age_max"):
        bound = rows.filter(pl.col(f"{column}_of_code").is_not_null())
        assert bound.height and (bound[column] == bound[f"{column}_of_code"]).all()


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("injury", "injuries"),
        ("injury_of_offence", "injuries"),
        ("weapon", "weapons"),
        ("victim_type", "victim_types"),
        ("suspect_status", "suspect_statuses"),
        ("outcome_of_arrest", "outcome_codes"),
        ("outcome_of_exceptional_clearance", "outcome_codes"),
    ],
)
def test_values_are_codes_of_the_lists(field: str, name: str) -> None:
    rows = nibrs.code_rows("nibrs_values").filter(pl.col("field") == field)
    assert rows.height
    assert set(rows["value"].drop_nulls()) <= set(codes(name))


def test_the_archive_is_small_and_says_where_it_is_from() -> None:
    assert nibrs.ARCHIVE.stat().st_size < 2_000_000
    assert "public domain" in nibrs.ARCHIVE.with_suffix(".SOURCES.md").read_text(encoding="utf-8")


# Small returns with known answers

AGE_CODES = {"NN", "NB", "BB", "00", "99"}


def one_incident(
    tables: Tables,
    *,
    offences: tuple[str, ...] = ("13B",),
    victims: tuple[tuple[str, str | None, str | None], ...] = (("I", "F", "30"),),
    injuries: tuple[str, ...] = (),
    offenders: tuple[tuple[str, str | None, str | None], ...] = (("1", "M", "40"),),
    arrestees: tuple[tuple[str, str, str, str, str | None], ...] = (),
    location: str = "20",
    attempted: str = "C",
    hour: str | None = "21",
    report_date: str | None = None,
    cleared: tuple[str, str] | None = None,
) -> Tables:
    """The extracts of a return with one incident on 9 March 2018; every victim is one of every offence.

    `victims`: type, sex, age. `offenders`: number, sex, age. `arrestees`: number, sex, age, arrest
    type, juvenile disposition. `cleared`: code of an exceptional clearance and its day.
    """

    def identifier(table: str, code: str, wanted: str) -> str:
        return tables[table].filter(pl.col(f"{code}_CODE") == wanted)[f"{code}_ID"].item()

    def rows(table: str, *given: Mapping[str, str | None]) -> pl.DataFrame:
        return pl.DataFrame(list(given), schema=tables[table].schema)

    agency = tables["AGENCIES"].filter(pl.col("ORI") == "MN0030000")["AGENCY_ID"].item()
    incident = {
        "INCIDENT_ID": "I1",
        "AGENCY_ID": agency,
        "INCIDENT_DATE": "09-MAR-18",
        "SUBMISSION_DATE": "20-AUG-18",
        "INCIDENT_HOUR": hour,
        "REPORT_DATE_FLAG": report_date,
        "CLEARED_EXCEPT_ID": identifier("CLEARED_EXCEPT", "CLEARED_EXCEPT", cleared[0] if cleared else "N"),
        "CLEARED_EXCEPT_DATE": cleared[1] if cleared else None,
    }
    made = {
        "INCIDENT": rows("INCIDENT", incident),
        "OFFENSE": rows(
            "OFFENSE",
            *(
                {
                    "OFFENSE_ID": f"O{n}",
                    "INCIDENT_ID": "I1",
                    "OFFENSE_TYPE_ID": tables["OFFENSE_TYPE"]
                    .filter(pl.col("OFFENSE_CODE") == code)["OFFENSE_TYPE_ID"]
                    .item(),
                    "LOCATION_ID": identifier("LOCATION_TYPE", "LOCATION", location),
                    "ATTEMPT_COMPLETE_FLAG": attempted,
                }
                for n, code in enumerate(offences)
            ),
        ),
        "VICTIM": rows(
            "VICTIM",
            *(
                {
                    "VICTIM_ID": f"V{n}",
                    "INCIDENT_ID": "I1",
                    "VICTIM_SEQ_NUM": str(n),
                    "VICTIM_TYPE_ID": identifier("VICTIM_TYPE", "VICTIM_TYPE", kind),
                    "SEX_CODE": sex,
                    "AGE_ID": age and identifier("AGE", "AGE", age if age in AGE_CODES else "AG"),
                    "AGE_NUM": None if age in AGE_CODES else age,
                }
                for n, (kind, sex, age) in enumerate(victims, 1)
            ),
        ),
        "VICTIM_OFFENSE": rows(
            "VICTIM_OFFENSE",
            *(
                {"VICTIM_ID": f"V{v}", "OFFENSE_ID": f"O{o}"}
                for v in range(1, len(victims) + 1)
                for o in range(len(offences))
            ),
        ),
        "VICTIM_INJURY": rows(
            "VICTIM_INJURY",
            *({"VICTIM_ID": "V1", "INJURY_ID": identifier("INJURY", "INJURY", code)} for code in injuries),
        ),
        "OFFENDER": rows(
            "OFFENDER",
            *(
                {
                    "OFFENDER_ID": f"S{number}",
                    "INCIDENT_ID": "I1",
                    "OFFENDER_SEQ_NUM": number,
                    "SEX_CODE": sex,
                    "AGE_ID": age and identifier("AGE", "AGE", "AG"),
                    "AGE_NUM": age,
                }
                for number, sex, age in offenders
            ),
        ),
        "ARRESTEE": rows(
            "ARRESTEE",
            *(
                {
                    "ARRESTEE_ID": f"A{number}",
                    "INCIDENT_ID": "I1",
                    "ARRESTEE_SEQ_NUM": number,
                    "ARREST_DATE": "12-MAR-18",
                    "ARREST_TYPE_ID": identifier("ARREST_TYPE", "ARREST_TYPE", kind),
                    "SEX_CODE": sex,
                    "AGE_ID": identifier("AGE", "AGE", "AG"),
                    "AGE_NUM": age,
                    "UNDER_18_DISPOSITION_CODE": disposition,
                }
                for number, sex, age, kind, disposition in arrestees
            ),
        ),
        "VICTIM_OFFENDER_REL": rows("VICTIM_OFFENDER_REL"),
        "WEAPON": rows("WEAPON"),
    }
    return nibrs.standard_extracts(tables | made)


def crime(found: Tables) -> dict[str, Any]:
    return found["offences"].row(0, named=True)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        # Sex and age of the victim choose; the limits are those of the Home Office codes.
        ({"offences": ("11A",), "victims": (("I", "F", "16"),)}, "19C"),
        ({"offences": ("11A",), "victims": (("I", "F", "15"),)}, "19D"),
        ({"offences": ("11A",), "victims": (("I", "F", "13"),)}, "19D"),
        ({"offences": ("11A",), "victims": (("I", "F", "12"),)}, "19E"),
        ({"offences": ("11B",), "victims": (("I", "M", "40"),)}, "19F"),
        ({"offences": ("11A",), "victims": (("I", "F", "00"),)}, "19C"),
        ({"offences": ("11D",), "victims": (("I", "F", "13"),)}, "20A"),
        ({"offences": ("11D",), "victims": (("I", "M", "12"),)}, "17B"),
        ({"offences": ("11D",), "victims": (("I", "U", "12"),)}, "21"),
        ({"offences": ("36B",), "victims": (("I", "F", "15"),)}, "22B"),
        ({"offences": ("36B",), "victims": (("I", "F", "16"),)}, "88C"),
        # The youngest victim decides, an officer only where nobody else is a victim.
        ({"offences": ("11A",), "victims": (("I", "M", "30"), ("I", "F", "12"))}, "19E"),
        ({"offences": ("13B",), "victims": (("L", "M", "20"), ("I", "F", "50"))}, "105A"),
        ({"offences": ("13B",), "victims": (("L", "M", "20"),)}, "104"),
        ({"offences": ("13B",), "victims": (("L", "M", "20"),), "injuries": ("M",)}, "8S"),
        # Injury, place and whether it was carried through.
        ({"offences": ("13A",), "injuries": ("M", "B")}, "5D"),
        ({"offences": ("13A",), "injuries": ("N",)}, "105A"),
        ({"offences": ("13B",), "injuries": ("M",)}, "8N"),
        ({"offences": ("13C",), "location": "58"}, "8R"),
        ({"offences": ("13C",)}, "8L"),
        ({"offences": ("220",), "attempted": "A"}, "28F"),
        ({"offences": ("220",), "location": "19"}, "30C"),
        ({"offences": ("120",), "victims": (("B", None, None),)}, "34A"),
        ({"offences": ("120",), "victims": (("B", None, None), ("I", "F", "30"))}, "34B"),
        # Harm to a person outranks harm to property; the order of the rows does not matter.
        ({"offences": ("290", "13B")}, "105A"),
        ({"offences": ("13B", "11A")}, "19C"),
        ({"offences": ("09A", "11A")}, "1"),
    ],
)
def test_principal_offence(given: dict[str, Any], code: str, tables: Tables) -> None:
    assert crime(one_incident(tables, **given))["offence_code"] == code


def test_a_homicide_is_fatal_whatever_injury_is_given(tables: Tables) -> None:
    assert crime(one_incident(tables, offences=("09A",), injuries=("M",)))["injury"] == "fatal"


def test_the_worst_injury_counts(tables: Tables) -> None:
    assert crime(one_incident(tables, injuries=("N", "T", "M")))["injury"] == "serious"
    assert crime(one_incident(tables))["injury"] is None


@pytest.mark.parametrize(
    ("hour", "report_date", "at", "known"),
    [
        ("0", None, datetime(2018, 3, 9, 0), "Y"),
        ("21", None, datetime(2018, 3, 9, 21), "Y"),
        (None, None, datetime(2018, 3, 9, 0), "N"),
        ("21", "R", datetime(2018, 3, 9, 21), "N"),
    ],
)
def test_when(hour: str | None, report_date: str | None, at: datetime, known: str, tables: Tables) -> None:
    found = crime(one_incident(tables, hour=hour, report_date=report_date))
    assert (found["committed_from"], found["committed_time_known"]) == (at, known)
    assert found["reported_at"] == found["recorded_at"] == at


@pytest.mark.parametrize(("code", "age"), [("BB", 0), ("NN", 0), ("99", 99), ("00", None), ("34", 34)])
def test_ages(code: str, age: int | None, tables: Tables) -> None:
    found = one_incident(tables, victims=(("I", "F", code),))
    assert found["victims"]["age"].to_list() == [age]


def test_victim_types(tables: Tables) -> None:
    kinds = tuple((kind, None, None) for kind in "BFGRSILOU")
    found = one_incident(tables, victims=kinds)["victims"].sort("victim_no")["victim_type"].to_list()
    assert found == [*["organisation"] * 4, "state", "person", "police", "organisation", "organisation"]


def test_the_placeholder_offender_is_unidentified(tables: Tables) -> None:
    found = one_incident(tables, offenders=(("0", None, None),))["suspects"]
    assert found.select("suspect_no", "status", "age", "sex").rows() == [(1, "unidentified", None, None)]


def statuses(found: Tables) -> list[tuple[int, str]]:
    return found["suspects"].select("suspect_no", "status").rows()


def test_arrestees_are_found_by_likeness_not_by_number(tables: Tables) -> None:
    found = one_incident(
        tables,
        offenders=(("1", "F", "30"), ("2", "M", "40"), ("3", "M", "55")),
        arrestees=(("1", "M", "41", "O", None),),
    )
    assert statuses(found) == [(1, "named"), (2, "arrested"), (3, "named")]


def test_one_arrestee_is_not_two_suspects(tables: Tables) -> None:
    twins = (("1", "M", "40"), ("2", "M", "40"))
    found = one_incident(tables, offenders=twins, arrestees=(("1", "M", "40", "T", None),))
    assert statuses(found) == [(1, "arrested"), (2, "named")]


def test_an_arrestee_like_nobody_is_left_out(tables: Tables) -> None:
    found = one_incident(tables, arrestees=(("1", "M", "42", "O", None),))
    assert statuses(found) == [(1, "named")]
    assert crime(found)["outcome_code"] == "1"


def test_a_summons_is_a_charge(tables: Tables) -> None:
    found = one_incident(tables, arrestees=(("1", "M", "40", "S", None),))
    row = found["suspects"].row(0, named=True)
    assert (row["status"], row["arrested_on"], row["charged_on"]) == ("charged", None, date(2018, 3, 12))


def test_a_child_under_ten_is_never_charged(tables: Tables) -> None:
    found = one_incident(tables, offenders=(("1", "M", "9"),), arrestees=(("1", "M", "9", "S", "R"),))
    assert statuses(found) == [(1, "arrested")]
    assert crime(found)["outcome_code"] == "11"
    found = one_incident(tables, offenders=(("1", "M", "10"),), arrestees=(("1", "M", "10", "S", "R"),))
    assert statuses(found) == [(1, "charged")]
    assert crime(found)["outcome_code"] == "1"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, None),
        ({"arrestees": (("1", "M", "40", "O", None),)}, "1"),
        ({"arrestees": (("1", "M", "15", "T", "H"),)}, "8"),
        ({"arrestees": (("1", "M", "15", "T", "H"), ("2", "M", "16", "T", "R"))}, "1"),
        ({"cleared": ("A", "20-MAR-18")}, "5"),
        ({"cleared": ("B", "20-MAR-18")}, "9"),
        ({"cleared": ("D", "20-MAR-18")}, "16"),
    ],
)
def test_outcomes(given: dict[str, Any], code: str | None, tables: Tables) -> None:
    found = crime(one_incident(tables, **given))
    assert found["outcome_code"] == code
    day = 20 if "cleared" in given else 12
    assert found["outcome_date"] == (date(2018, 3, day) if code else None)


def test_an_unmapped_offence_is_refused_by_name(tables: Tables) -> None:
    renamed = tables["OFFENSE_TYPE"].with_columns(pl.col("OFFENSE_CODE").replace("13B", "13X"))
    with pytest.raises(ValueError, match="13X"):
        nibrs.standard_extracts(tables | {"OFFENSE_TYPE": renamed})


def test_an_unmapped_value_is_refused_by_name(tables: Tables) -> None:
    renamed = tables["WEAPON_TYPE"].with_columns(pl.col("WEAPON_CODE").replace("40", "41"))
    with pytest.raises(ValueError, match="WEAPON_CODE 41"):
        nibrs.standard_extracts(tables | {"WEAPON_TYPE": renamed})


def test_no_archive_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nibrs.write_submissions(tmp_path / "none.zip", tmp_path)
