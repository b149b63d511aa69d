"""The handmade nation's people and crimes: every case that a rule, definition or score turns on, once.

Forces: A writes its words as system `rms_a`, B as `rms_b`, C sent a return that was held; the other 40
sent nothing. The run is for June 2026; months May and June were sent. `T` is its last instant.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.dbt.nation import Link, Submission

A, B, C = "E23000036", "E23000026", "E23000023"
MAY, JUNE, JUNE_END = date(2026, 5, 1), date(2026, 6, 1), date(2026, 6, 30)
T = datetime(2026, 6, 30, 23, 59, 59)

LINKS = [
    Link(f"{A}|S1", "P1", 0.98),
    # Joined to P1 in this run; S10 was taken for him until now, and somebody decided that he is not.
    Link(f"{B}|S1", "P1", 0.98, former="P1-of-B"),
    Link(f"{B}|S10", f"P-{B}|S10", former="P1", event="split", decision_id="I000001"),
    Link(f"{A}|S5", "P5", 0.95, withheld=("two_sexes",)),
    Link(f"{B}|S5", "P5", 0.95, withheld=("two_sexes",)),
    Link(f"{A}|S8", "P8", 0.85),
    Link(f"{B}|S8", "P8", 0.85),
]

# Pairs of nominals of two persons. The listed S10 may be S11, whose score would come to him; the first of the list may be
# S12, who brings nothing. S6 and S12 are a suspect of June and a bystander; V1 and S12 two bystanders. That S1 and S10 are
# two was decided, so nobody is asked again.
REVIEW_PAIRS: list[dict[str, Any]] = [
    {
        "record_id_l": f"{A}|S1",
        "record_id_r": f"{A}|S12",
        "match_weight": 12.0,
        "guarded_weight": 12.0,
        "probability": 0.9,
    },
    {
        "record_id_l": f"{B}|S1",
        "record_id_r": f"{A}|S12",
        "match_weight": 20.0,
        "guarded_weight": -14.0,
        "probability": 0.1,
        "veto": "pnc_differs",
    },
    {
        "record_id_l": f"{B}|S10",
        "record_id_r": f"{B}|S11",
        "match_weight": 10.0,
        "guarded_weight": 3.0,
        "probability": 0.5,
        "veto": "birth_date_unknown",
    },
    {
        "record_id_l": f"{A}|S12",
        "record_id_r": f"{A}|S6",
        "match_weight": 9.0,
        "guarded_weight": 9.0,
        "probability": 0.8,
    },
    {
        "record_id_l": f"{A}|S12",
        "record_id_r": f"{A}|V1",
        "match_weight": 11.0,
        "guarded_weight": 11.0,
        "probability": 0.9,
    },
    {
        "record_id_l": f"{A}|S1",
        "record_id_r": f"{B}|S10",
        "match_weight": 15.0,
        "guarded_weight": 15.0,
        "probability": 0.95,
    },
]
DECISIONS = [
    {"decision_id": "I000001", "kind": "cannot_link", "record_id_l": f"{A}|S1", "record_id_r": f"{B}|S10"},
]

# Nothing here is about anybody who is listed: what it does to the lists is tested on lists of its own. S13 of B, whom B
# sent anew, was removed on a crime that is not his; S12 waits in a deferral.
REVIEW_DECISIONS: list[dict[str, Any]] = [
    {
        "entry_id": "R000001",
        "person_id": f"P-{B}|S13",
        "record_id": f"{B}|S13",
        "origin": "listed",
        "state": "removed",
        "is_frozen": False,
        "reason_code": "not_suspect",
        "decided_at": datetime(2026, 6, 20, 9),
    },
    {
        "entry_id": "R000002",
        "person_id": "P-before",
        "record_id": f"{A}|S12",
        "origin": "added_by_officer",
        "state": "deferred",
        "is_frozen": False,
        "reason_code": "victim_contact",
        "decided_at": datetime(2026, 6, 21, 9),
        "valid_until": datetime(2026, 8, 1),
    },
]
REVIEW_REMOVALS = [{"entry_id": "R000001", "offence_id": f"{B}|B101"}]

# Somebody read seven of B's records. Rules find three of the four that are domestic, and none of the others.
CLERICAL_FLAGS = [
    {"force_code": B, "crime_ref": ref, "flag": "DA", "value": value, "labelled_on": JUNE_END}
    for ref, value in zip(("FL1", "FL2", "FL3", "FL4", "FL5", "FL6", "FL8"), "YNNYYYN", strict=True)
]


class Month:
    """Collects one force's rows for one month."""

    def __init__(self, force_code: str, period: date) -> None:
        self.force_code, self.period = force_code, period
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, name: str, /, **row: Any) -> None:
        self.rows.setdefault(name, []).append(row)

    def crime(
        self,
        ref: str,
        code: str = "8N",
        *,
        days_ago: float = 10,
        victims: list[dict[str, Any]] | None = None,
        suspects: list[dict[str, Any]] | None = None,
        relationship: str | None = None,
        flags: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        """A crime reported `days_ago` before T and recorded an hour later. Default victim: a woman of 30."""
        reported = T - timedelta(days=days_ago)
        times = {
            "committed_from": reported - timedelta(hours=2),
            "reported_at": reported,
            "recorded_at": reported,
        }
        self.add("offences", **{"crime_ref": ref, "offence_code": code, "status": "live", **times, **facts})
        for i, victim in enumerate([{}] if victims is None else victims, start=1):
            known = {"victim_type": "person", "sex": "F", "age": 30}
            self.add("victims", **{"crime_ref": ref, "victim_no": i, **known, **victim})
        for i, suspect in enumerate(suspects or [], start=1):
            known = {"sex": "M", "age": 32, "status": "named"}
            self.add("suspects", **{"crime_ref": ref, "suspect_no": i, **known, **suspect})
        if relationship:
            self.add("relationships", crime_ref=ref, victim_no=1, suspect_no=1, relationship=relationship)
        for flag, value in (flags or {}).items():
            self.add("flags", crime_ref=ref, flag=flag, value=value)

    def person(self, ref: str, born: date | None, **facts: Any) -> None:
        self.add(
            "persons",
            **{
                "person_ref": ref,
                "forenames": "ANN",
                "surname": ref,
                "date_of_birth": born,
                "sex": "M" if ref.startswith("S") else "F",
                "in_custody": "N",
                **facts,
            },
        )

    def submission(self, **facts: Any) -> Submission:
        return Submission(self.force_code, self.period, rows=dict(self.rows), **facts)


def submissions() -> list[Submission]:
    adult = date(1990, 1, 1)
    a5, a6, b5, b6 = Month(A, MAY), Month(A, JUNE), Month(B, MAY), Month(B, JUNE)

    # P1: listed first. Two forces, three crimes: 19 days at 180 d, 1,825 at 0 d, 84 at 360 d.
    a5.person("S1", adult)
    b5.person("S1", adult)
    a5.person("V1", adult)
    a5.crime("A1", "8N", days_ago=180, victims=[{"person_ref": "V1"}], suspects=[{"person_ref": "S1"}])
    a6.crime("A2", "19C", days_ago=0, victims=[{"person_ref": "V1"}], suspects=[{"person_ref": "S1"}])
    b5.crime("B1", "8Q", days_ago=360, suspects=[{"person_ref": "S1"}])
    # P2 is 16; P3 has died; P4 is in custody; P5's identity is under review. Each has two counted crimes.
    kept_off: list[tuple[str, date, dict[str, Any]]] = [
        ("S2", date(2010, 1, 1), {}),
        ("S3", adult, {"deceased_on": date(2026, 6, 15)}),
        ("S4", adult, {"in_custody": "Y"}),
        ("S5", adult, {}),
    ]
    for ref, born, facts in kept_off:
        a5.person(ref, born, **facts)
        age = 16 if ref == "S2" else 32
        a6.crime(f"A{ref}1", suspects=[{"person_ref": ref, "age": age}])
        a6.crime(f"A{ref}2", suspects=[{"person_ref": ref, "age": age}])
    b5.person("S5", adult)
    # P6: one crime counts; a cancelled one, one he was eliminated from and one another force holds do not.
    a5.person("S6", adult)
    a6.crime("A61", suspects=[{"person_ref": "S6"}])
    a6.crime("A62", suspects=[{"person_ref": "S6"}], status="cancelled", cancellation_reason="c")
    a6.crime("A63", suspects=[{"person_ref": "S6", "status": "eliminated"}])
    a6.crime("A64", suspects=[{"person_ref": "S6"}], status="transferred", transferred_to_force=B)
    # P7: 18 now, 17 at the first crime: only the second counts.
    a5.person("S7", date(2008, 6, 1))
    a6.crime("A71", days_ago=60, suspects=[{"person_ref": "S7", "age": 17}])
    a6.crime("A72", suspects=[{"person_ref": "S7", "age": 18}])
    # P8: two crimes, but no link of the two nominals is sure enough.
    a5.person("S8", adult)
    b5.person("S8", adult)
    a6.crime("A81", suspects=[{"person_ref": "S8"}])
    b6.crime("B81", suspects=[{"person_ref": "S8"}])
    # P9: one rape, nothing else. P10: listed second; two common assaults in B.
    a5.person("S9", adult)
    a6.crime("A91", "19C", suspects=[{"person_ref": "S9"}])
    b5.person("S10", adult)
    b6.crime("B101", "105A", days_ago=20, suspects=[{"person_ref": "S10"}])
    b6.crime("B102", "105A", days_ago=20, suspects=[{"person_ref": "S10"}])
    # P11: no birth date anywhere and no recorded age.
    b5.person("S11", date(1900, 1, 1))
    b6.crime("B111", suspects=[{"person_ref": "S11", "age": None}])
    b6.crime("B112", suspects=[{"person_ref": "S11", "age": None}])

    # Scope: a man, a girl of 9, a girl of 10, an age not known, a constable, a shop, a theft from a woman.
    a6.crime("SC1", victims=[{"sex": "M"}])
    a6.crime("SC2", victims=[{"age": 9}])
    a6.crime("SC3", victims=[{"age": 10}])
    a6.crime("SC4", victims=[{"age": None}])
    a6.crime("SC5", "8S", victims=[{"victim_type": "police"}])
    a6.crime("SC6", "46", victims=[{"victim_type": "organisation", "sex": None, "age": None}])
    a6.crime("SC7", "39")
    # One crime against a woman and a man is one crime.
    a6.crime("SC8", victims=[{}, {"sex": "M"}])

    # Flags. FL1: intimate, both adult, and the force said no. FL2: a victim of 15. FL3: force yes, no rule.
    # FL4: probable words only. FL5: the same words denied. FL6: probable words, force said no. FL7: a word
    # the tables do not know. FL8: stolen from a partner: no offence against a person, so no inference.
    b6.crime("FL1", suspects=[{}], relationship="Relationship", flags={"DV": "N"})
    b6.crime("FL2", victims=[{"age": 15}], suspects=[{}], relationship=" relationship ")
    b6.crime("FL3", suspects=[{}], relationship="Stranger", flags={"dv": "Y"})
    b6.crime("FL4", modus_operandi="Her Ex-Partner came to the door.")
    b6.crime("FL5", modus_operandi="The caller was not her ex-partner.")
    b6.crime("FL6", modus_operandi="Her ex-partner came.", flags={"DV": "N"})
    b6.crime("FL7", flags={"DOMESTIK": "Y"}, location_type="MOON BASE")
    b6.crime("FL8", "39", suspects=[{}], relationship="Relationship")
    b6.crime("FL9", "19D", victims=[{"age": 12}], location_type="Online")

    # Versions. VE1 is cancelled in June; VE2 loses a victim; VE3 is deleted in June; VE4 was deleted in May
    # and sent again in June.
    may_days = 45
    a5.crime("VE1", days_ago=may_days)
    a6.crime("VE1", days_ago=may_days, status="cancelled", cancellation_reason="b")
    a5.crime("VE2", days_ago=may_days, victims=[{}, {}])
    a6.crime("VE2", days_ago=may_days, victims=[{}])
    a5.crime("VE3", days_ago=may_days)
    a6.add(
        "deletions",
        extract="offences",
        record_ref="VE3",
        reason="recorded_in_error",
        deleted_on=date(2026, 6, 5),
    )
    a5.add(
        "deletions",
        extract="offences",
        record_ref="VE4",
        reason="recorded_in_error",
        deleted_on=date(2026, 5, 5),
    )
    a6.crime("VE4", days_ago=may_days)

    # Orders: in force; expired; rescinded by its second state; breached twice and in force without an end.
    a5.crime("BR1", "105A", days_ago=40)
    orders: dict[str, list[dict[str, Any]]] = {
        "PO1": [{"granted_on": date(2026, 6, 1), "expires_on": date(2026, 6, 30)}],
        "PO2": [{"granted_on": date(2026, 5, 1), "expires_on": date(2026, 6, 29)}],
        "PO3": [
            {"granted_on": date(2026, 5, 1)},
            {"granted_on": date(2026, 5, 1), "rescinded_on": date(2026, 6, 2)},
        ],
        "PO4": [
            {"granted_on": date(2026, 5, 1)},
            {"granted_on": date(2026, 5, 1), "breach_crime_ref": "BR1"},
            {"granted_on": date(2026, 5, 1), "breach_crime_ref": "A1"},
        ],
        "PO5": [{"granted_on": date(2026, 7, 1)}],
    }
    for ref, states in orders.items():
        for number, state in enumerate(states, start=1):
            a6.add(
                "protective_orders",
                **{
                    "order_ref": ref,
                    "state_no": number,
                    "order_type": "NMO",
                    "respondent_person_ref": "S1",
                    "protected_person_ref": "V1",
                    **state,
                },
            )
    a6.add(
        "incidents",
        incident_ref="IN1",
        occurred_at=T - timedelta(days=3),
        dash_risk="high",
        victim_person_ref="V1",
        suspect_person_ref="S1",
        children_present="Y",
    )
    a6.add("offender_management", person_ref="S1", scheme="IOM", managed_from=date(2026, 5, 5))
    a5.add(
        "person_aliases",
        person_ref="S1",
        forenames="Annie May",
        surname="O’Brien",
        date_of_birth=date(1991, 1, 1),
    )
    a5.person(
        "S12",
        date(1970, 1, 1),
        forenames="  josé luis ",
        surname="d’arc-Smith 3",
        postcode="ZZ99 3WZ",
        phone="+447700900123",
        sex="X",
    )
    # S13 moved. B took back what it had written of him, and sent him anew.
    for month, postcode in ((a5, "M1 1AA"), (a6, "M2 2BB"), (b5, "B1 1AA"), (b6, "B2 2BB")):
        month.person("S13", adult, postcode=postcode)
    b6.add(
        "deletions",
        extract="persons",
        record_ref="S13",
        reason="recorded_in_error",
        deleted_on=date(2026, 6, 5),
    )

    finding = {"rule": "recorded_late", "severity": "warning", "extract": "offences", "row_number": 1}
    return [
        a5.submission(),
        a6.submission(findings=[finding], n_quarantined=2),
        b5.submission(),
        b6.submission(days_late=20),
        Submission(C, JUNE, status="held"),
    ]
