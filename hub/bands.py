"""What share of those who stood in a band of ranks came again: it stands beside the band wherever a person's place is shown."""

from __future__ import annotations

from typing import Any

from hub.web import Visit

TABLE = "monitoring_band_probability"
_UNKNOWN = "not yet known"


def bands(visit: Visit) -> dict[str, dict[str, Any]]:
    """Band -> `in_short` and `in_words`, in the order of ranks. Empty where the release was not monitored."""
    if not visit.has(TABLE):
        return {}
    found = visit.kept(f"SELECT band, in_short, in_words FROM {TABLE} ORDER BY rank_from")
    return {row["band"]: row for row in found}


def beside(visit: Visit, band: str | None) -> str:
    """The sentence beside one band; empty for whoever stands in none."""
    if not band:
        return ""
    found = bands(visit).get(band)
    return str(found["in_words"]) if found else f"{_UNKNOWN}: this release was not monitored"
