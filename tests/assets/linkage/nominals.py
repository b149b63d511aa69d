"""A small made-up nation of nominals, hard on purpose, with the truth: who each record really is.

Relatives are planted (twins, father and son at one address, namesakes born on one day), records carry nicknames,
misspellings, swapped parts, wrong and missing birth dates, old addresses, borrowed phones and mistyped PNC ids.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

MALE = [
    "DAVID",
    "JAMES",
    "JOHN",
    "MICHAEL",
    "ROBERT",
    "WILLIAM",
    "THOMAS",
    "DANIEL",
    "CHRISTOPHER",
    "ANDREW",
    "STEPHEN",
    "MATTHEW",
    "MOHAMMED",
    "LUKE",
    "RYAN",
    "KYLE",
    "LIAM",
    "JASON",
    "CONNOR",
    "TARIQ",
    "IMRAN",
    "PIOTR",
    "LEE",
    "SEAN",
    "KEVIN",
    "GARETH",
    "OWEN",
    "DWAYNE",
    "MARCUS",
    "JAYDEN",
    "JORDAN",
    "TYLER",
]
FEMALE = [
    "SARAH",
    "JESSICA",
    "EMMA",
    "LAURA",
    "KATIE",
    "REBECCA",
    "ELIZABETH",
    "CATHERINE",
    "SUSAN",
    "MARGARET",
    "FATIMA",
    "AISHA",
    "ZOE",
    "CHLOE",
    "MEGAN",
    "HANNAH",
    "SOPHIE",
    "AMANDA",
    "NICOLA",
    "PATRICIA",
    "KAREN",
    "TRACEY",
    "STACEY",
    "LEANNE",
    "AGNIESZKA",
    "NADIA",
    "GRACE",
    "OLIVIA",
]
NICKNAMES = {"DAVID": "DAVE", "MICHAEL": "MIKE", "ROBERT": "BOB", "WILLIAM": "BILL", "THOMAS": "TOM", "DANIEL": "DAN",
             "CHRISTOPHER": "CHRIS", "ANDREW": "ANDY", "STEPHEN": "STEVE", "MATTHEW": "MATT", "MOHAMMED": "MUHAMMAD",
             "ELIZABETH": "LIZ", "CATHERINE": "KATE", "SUSAN": "SUE", "REBECCA": "BECKY"}  # fmt: skip
COMMON_SURNAMES = [
    "SMITH",
    "JONES",
    "WILLIAMS",
    "TAYLOR",
    "BROWN",
    "DAVIES",
    "EVANS",
    "KHAN",
    "AHMED",
    "HUSSAIN",
    "ALI",
    "PATEL",
]
ONSETS = [
    "B",
    "BR",
    "C",
    "CH",
    "D",
    "F",
    "G",
    "GR",
    "H",
    "J",
    "K",
    "L",
    "M",
    "N",
    "P",
    "PR",
    "R",
    "S",
    "SH",
    "ST",
    "T",
    "TH",
    "TR",
    "V",
    "W",
]
VOWELS = ["A", "E", "I", "O", "U", "EA", "OO"]
ENDINGS = [
    "LL",
    "N",
    "NS",
    "RD",
    "RTON",
    "SON",
    "TT",
    "CK",
    "LEY",
    "MAN",
    "FORD",
    "BY",
    "WELL",
    "DALE",
    "SKI",
]


@dataclass(frozen=True)
class Person:
    """One real person, as the truth has them."""

    person: int
    kind: str
    forename: str
    middle: str | None
    surname: str
    born: date
    sex: str
    home: str
    old_home: str
    phone: str
    pnc: str | None
    cro: str | None


def write_nominals(folder: Path, *, n_persons: int, seed: int) -> tuple[Path, Path]:
    """Write `std_person_records.parquet` and `truth.parquet` (record_id, person, kind) into `folder`."""
    draw = random.Random(seed)
    surnames = [
        draw.choice(ONSETS)
        + draw.choice(VOWELS)
        + draw.choice(["", "L", "N", "R", "ND"])
        + draw.choice(ENDINGS)
        for _ in range(max(200, n_persons // 4))
    ]
    persons: list[Person] = []
    while len(persons) < n_persons:
        one = _person(draw, len(persons), surnames)
        persons.append(one)
        chance = draw.random()
        if chance < 0.01:
            persons.append(_relative(draw, one, len(persons), "twin", born=one.born, middle=None))
        elif chance < 0.02:
            born = one.born - timedelta(days=draw.randint(7000, 12000))
            persons.append(
                _relative(draw, one, len(persons), "father", born=born, forename=one.forename, sex=one.sex)
            )
        elif chance < 0.03:
            other = _person(draw, len(persons), surnames)
            persons.append(
                replace(other, kind="namesake", forename=one.forename, surname=one.surname, born=one.born)
            )
    rows = [
        _record(draw, person) for person in persons for _ in range(1 + min(int(draw.expovariate(0.9)), 8))
    ]
    for number, row in enumerate(rows):
        row["force_code"] = f"E230000{draw.randint(1, 43):02d}"
        row["person_ref"] = f"N{number:07d}"
        row["record_id"] = f"{row['force_code']}|{row['person_ref']}"
    frame = pl.DataFrame(
        rows,
        schema_overrides={
            "alias_full_names": pl.List(pl.String),
            "alias_surnames": pl.List(pl.String),
            "alias_dates_of_birth": pl.List(pl.Date),
        },
    )
    records, truth = folder / "std_person_records.parquet", folder / "truth.parquet"
    frame.drop("person", "kind").write_parquet(records)
    frame.select("record_id", "person", "kind").write_parquet(truth)
    return records, truth


def _person(draw: random.Random, number: int, surnames: list[str]) -> Person:
    sex = "M" if draw.random() < 0.75 else "F"
    forenames = MALE if sex == "M" else FEMALE
    serial, year = draw.randint(1, 999999), draw.randint(1990, 2024)
    return Person(
        person=number,
        kind="ordinary",
        forename=forenames[min(int(draw.expovariate(0.12)), len(forenames) - 1)],
        middle=draw.choice(forenames) if draw.random() < 0.6 else None,
        surname=draw.choice(COMMON_SURNAMES) if draw.random() < 0.12 else draw.choice(surnames),
        born=date(1950, 1, 1) + timedelta(days=draw.randint(0, 20000)),
        sex=sex,
        home=_postcode(draw),
        old_home=_postcode(draw),
        phone=f"077{draw.randint(0, 99999999):08d}",
        pnc=f"{year}/{serial}{_check_letter(year, serial)}" if draw.random() < 0.5 else None,
        cro=f"{draw.randint(1, 999999)}/{draw.randint(0, 24):02d}A" if draw.random() < 0.3 else None,
    )


def _relative(draw: random.Random, one: Person, number: int, kind: str, **changes: object) -> Person:
    """Somebody of the same surname and home; only the things in `changes` and what is never shared differ."""
    other = _person(draw, number, [one.surname])
    while other.forename == one.forename:
        other = _person(draw, number, [one.surname])
    other = replace(other, kind=kind, surname=one.surname, home=one.home)
    return replace(other, **changes)  # type: ignore[arg-type]


def _record(draw: random.Random, person: Person) -> dict[str, object]:
    forename, surname, born = person.forename, person.surname, person.born
    if draw.random() < 0.12:
        forename = NICKNAMES.get(forename, forename)
    if draw.random() < 0.06:
        forename = _misspelt(draw, forename)
    if draw.random() < 0.06:
        surname = _misspelt(draw, surname)
    if draw.random() < 0.01:
        forename, surname = surname, forename
    error = draw.random()
    if error < 0.02 and born.day <= 12:
        born = date(born.year, born.day, born.month)
    elif error < 0.04:
        born = born.replace(day=draw.randint(1, 28))
    elif error < 0.05:
        born = born.replace(year=born.year + draw.choice([-1, 1]), day=min(born.day, 28))
    middle = person.middle if draw.random() < 0.7 else None
    pnc = person.pnc if draw.random() < 0.7 else None
    if pnc and draw.random() < 0.005:
        year, serial = draw.randint(1990, 2024), draw.randint(1, 999999)
        pnc = f"{year}/{serial}{_check_letter(year, serial)}"
    home = person.home if draw.random() < 0.6 else person.old_home if draw.random() < 0.5 else _postcode(draw)
    return {
        "forename_1": forename,
        "forenames": f"{forename} {middle}" if middle else forename,
        "surname": surname,
        "date_of_birth": born if draw.random() > 0.04 else None,
        "sex": person.sex if draw.random() > 0.01 else None,
        "postcode": home,
        "postcode_district": home[:-3],
        "pnc_id": pnc,
        "cro_number": person.cro if draw.random() < 0.7 else None,
        "phone": person.phone if draw.random() < 0.35 else None,
        "alias_full_names": [f"{person.forename} {person.surname}"] if draw.random() < 0.05 else [],
        "alias_surnames": [person.surname] if draw.random() < 0.05 else [],
        "alias_dates_of_birth": [person.born] if draw.random() < 0.03 else [],
        "person": person.person,
        "kind": person.kind,
    }


def _misspelt(draw: random.Random, name: str) -> str:
    at = draw.randrange(max(1, len(name) - 1))
    return draw.choice(
        [
            name[:at] + name[at + 1 :] if len(name) > 3 else name,
            name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :],
            name[:at] + draw.choice("ABCDEFGHIKLMNOPRSTUVY") + name[at + 1 :],
        ]
    )


def _postcode(draw: random.Random) -> str:
    area = draw.choice(
        ["B", "BS", "CF", "E", "L", "LE", "LS", "M", "N", "NE", "NG", "PL", "S", "SE", "SW", "TS"]
    )
    return f"{area}{draw.randint(1, 20)}{draw.randint(1, 9)}{draw.choice('ABDEFGHJLN')}{draw.choice('ABDEFGHJLN')}"


def _check_letter(year: int, serial: int) -> str:
    return "ZABCDEFGHJKLMNPQRTUVWXY"[int(f"{year % 100:02d}{serial:07d}") % 23]
