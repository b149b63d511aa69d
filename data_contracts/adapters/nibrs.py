"""An FBI NIBRS return (Minnesota 2018) as monthly submissions of its reporting agencies.

Belongs here: how NIBRS tables become the extracts of the contract. What a NIBRS code means in the
contract's terms is data beside this module (`nibrs_offence_codes.csv`, `nibrs_values.csv`); what an
agency's own words mean is in `codes/code_mappings.csv` (record system `nibrs`). `docs/nibrs.md` says
what is derived, how, and what NIBRS cannot give.

Source: the FBI's published tables, unchanged, in `nibrs_mn2018.zip` (see `nibrs_mn2018.SOURCES.md`).
"""

from __future__ import annotations

import zipfile
from datetime import time
from pathlib import Path

import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.extracts.catalogue import CONTRACT_VERSION, EXTRACTS
from data_contracts.submission import write_submission

FOLDER = Path(__file__).parent
ARCHIVE = FOLDER / "nibrs_mn2018.zip"
PROGRAMME = "nibrs_mn2018"
RECORD_SYSTEM = "nibrs"
CONTACT = "FBI Uniform Crime Reporting Program (published data; nobody to write to)"

# Children and Young Persons Act 1933, section 50; from memory.
AGE_OF_CRIMINAL_RESPONSIBILITY = 10
# NIBRS ages are rounded at either end of a birthday: an arrestee may be a year off the offender.
AGE_TOLERANCE_YEARS = 1

SENDER = ["force_code", "period"]
PERSON_TYPES = ["person", "police"]
# Fields of nibrs_values.csv that must answer for every code of a NIBRS code table.
CODE_TABLES = {
    "injury": ("INJURY", "INJURY_CODE"),
    "weapon": ("WEAPON_TYPE", "WEAPON_CODE"),
    "victim_type": ("VICTIM_TYPE", "VICTIM_TYPE_CODE"),
    "age_years": ("AGE", "AGE_CODE"),
    "suspect_status": ("ARREST_TYPE", "ARREST_TYPE_CODE"),
    "outcome_of_exceptional_clearance": ("CLEARED_EXCEPT", "CLEARED_EXCEPT_CODE"),
}
# What a row of nibrs_offence_codes.csv may ask for; blank asks for nothing.
CONDITIONS = ["victim_type", "victim_sex", "injury", "location_type", "attempted"]


def write_submissions(archive: Path | None, folder: Path) -> list[Path]:
    """Write one submission a reporting agency and month, `folder/<ORI>_<YYYY-MM>_1`, and name them in order.

    `archive`: a zip of NIBRS tables in the FBI's layout; None takes the one shipped. An agency that
    reported a month without incidents sends a nil return, one that did not report it sends nothing.
    Raises FileNotFoundError without the archive, KeyError where a table is missing, ValueError where
    a NIBRS code has no row in the mapping.
    """
    tables = read_tables(archive or ARCHIVE)
    extracts = {
        name: rows.partition_by(SENDER, as_dict=True, include_key=False)
        for name, rows in standard_extracts(tables).items()
    }
    return [
        write_submission(
            folder / f"{force_code}_{period:%Y-%m}_1",
            force_code=force_code,
            period=period,
            sequence=1,
            extracted_at=extracted_at,
            contact=CONTACT,
            extracts={
                n: parts[force_code, period] for n, parts in extracts.items() if (force_code, period) in parts
            },
            contract_version=CONTRACT_VERSION,
        )
        for force_code, period, extracted_at in monthly_returns(tables).iter_rows()
    ]


def read_tables(archive: Path) -> dict[str, pl.DataFrame]:
    """Every CSV of the archive by its name in upper case without `NIBRS_`, all columns text, blank as null."""
    with zipfile.ZipFile(archive) as opened:
        return {
            Path(name).stem.upper().removeprefix("NIBRS_"): pl.read_csv(
                opened.read(name), infer_schema=False
            ).with_columns(pl.all().replace("", None))
            for name in sorted(opened.namelist())
            if name.endswith(".csv")
        }


