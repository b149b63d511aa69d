"""A release made by hand: every mart of the contract, most of them empty, and two persons whom two forces know.

P1 is known to Avon and Somerset (A) and Bedfordshire (B), P2 to Bedfordshire alone. Columns and types are those of the dbt contract, so that
the hub is tried on what a release really has.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml
from duckdb_extensions import import_extension

A, B = "E23000036", "E23000026"
P1, P2, V1 = "P1", "P2", "V1"
# In no release but AGELESS: held, since nobody knows whether this is a child.
P3 = "P3"
OLD = "P0"
_CONTRACT = Path(__file__).parents[2] / "dbt_project" / "models" / "marts" / "_marts__models.yml"

ROWS: dict[str, list[dict[str, Any]]] = {
    "suspect_nominals": [
        {
            "record_id": f"{A}|N1",
            "person_id": P1,
            "force_code": A,
            "person_ref": "N1",
            "forenames": "Jonathan",
            "surname": "O'Ashworth",
            "date_of_birth": "1984-03-07",
            "postcode": "BS1 4ST",
            "earlier_postcodes": ["BS9 9ZZ"],
            "pnc_id": "84/123456X",
            "link_probability": 0.97,
            "withheld": False,
        },
        {
            "record_id": f"{B}|N7",
            "person_id": P1,
            "force_code": B,
            "person_ref": "N7",
            "forenames": "John",
            "surname": "Ashworth",
            "date_of_birth": "1984-03-07",
            "alias_full_names": ["Jack Ashford"],
            "link_probability": 0.97,
            "withheld": False,
        },
        {
            "record_id": f"{B}|N8",
            "person_id": P2,
            "force_code": B,
            "person_ref": "N8",
            "forenames": "=cmd()",
            "surname": "Zebedee",
            "date_of_birth": "1990-12-01",
            "link_probability": 1.0,
            "withheld": False,
        },
    ],
    "ranked_perpetrators": [
        {
            "person_id": P1,
            "list_status": "listed",
            "owner_force_code": A,
            "national_rank": 4711,
            "list_scope": "force",
            "list_scope_code": A,
            "list_place": 4242,
            "score": 77.125,
            "score_shown": 77.1,
            "n_allegations": 2,
            "n_counted": 1,
            "n_not_counted": 1,
            "n_victims": 1,
            "n_forces": 2,
            "latest_reported_at": "2026-02-03 10:00:00",
        },
        {
            "person_id": P2,
            "list_status": "listed",
            "owner_force_code": B,
            "national_rank": 4712,
            "score": 5.5,
            "n_allegations": 1,
            "n_counted": 1,
            "n_not_counted": 0,
            "n_victims": 0,
            "n_forces": 1,
        },
    ],
    "ranked_perpetrator_offences": [
        {
            "person_id": P1,
            "offence_id": f"{A}|1/26",
            "force_code": A,
            "crime_ref": "1/26",
            "record_id": f"{A}|N1",
            "offence_code": "8L",
            "reported_at": "2026-02-03 10:00:00",
            "suspect_status": "named",
            "n_co_suspects": 0,
            "is_counted": True,
            "contribution": 77.125,
            "points_shown": 77.1,
            "decay": 0.5,
            "severity_days": 10,
            "link_probability": 0.97,
        },
        {
            "person_id": P1,
            "offence_id": f"{B}|2/25",
            "force_code": B,
            "crime_ref": "2/25",
            "record_id": f"{B}|N7",
            "offence_code": "19D",
            "reported_at": "2025-02-03 10:00:00",
            "suspect_status": "eliminated",
            "n_co_suspects": 1,
            "is_counted": False,
            "not_counted_reason": "eliminated",
            "contribution": 0,
            "points_shown": 0,
        },
        {
            "person_id": P2,
            "offence_id": f"{B}|3/26",
            "force_code": B,
            "crime_ref": "3/26",
            "record_id": f"{B}|N8",
            "offence_code": "8L",
            "reported_at": "2026-01-03 10:00:00",
            "suspect_status": "named",
            "n_co_suspects": 0,
            "is_counted": True,
            "contribution": 5.5,
        },
    ],
    "perpetrator_lists": [
        {
            "period": "2026-02-01",
            "list_kind": "national_top",
            "lens": "likely_harm",
            "list_scope": "national",
            "list_scope_code": "national",
            "person_id": person,
            "place": place,
            "shown_order": place,
            "owner_force_code": owner,
            "score": score,
            "n_on_list": 2,
            "certainty_band": "clear",
        }
        for person, place, owner, score in ((P2, 8101, B, 5.5), (P1, 8100, A, 77.125))
    ],
    "perpetrator_profiles": [
        {
            "person_id": P1,
            "n_allegations": 1,
            "n_not_counted": 1,
            "n_forces": 2,
            "force_codes": [A, B],
            "n_victims": 1,
            "victim_ids": [V1],
            "n_orders_in_force": 0,
            "n_order_breaches": 0,
            "n_convicted": 0,
            "n_closed_without_order": 1,
            "n_offences_as_victim": 0,
            "mo_in_words": "threats: 1 of 1",
            "management_in_words": "none recorded",
            "custody_status": "not_in_custody",
            "is_identity_under_review": False,
        },
    ],
    "perpetrator_timelines": [
        {
            "person_id": P1,
            "event_no": 1,
            "event_id": "e1",
            "event_on": "2025-02-03",
            "event_kind": "crime",
            "role": "suspect",
            "force_code": B,
            "event_in_words": "Suspect of: Rape (19D)",
        },
        {
            "person_id": P1,
            "event_no": 2,
            "event_id": "e2",
            "event_on": "2026-02-03",
            "event_kind": "crime",
            "role": "suspect",
            "force_code": A,
            "event_in_words": "Suspect of: Harassment (8L)",
        },
        {
            "person_id": P1,
            "event_no": 3,
            "event_id": "e3",
            "event_on": None,
            "event_kind": "order_breached",
            "role": "respondent",
            "force_code": A,
            "event_in_words": "Order breached <b>",
        },
        {
            "person_id": P1,
            "event_no": 4,
            "event_id": "e4",
            "event_on": "2026-02-11",
            "event_kind": "order_granted",
            "role": "respondent",
            "force_code": A,
            "event_in_words": "Order granted",
        },
        {
            "person_id": P1,
            "event_no": 5,
            "event_id": "e5",
            "event_on": "2026-02-09",
            "event_kind": "crime",
            "role": "suspect",
            "force_code": B,
            "reported_at": "2026-02-10 08:00:00",
            "event_in_words": "Suspect of: Assault",
        },
    ],
    "victim_timelines": [
        {
            "person_id": V1,
            "event_no": no,
            "event_id": f"v{no}",
            "event_kind": "crime",
            "force_code": A,
            "reported_at": at,
            "suspect_person_ids": suspects,
        }
        for no, (at, suspects) in enumerate(
            [("2025-02-03 10:00:00", [P1]), ("2026-02-03 10:00:00", [P1, P2])]
        )
    ],
    "person_link_evidence": [
        {
            "person_id": P1,
            "record_id_l": f"{A}|N1",
            "record_id_r": f"{B}|N7",
            "link_weight": 9.5,
            "bits_name": 4.0,
            "bits_date_of_birth": 5.5,
            "bits_postcode": 0.0,
            "bits_identifiers": 0.0,
            "is_weakest": True,
        },
    ],
    "person_identity_changes": [
        {
            "run_no": 2,
            "record_id": f"{A}|N1",
            "from_person_id": OLD,
            "to_person_id": P1,
            "force_code": A,
            "event": "merge",
            "cause": "new_evidence",
            "changed_at": "2026-03-01 09:00:00",
            "is_own_record": True,
        },
    ],
    "identity_review_queue": [
        {
            "queue_rank": 1,
            "person_id": P1,
            "other_person_id": P2,
            "reason": "name_and_birth_date_alone",
            "consequence": "listed",
            "withheld": False,
            "probability": 0.9,
            "record_id_l": f"{A}|N1",
            "record_id_r": f"{B}|N8",
        },
    ],
    "allegations_closed_without_action": [
        {
            "person_id": P1,
            "offence_id": f"{A}|1/26",
            "force_code": A,
            "crime_ref": "1/26",
            "offence_code": "8L",
            "reported_at": "2026-02-03 10:00:00",
            "closed_on": "2026-02-20",
            "order_status": "no order recorded",
            "standing_in_words": "closed",
        },
    ],
    "victim_profiles": [
        {
            "person_id": V1,
            "n_offences": 3,
            "n_repeats": 1,
            "n_suspects": 1,
            "force_codes": [A],
            "is_child": False,
        }
    ],
    "national_statistics": [
        {
            "period": f"2026-{month:02}-01",
            "period_kind": "month",
            "force_code": "national",
            "definition_id": "npcc_policing_scope",
            "threat": "all",
            "measure": "offences",
            "breakdown": "none",
            "value": value,
            "numerator": value and int(value),
            "n_forces": 43,
            "n_months": 1,
            "suppressed": hidden,
        }
        for month, value, hidden in ((1, 1234.0, False), (2, None, True))
    ],
    "data_quality_scorecards": [
        {
            "period": "2026-02-01",
            "force_code": force,
            "check_id": "flags",
            "title": "Flags mapped",
            "dimension": "conformance",
            "unit": "value",
            "n_checked": 10,
            "n_passed": passed,
            "share": passed / 10,
            "pass_at": 0.9,
            "attention_at": 0.5,
            "status": status,
        }
        for force, passed, status in ((A, 10, "pass"), (B, 4, "fail"))
    ],
    "perpetrator_list_pools": [
        {
            "period": "2026-02-01",
            "force_code": force,
            "lens": "likely_harm",
            "list_scope": "force",
            "list_scope_code": force,
        }
        for force in (A, B)
    ],
    "list_statements": [
        {
            "statement_id": "not_guilt",
            "version": "1",
            "mart": "ranked_perpetrators",
            "shown_when": "always",
            "statement_no": 1,
            "statement": "This list is not evidence of guilt.",
        },
    ],
}

# What marts say of a person of unknown age; 333.25 is a score that nobody may be shown.
AGELESS: dict[str, list[dict[str, Any]]] = {
    "ranked_perpetrators": [
        {
            "person_id": P3,
            "list_status": "held",
            "status_reason": "age_unknown",
            "owner_force_code": A,
            **dict.fromkeys(("score", "score_grave", "score_gravest_harm"), 333.25),
            "score_shown": 333.3,
            "score_rfg": 333,
            "n_allegations": 1,
            "n_counted": 1,
            "n_not_counted": 0,
        }
    ],
    "ranked_perpetrator_offences": [
        {
            **ROWS["ranked_perpetrator_offences"][0],
            "person_id": P3,
            "offence_id": f"{A}|9/26",
            "contribution": 333.25,
            "contribution_grave": 333.25,
            "contribution_gravest_harm": 333.25,
            "points_shown": 333.3,
            "explanation": "333.3 of 333.3 points",
        }
    ],
    "explained_allegations": [
        {"person_id": P3, "offence_id": f"{A}|9/26", "points_shown": 333.3, "explanation": "333.3 points"}
    ],
    "ranked_perpetrator_movers": [
        {
            "person_id": P3,
            "movement": "left",
            "national_list_movement": "left",
            "status_reason": "age_unknown",
            "previous_score": 333.25,
            "score": 333.25,
            "score_change": 333.25,
            "listed_score_change": -333.25,
            "causes_in_words": "Age -333.3",
        }
    ],
    "ranked_perpetrator_move_causes": [
        {"person_id": P3, "cause": "gate", "points": 333.25, "listed_points": -333.25}
    ],
    "perpetrator_lists": [
        {
            "list_kind": "held",
            "lens": "none",
            "list_scope": "force",
            "list_scope_code": A,
            "person_id": P3,
            "shown_order": 1,
            "owner_force_code": A,
            "score": 333.25,
        }
    ],
    "identity_review_queue": [
        {
            "queue_rank": 2,
            "person_id": P1,
            "other_person_id": P3,
            "score_at_stake": 333.25,
            "expected_change": 333.25,
        }
    ],
    "suspect_nominals": [
        {
            **ROWS["suspect_nominals"][0],
            "record_id": f"{A}|N9",
            "person_id": P3,
            "person_ref": "N9",
            "date_of_birth": None,
        }
    ],
}


_NOT_PUBLISHED = "unit, share_base, share, share_lower, share_upper, lowest_force_value, highest_force_value, n_forces_compared, break_ids"


@cache
def contract() -> dict[str, dict[str, Any]]:
    """Mart -> its entry in the dbt contract."""
    return {m["name"]: m for m in yaml.safe_load(_CONTRACT.read_text(encoding="utf-8"))["models"]}


def write_release(
    root: Path, *, release_id: str = "2026-02_handmade", key: str | None = None, **rows: Any
) -> Path:
    """A release of ROWS, some of them replaced by `rows`, and make it current. Returns its folder."""
    folder = root / "releases" / release_id
    marts = {}
    with duckdb.connect() as connection:
        if key:
            import_extension("httpfs", con=connection)
            connection.execute("LOAD httpfs")
            connection.execute(f"PRAGMA add_parquet_key('release', '{key}')")
        for name, mart in contract().items():
            kind = mart["config"]["meta"]["release"]
            (folder / kind).mkdir(parents=True, exist_ok=True)
            columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in mart["columns"])
            connection.execute(f"CREATE TABLE {name} ({columns})")
            for row in {**ROWS, **rows}.get(name, []):
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values())
                )
            encrypted = bool(key) and kind != "statistical"
            options = ", ENCRYPTION_CONFIG {footer_key: 'release'}" if encrypted else ""
            connection.execute(f"COPY {name} TO '{folder}/{kind}/{name}.parquet' (FORMAT parquet{options})")
            n_rows = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            marts[name] = {"file": f"{kind}/{name}.parquet", "rows": n_rows, "encrypted": encrypted}
        _publish(folder)
        rounded = f"SELECT * EXCLUDE ({_NOT_PUBLISHED}) REPLACE (round(value / 5) * 5 AS value) FROM national_statistics"
        connection.execute(
            f"COPY ({rounded}) TO '{folder}/publishable/national_statistics.parquet' (FORMAT parquet)"
        )
        marts["published_national_statistics"] = marts["national_statistics"] | {
            "file": "publishable/national_statistics.parquet"
        }
    manifest = {
        "release_id": release_id,
        "period": release_id[:7],
        "as_of": "2026-03-12 09:00:00",
        "versions": {"contract": "1.0", "definitions": ["1"]},
        "marts": marts,
        "coverage": {
            "forces_in": 42,
            "forces_expected": 43,
            "forces_out": [B],
            "months": ["2026-02"],
            "rows_received": 10,
            "rows_quarantined": 1,
        },
        "monitoring": None,
        "notes": ["A suspect is not an offender."],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / "threat_assessment.html").write_text("<h1>Threat assessment</h1>", encoding="utf-8")
    meant = {
        name: {
            "description": mart["description"],
            "columns": {c["name"]: {"description": c["description"]} for c in mart["columns"]},
        }
        for name, mart in contract().items()
    }
    (folder / "dictionary.json").write_text(json.dumps(meant), encoding="utf-8")
    current = root / "releases" / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(release_id, target_is_directory=True)
    return folder


def _publish(folder: Path) -> None:
    """What a publication lays into a release: a bulletin, a page of a force, and a table with what it means."""
    tables = folder / "publishable" / "tables"
    for needed in (tables, folder / "pages" / "forces"):
        needed.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "pages/bulletin.html": f'<title>Bulletin</title><h1>Bulletin</h1><a href="forces/{A}.html">A force</a>'
        '<a href="../publishable/tables/crimes.csv">This table as CSV</a>',
        f"pages/forces/{A}.html": '<title>Force</title><h1>Force</h1><a href="../bulletin.html">All</a>',
        "publishable/tables/crimes.csv": "place,crimes\nnational,25\n",
        "publishable/tables/crimes.csv-metadata.json": "{}",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
