"""A force signs off its figures before they are released: which figures, by whom, and taken back by whom.

What is signed off are figures, known by their digest, not a release: a later release with the same figures of that
force is signed off too, and one with others is not. The tables are what the audit log says, laid out to be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from decisions import audit
from decisions.audit import Broken, Entry, written
from decisions.refusals import AlreadyRevoked, NoSuchDecision, Refused
from decisions.store import Store
from decisions.tables import figure_sign_off_withdrawals, figure_sign_offs

SIGNED, WITHDRAWN = "figures_signed_off", "figures_sign_off_withdrawn"
# Kept by the audit log alone.
REFUSED = "figures_refused"
_PARAMETERS = Path(__file__).parent / "codes" / "sign_off_parameters.csv"


@dataclass(frozen=True)
class SignOff:
    """One force's sign-off of its figures for a month. `figures`: their SHA-256, as the release they were seen in has it."""

    sign_off_id: str
    force_code: str
    period: str
    release_id: str
    figures: str
    signed_at: datetime
    signed_by: str
    note: str
    withdrawn_at: datetime | None = None

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When it changed what is in force."""
        return (self.signed_at, self.withdrawn_at) if self.withdrawn_at else (self.signed_at,)

    def known(self, as_of: datetime) -> SignOff | None:
        """The sign-off as it was in force at a moment, or none where it was not."""
        if self.signed_at > as_of or (self.withdrawn_at and self.withdrawn_at <= as_of):
            return None
        return replace(self, withdrawn_at=None)


def is_needed(on: date) -> bool:
    """Whether a release waits for every force's sign-off. Raises LookupError where the data does not say for that day."""
    with _PARAMETERS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            begun, ended = date.fromisoformat(row["valid_from"]), row["valid_to"]
            if (
                row["parameter"] == "sign_off_needed"
                and begun <= on
                and (not ended or on.isoformat() <= ended)
            ):
                return row["number"] == "1"
    raise LookupError(f"{_PARAMETERS.name} does not say whether sign-off is needed on {on}")


def sign(
    store: Store,
    *,
    force_code: str,
    period: str,
    release_id: str,
    figures: str,
    by: str,
    note: str,
    at: datetime,
) -> str:
    """Sign off a force's figures and return the sign-off's id, `S000001` and on; an earlier one for the month gives way.

    Raises, with nothing written: Refused where who is blank or these figures are signed off already; OutOfOrder.
    """
    with store.writing() as connection:
        earlier = history(connection)
        standing = _newest(earlier).get((force_code, period))
        if standing and standing.figures == figures:
            raise Refused(f"{standing.sign_off_id}, in force, signs off the same figures")
        sign_off_id = f"S{len(earlier) + 1:06d}"
        said = {
            "force_code": force_code,
            "period": period,
            "release_id": release_id,
            "figures": figures,
            "note": note.strip(),
        }
        _write(
            connection,
            audit.append(connection, at=at, who=by, action=SIGNED, subject=sign_off_id, detail=said),
        )
    return sign_off_id


def withdraw(store: Store, sign_off_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Take a sign-off back. Raises, with nothing written: Refused without who or why, NoSuchDecision, AlreadyRevoked,
    OutOfOrder.
    """
    if not reason.strip():
        raise Refused("say why")
    with store.writing() as connection:
        standing = next((s for s in history(connection) if s.sign_off_id == sign_off_id), None)
        if standing is None:
            raise NoSuchDecision(f"there is no sign-off {sign_off_id}")
        if standing.withdrawn_at:
            raise AlreadyRevoked(f"{sign_off_id} was withdrawn at {standing.withdrawn_at.isoformat()}")
        said = {"reason": reason.strip()}
        _write(
            connection,
            audit.append(connection, at=at, who=by, action=WITHDRAWN, subject=sign_off_id, detail=said),
        )


@dataclass(frozen=True)
class Refusal:
    """A force said that its figures of a month are not right, and why. `figures`: their SHA-256."""

    force_code: str
    period: str
    release_id: str
    figures: str
    refused_at: datetime
    refused_by: str
    why: str


def refuse(
    store: Store,
    *,
    force_code: str,
    period: str,
    release_id: str,
    figures: str,
    by: str,
    why: str,
    at: datetime,
) -> None:
    """Say that a force's figures are not right. A sign-off that stands is withdrawn first, by `withdraw`.

    Raises, with nothing written: Refused without who or why, or where a sign-off of these figures stands; OutOfOrder.
    """
    if not why.strip():
        raise Refused("say what is not right")
    with store.writing() as connection:
        standing = _newest(history(connection)).get((force_code, period))
        if standing and standing.figures == figures:
            raise Refused(f"{standing.sign_off_id}, in force, signs off these figures; withdraw it first")
        said = {"period": period, "release_id": release_id, "figures": figures, "why": why.strip()}
        audit.append(connection, at=at, who=by, action=REFUSED, subject=force_code, detail=said)


def refusals(store: Store, force_code: str, as_of: datetime) -> list[Refusal]:
    """What a force refused by a moment, oldest first."""
    with store.reading() as connection:
        found = audit.acts(connection, (REFUSED,), as_of, force_code)
    return [
        Refusal(
            entry.subject,
            entry.detail["period"],
            entry.detail["release_id"],
            entry.detail["figures"],
            entry.at,
            entry.who,
            entry.detail["why"],
        )
        for entry in found
    ]


def in_force(store: Store, as_of: datetime) -> dict[tuple[str, str], SignOff]:
    """The newest sign-off in force at a moment by force and month (YYYY-MM)."""
    with store.reading() as connection:
        return _newest([known for s in history(connection) if (known := s.known(as_of))])


def _newest(sign_offs: list[SignOff]) -> dict[tuple[str, str], SignOff]:
    return {(s.force_code, s.period): s for s in sign_offs if not s.withdrawn_at}


def history(connection: Connection) -> list[SignOff]:
    """Every sign-off ever given with what became of it, in the order they were given."""
    withdrawn = {
        row.sign_off_id: datetime.fromisoformat(row.withdrawn_at)
        for row in connection.execute(select(figure_sign_off_withdrawals))
    }
    return [
        SignOff(
            row.sign_off_id,
            row.force_code,
            row.period,
            row.release_id,
            row.figures,
            datetime.fromisoformat(row.signed_at),
            row.signed_by,
            row.note,
            withdrawn.get(row.sign_off_id),
        )
        for row in connection.execute(select(figure_sign_offs).order_by(figure_sign_offs.c.log_no))
    ]


def verify(store: Store) -> Broken | None:
    """The first entry of the audit log whose sign-off is not kept as it says, then a kept row that is in no entry."""
    with store.reading() as connection:
        return audit.kept_as_logged(connection, (figure_sign_offs, figure_sign_off_withdrawals), _rows)


def _rows(entry: Entry) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    """The rows that an entry of the log puts into the tables; none where it is not about sign-off."""
    said = {"sign_off_id": entry.subject, **entry.detail, "log_no": entry.no}
    if entry.action == SIGNED:
        yield figure_sign_offs, {**said, "signed_at": written(entry.at), "signed_by": entry.who}
    elif entry.action == WITHDRAWN:
        yield (
            figure_sign_off_withdrawals,
            {**said, "withdrawn_at": written(entry.at), "withdrawn_by": entry.who},
        )


def _write(connection: Connection, entry: Entry) -> None:
    for table, values in _rows(entry):
        connection.execute(insert(table).values(values))