def monthly_returns(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a submission: force_code, period, extracted_at; in that order.

    Extraction is the day the FBI took in the month's last incident (its last second: NIBRS gives the
    day), or the month's end for a nil return. Only agencies of the register report.
    """
    incidents = _incidents(tables).group_by(SENDER).agg(pl.col("submitted_on").max())
    reported = (
        tables["MONTH"]
        .filter(pl.col("REPORTED_STATUS").is_in(["I", "Z"]))
        .join(_agencies(tables), on="AGENCY_ID")
        .select(
            "force_code",
            period=pl.date(pl.col("DATA_YEAR").cast(pl.Int32), pl.col("MONTH_NUM").cast(pl.Int8), 1),
        )
    )
    drawn_on = pl.max_horizontal("submitted_on", pl.col("period").dt.month_end())
    return (
        reported.join(incidents, on=SENDER, how="full", coalesce=True)
        .select(*SENDER, extracted_at=drawn_on.dt.combine(time(23, 59, 59)))
        .sort(SENDER)
    )


def standard_extracts(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The whole return as offences, victims, suspects and relationships.

    Each has force_code and period (the month of the incident), then the contract's columns that NIBRS
    can fill, in the rows' own key order. NIBRS has nothing for the other extracts.
    """
    for field, (table, code) in CODE_TABLES.items():
        _refuse_unmapped(
            tables[table].join(_values(field), left_on=code, right_on="nibrs_code", how="anti"), code
        )
    incidents = _incidents(tables)
    victims = _victims(tables)
    arrests = _arrests(tables)
    suspects = _suspects(tables, arrests)
    return {
        name: _in_contract_order(name, rows.join(incidents.select("crime_ref", *SENDER), on="crime_ref"))
        for name, rows in {
            "offences": _offences(tables, incidents, victims, arrests),
            "victims": victims,
            "suspects": suspects,
            "relationships": _relationships(tables, victims, suspects),
        }.items()
    }


