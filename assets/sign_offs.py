"""Which forces have signed off their figures in a release: the figures' digests beside what is in force.

Light to import: the command that signs reads a release by this alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data_contracts.signed_figures import digest, figures_of
from decisions.sign_off import SignOff


class NotSignedOff(Exception):
    """The release is written and not made current: forces have not signed off their figures, and it is needed."""


def states(
    release: Path, period: str, forces: Iterable[str], in_force: Mapping[tuple[str, str], SignOff]
) -> list[dict[str, Any]]:
    """Per force: `state` signed_off, changed_since (other figures were signed off) or not_signed_off, and which sign-off."""
    found = []
    for force_code in sorted(forces):
        sign_off = in_force.get((force_code, period))
        state = "not_signed_off"
        if sign_off:
            same = digest(figures_of(release, force_code)) == sign_off.figures
            state = "signed_off" if same else "changed_since"
        found.append(
            {
                "force_code": force_code,
                "state": state,
                "sign_off_id": sign_off.sign_off_id if sign_off else None,
                "signed_at": sign_off.signed_at.isoformat() if sign_off else None,
            }
        )
    return found