def _in_contract_order(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    spec = EXTRACTS[name]
    return rows.select(*SENDER, *(c for c in spec.schema if c in rows.columns)).sort(*SENDER, *spec.key)


def _agencies(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """AGENCY_ID and force_code of the agencies in the register."""
    register = code_list("forces").filter(pl.col("programme") == PROGRAMME).select(force_code="code")
    return tables["AGENCIES"].select("AGENCY_ID", force_code="ORI").join(register, on="force_code")


def _incidents(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row an incident, with when it was committed, submitted and cleared exceptionally."""
    on_known_day = pl.col("REPORT_DATE_FLAG").fill_null("") != "R"
    committed_on = _day("INCIDENT_DATE")
    hour = pl.col("INCIDENT_HOUR").cast(pl.Int8)
    return (
        tables["INCIDENT"]
        .join(_agencies(tables), on="AGENCY_ID")
        .join(tables["CLEARED_EXCEPT"], on="CLEARED_EXCEPT_ID", how="left")
        .select(
            "force_code",
            period=committed_on.dt.month_start(),
            crime_ref="INCIDENT_ID",
            committed_from=committed_on.dt.combine(pl.time(hour.fill_null(0))),
            committed_time_known=pl.when(hour.is_not_null() & on_known_day)
            .then(pl.lit("Y"))
            .otherwise(pl.lit("N")),
            submitted_on=_day("SUBMISSION_DATE"),
            exceptional_clearance="CLEARED_EXCEPT_CODE",
            cleared_on=_day("CLEARED_EXCEPT_DATE"),
        )
    )


def _offences(
    tables: dict[str, pl.DataFrame], incidents: pl.DataFrame, victims: pl.DataFrame, arrests: pl.DataFrame
) -> pl.DataFrame:
    """One crime an incident: its principal offence, worst injury and weapon, first standing outcome."""
    injuries = pl.concat(
        [
            _values("injury")
            .join(_labelled(tables["VICTIM_INJURY"], tables["INJURY"], "INJURY"), on="nibrs_code")
            .join(victims.select("VICTIM_ID", "crime_ref"), on="VICTIM_ID")
            .select("crime_ref", "value", "precedence"),
            _values("injury_of_offence")
            .join(_nibrs_offences(tables), on="nibrs_code")
            .select("crime_ref", "value", "precedence"),
        ]
    )
    weapons = (
        _values("weapon")
        .join(_labelled(tables["WEAPON"], tables["WEAPON_TYPE"], "WEAPON"), on="nibrs_code")
        .join(_nibrs_offences(tables).select("OFFENSE_ID", "crime_ref"), on="OFFENSE_ID")
    )
    worst_injury = _first_of(injuries, "injury")
    principal = _principal_offences(tables, victims, worst_injury)
    return (
        incidents.join(principal, on="crime_ref", how="left")
        .join(worst_injury, on="crime_ref", how="left")
        .join(_first_of(weapons, "weapon"), on="crime_ref", how="left")
        .join(_outcomes(incidents, arrests), on="crime_ref", how="left")
        .with_columns(
            # NIBRS has no day of report or record: the incident's own hour is the earliest both can be.
            reported_at="committed_from",
            recorded_at="committed_from",
            status=pl.lit("live"),
        )
        .drop(SENDER)
    )


def _nibrs_offences(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a NIBRS offence of an incident: crime_ref, OFFENSE_ID, nibrs_code, location, attempted."""
    return (
        tables["OFFENSE"]
        .join(tables["OFFENSE_TYPE"], on="OFFENSE_TYPE_ID")
        .join(tables["LOCATION_TYPE"], on="LOCATION_ID", how="left")
        .select(
            "OFFENSE_ID",
            crime_ref="INCIDENT_ID",
            nibrs_code="OFFENSE_CODE",
            location_type="LOCATION_NAME",
            attempted=pl.when(pl.col("ATTEMPT_COMPLETE_FLAG") == "A")
            .then(pl.lit("Y"))
            .otherwise(pl.lit("N")),
        )
    )


def _principal_offences(
    tables: dict[str, pl.DataFrame], victims: pl.DataFrame, worst_injury: pl.DataFrame
) -> pl.DataFrame:
    """crime_ref, offence_code, location_type: the incident's offence of lowest hierarchy rank.

    Where sex or age choose among Home Office codes, they are those of the youngest person who is a
    victim of that offence (officers after others, unknown ages last).
    """
    mapping = (
        code_rows("nibrs_offence_codes")
        .with_row_index("row")
        .with_columns(pl.col("hierarchy_rank", "victim_age_max").cast(pl.Int64))
    )
    ranks = mapping.select("nibrs_code", "hierarchy_rank").unique()
    all_offences = _nibrs_offences(tables).join(ranks, on="nibrs_code", how="left")
    _refuse_unmapped(all_offences.filter(pl.col("hierarchy_rank").is_null()), "nibrs_code")
    principal = all_offences.sort("crime_ref", "hierarchy_rank", "OFFENSE_ID").unique(
        "crime_ref", keep="first", maintain_order=True
    )
    deciding = (
        principal.select("OFFENSE_ID")
        .join(tables["VICTIM_OFFENSE"], on="OFFENSE_ID")
        .join(victims, on="VICTIM_ID")
        .filter(pl.col("victim_type").is_in(PERSON_TYPES))
        .sort("crime_ref", "victim_type", "age", "victim_no", nulls_last=True)
        .unique("crime_ref", keep="first", maintain_order=True)
        .select("crime_ref", "victim_type", "age", victim_sex="sex")
    )
    national_location = code_list("code_mappings").filter(
        (pl.col("record_system") == RECORD_SYSTEM) & (pl.col("field") == "location_type")
    )
    met = [pl.col(f"{c}_asked").is_null() | pl.col(f"{c}_asked").eq_missing(pl.col(c)) for c in CONDITIONS]
    young_enough = pl.col("victim_age_max").is_null() | (pl.col("age") <= pl.col("victim_age_max")).fill_null(
        False
    )
    coded = (
        principal.join(deciding, on="crime_ref", how="left")
        .join(worst_injury, on="crime_ref", how="left")
        .join(
            national_location.select(raw_location="raw_value", national="national_code"),
            left_on="location_type",
            right_on="raw_location",
            how="left",
        )
        .rename({"location_type": "raw_location", "national": "location_type"})
        .join(mapping.rename({c: f"{c}_asked" for c in CONDITIONS}), on="nibrs_code")
        .filter(*met, young_enough)
        .sort("crime_ref", "row")
        .unique("crime_ref", keep="first", maintain_order=True)
        .select("crime_ref", "offence_code", location_type="raw_location")
    )
    _refuse_unmapped(principal.join(coded, on="crime_ref", how="anti"), "nibrs_code")
    return coded


def _victims(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a victim, with VICTIM_ID beside the contract's columns; age in years."""
    return (
        tables["VICTIM"]
        .join(tables["VICTIM_TYPE"], on="VICTIM_TYPE_ID")
        .join(_values("victim_type"), left_on="VICTIM_TYPE_CODE", right_on="nibrs_code", how="left")
        .join(_ages(tables), on="AGE_ID", how="left")
        .select(
            "VICTIM_ID",
            crime_ref="INCIDENT_ID",
            victim_no=pl.col("VICTIM_SEQ_NUM").cast(pl.Int64),
            victim_type="value",
            age=_age(),
            sex="SEX_CODE",
        )
    )


def _suspects(tables: dict[str, pl.DataFrame], arrests: pl.DataFrame) -> pl.DataFrame:
    """One row an offender, with OFFENDER_ID beside the contract's columns; age in years.

    Sequence 0 is NIBRS's placeholder for offenders nobody knows anything about: suspect 1, unidentified.
    """
    placeholder = pl.col("OFFENDER_SEQ_NUM") == "0"
    by_arrest = _offenders(tables).pipe(_match, arrests).select("OFFENDER_ID", "arrest_status", "arrested_on")
    charged = pl.col("status") == "charged"
    return (
        _offenders(tables)
        .join(by_arrest, on="OFFENDER_ID", how="left")
        .with_columns(
            status=pl.when(placeholder)
            .then(pl.lit("unidentified"))
            .otherwise(pl.coalesce("arrest_status", pl.lit("named"))),
            suspect_no=pl.when(placeholder).then(1).otherwise(pl.col("OFFENDER_SEQ_NUM").cast(pl.Int64)),
        )
        .with_columns(
            arrested_on=pl.when(~charged).then("arrested_on"), charged_on=pl.when(charged).then("arrested_on")
        )
    )


def _offenders(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return (
        tables["OFFENDER"]
        .join(_ages(tables), on="AGE_ID", how="left")
        .select(
            "OFFENDER_ID",
            "OFFENDER_SEQ_NUM",
            crime_ref="INCIDENT_ID",
            age=_age(),
            sex="SEX_CODE",
            race="RACE_ID",
        )
    )


def _arrests(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row an arrestee: crime_ref, age in years, sex, race, arrested_on, arrest_status, outcome."""
    child = pl.col("age") < AGE_OF_CRIMINAL_RESPONSIBILITY
    return (
        tables["ARRESTEE"]
        .join(tables["ARREST_TYPE"], on="ARREST_TYPE_ID")
        .join(_values("suspect_status"), left_on="ARREST_TYPE_CODE", right_on="nibrs_code", how="left")
        .join(_ages(tables), on="AGE_ID", how="left")
        .with_columns(age=_age())
        .select(
            "ARRESTEE_ID",
            "age",
            crime_ref="INCIDENT_ID",
            arrestee_no=pl.col("ARRESTEE_SEQ_NUM").cast(pl.Int64),
            sex="SEX_CODE",
            race="RACE_ID",
            arrested_on=_day("ARREST_DATE"),
            arrest_status=pl.when(child).then(pl.lit("arrested")).otherwise("value"),
            outcome=pl.when(child)
            .then(pl.lit("under_10"))
            .when(pl.col("UNDER_18_DISPOSITION_CODE") == "H")
            .then(pl.lit("handled_within_department"))
            .otherwise(pl.lit("arrest")),
        )
    )


def _match(offenders: pl.DataFrame, arrests: pl.DataFrame) -> pl.DataFrame:
    """Pair arrestees with offenders of the same incident: NIBRS does not say which is which.

    Likeness is tried strictest first (sex, age and race; sex and age; sex with ages a year apart),
    each person being paired once; equals are paired in the order NIBRS numbers them. Who is left over
    stays unpaired. One row a pair.
    """
    unpaired = offenders.filter(pl.col("OFFENDER_SEQ_NUM") != "0").with_columns(
        no=pl.col("OFFENDER_SEQ_NUM").cast(pl.Int64)
    )
    waiting = arrests.rename({"arrestee_no": "no"})
    close = (pl.col("age") - pl.col("age_arrest")).abs().fill_null(0) <= AGE_TOLERANCE_YEARS
    pairs = []
    for alike in (["sex", "age", "race"], ["sex", "age"], ["sex"]):
        keys = ["crime_ref", *alike]
        in_turn = pl.int_range(pl.len()).over(keys).alias("turn")
        found = (
            unpaired.sort(*keys, "age", "no")
            .with_columns(in_turn)
            .join(
                waiting.sort(*keys, "age", "no").with_columns(in_turn), on=[*keys, "turn"], suffix="_arrest"
            )
        )
        if "age" not in alike:
            found = found.filter(close)
        pairs.append(found.select("OFFENDER_ID", "ARRESTEE_ID", "arrest_status", "arrested_on"))
        unpaired = unpaired.join(found, on="OFFENDER_ID", how="anti")
        waiting = waiting.join(found, on="ARRESTEE_ID", how="anti")
    return pl.concat(pairs)


def _outcomes(incidents: pl.DataFrame, arrests: pl.DataFrame) -> pl.DataFrame:
    """crime_ref, outcome_code, outcome_date: by arrest where there was one, else exceptional clearance."""
    by_arrest = (
        arrests.join(_values("outcome_of_arrest"), left_on="outcome", right_on="nibrs_code", how="left")
        .sort("crime_ref", "precedence", "arrested_on")
        .unique("crime_ref", keep="first", maintain_order=True)
        .select("crime_ref", outcome_code="value", outcome_date="arrested_on")
    )
    exceptional = (
        incidents.join(
            _values("outcome_of_exceptional_clearance"),
            left_on="exceptional_clearance",
            right_on="nibrs_code",
        )
        .filter(pl.col("value").is_not_null())
        .join(by_arrest, on="crime_ref", how="anti")
        .select("crime_ref", outcome_code="value", outcome_date="cleared_on")
    )
    return pl.concat([by_arrest, exceptional])


def _relationships(
    tables: dict[str, pl.DataFrame], victims: pl.DataFrame, suspects: pl.DataFrame
) -> pl.DataFrame:
    """One row a victim and offender whose relationship NIBRS states, in NIBRS's words: what the victim was."""
    return (
        tables["VICTIM_OFFENDER_REL"]
        .join(tables["RELATIONSHIP"], on="RELATIONSHIP_ID")
        .join(victims.select("VICTIM_ID", "crime_ref", "victim_no"), on="VICTIM_ID")
        .join(suspects.select("OFFENDER_ID", "suspect_no"), on="OFFENDER_ID")
        .rename({"RELATIONSHIP_NAME": "relationship"})
    )


def code_rows(name: str) -> pl.DataFrame:
    """One mapping table of this folder, every column text, blank as null."""
    return pl.read_csv(FOLDER / f"{name}.csv", infer_schema=False)


def _values(field: str) -> pl.DataFrame:
    """nibrs_code, value and precedence (1 wins) of one field of `nibrs_values.csv`."""
    return (
        code_rows("nibrs_values")
        .filter(pl.col("field") == field)
        .select("nibrs_code", "value", pl.col("precedence").cast(pl.Int64))
    )


def _labelled(rows: pl.DataFrame, names: pl.DataFrame, what: str) -> pl.DataFrame:
    """Rows with the `nibrs_code` that their `<what>_ID` stands for."""
    return rows.join(names, on=f"{what}_ID").rename({f"{what}_CODE": "nibrs_code"})


def _first_of(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """crime_ref and, as `name`, the value of highest precedence."""
    return (
        rows.sort("crime_ref", "precedence")
        .unique("crime_ref", keep="first", maintain_order=True)
        .select("crime_ref", pl.col("value").alias(name))
    )


def _ages(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """AGE_ID with the AGE_CODE it stands for and its whole years, where the code itself says them."""
    years = _values("age_years").select("nibrs_code", stated_years=pl.col("value").cast(pl.Int64))
    return (
        tables["AGE"]
        .join(years, left_on="AGE_CODE", right_on="nibrs_code", how="left")
        .select("AGE_ID", "AGE_CODE", "stated_years")
    )


def _age() -> pl.Expr:
    in_years = pl.when(pl.col("AGE_CODE") == "AG").then(pl.col("AGE_NUM").cast(pl.Int64))
    return pl.coalesce(in_years, "stated_years")


def _day(column: str) -> pl.Expr:
    """A NIBRS day (18-JAN-18) as a date."""
    return pl.col(column).str.to_titlecase().str.to_date("%d-%b-%y")


def _refuse_unmapped(unmapped: pl.DataFrame, code: str) -> None:
    if unmapped.height:
        codes = unmapped[code].unique().sort().to_list()
        raise ValueError(f"the NIBRS mapping tables have no row for {code} {', '.join(map(str, codes))}")
