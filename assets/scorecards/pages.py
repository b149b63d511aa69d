"""The pages of the scorecards: a national league page, and a page for every force, from the marts of a release.

Belongs here: what stands on a page and in what order. Not here: what is counted and how it is graded (dbt).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from markupsafe import Markup

from assets.pages import Edition, templates
from assets.scorecards import charts
from assets.seeds import SEEDS
from data_contracts.code_lists import code_list
from data_contracts.rules.catalogue import rules
from data_contracts.rules.reference import waivers

_TEMPLATES = templates(Path(__file__).parent / "templates")
_GRADED = ("fail", "attention", "pass")
# How many of a force's troubles its page begins with.
_WEIGHTIEST = 10
_NOTHING_CAME = ("not_submitted", "held")
Row = dict[str, Any]


def write_scorecards(pages: Path, scorecards: pl.DataFrame, edition: Edition) -> int:
    """Write `scorecards/index.html` and `scorecards/<force_code>.html` into `pages`. Returns how many pages.

    `scorecards`: the mart `data_quality_scorecards`, a row a force and check.
    """
    folder = pages / "scorecards"
    folder.mkdir(parents=True, exist_ok=True)
    dimensions = pl.read_csv(SEEDS / "scorecard_dimensions.csv", infer_schema=False).to_dicts()
    facts = {
        "edition": edition,
        "dimensions": dimensions,
        "labels": {d["dimension"]: d["label"] for d in dimensions},
    }
    names = dict(code_list("forces").select("code", "short_name").iter_rows())
    order = [d["dimension"] for d in dimensions]
    checks, broken = _checks(), rules()
    by_force: dict[str, list[Row]] = defaultdict(list)
    for row in scorecards.sort("check_id").iter_rows(named=True):
        row["n_broken"] = (row["n_checked"] or 0) - (row["n_passed"] or 0)
        if rule := broken.get(row["rule"]):
            row |= {"remedy": rule.remedy, "description": rule.message}
        else:
            said = checks.get(row["check_id"], {})
            row |= {name: said.get(name, "") for name in ("remedy", "description")}
        by_force[row["force_code"]].append(row)
    leagues = _league(by_force, names, _groups())
    waived = _waivers(edition.period)
    _render(folder / "index.html", "index.html", league=leagues, charts=_both(charts.league, leagues),
            checks=_across(by_force, order), waivers=waived, names=names, **facts)  # fmt: skip
    for code, rows in by_force.items():
        own = sorted((r for r in rows if r["rule"] is None), key=lambda r: _by_dimension(r, order))
        drawn = [r for r in own if r["status"] in _GRADED]
        _render(
            folder / f"{code}.html",
            "force.html",
            force=code,
            names=names,
            standing=next(r for r in leagues if r["force_code"] == code),
            nothing_came=next(
                (r["not_applicable_reason"] for r in rows if r["status"] in _NOTHING_CAME), None
            ),
            rows=own,
            broken_rules=_broken_rules(rows),
            weightiest=_weightiest(rows),
            charts=_both(charts.shares, drawn),
            waivers=[w for w in waived if w["force_code"] == code],
            **facts,
        )
    return 1 + len(by_force)


def _both(chart: Callable[..., str], rows: Sequence[Row]) -> dict[str, Markup]:
    """The chart as it is drawn for a desk, and for a phone."""
    return {
        name: Markup(chart(rows, narrow=name == "narrow"))  # noqa: S704 - our own drawing
        for name in ("wide", "narrow")
    }


def _checks() -> dict[str, Row]:
    rows = pl.read_csv(SEEDS / "scorecard_checks.csv", infer_schema=False).fill_null("")
    return {row["check_id"]: row for row in rows.iter_rows(named=True)}


def _groups() -> dict[str, str]:
    rows = pl.read_csv(SEEDS / "force_peer_groups.csv", infer_schema=False)
    return dict(rows.select("force_code", "label").iter_rows())


def _by_dimension(row: Mapping[str, Any], order: Sequence[str]) -> tuple[int, str]:
    return order.index(row["dimension"]), str(row["title"])


def _league(
    by_force: Mapping[str, Sequence[Row]], names: Mapping[str, str], groups: Mapping[str, str]
) -> list[Row]:
    """A row a force, best first; those of whom nothing came, last. `bands`: dimension -> its band and how many of each."""
    made = []
    for code, rows in by_force.items():
        bands: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            # Rules are in the checks that count rows by the kind of rule they break; each by itself would drown the rest.
            if row["rule"] is None:
                bands[row["dimension"]][row["status"]] += 1
        counts = sum(bands.values(), Counter())
        graded = sum(counts[band] for band in _GRADED)
        made.append(
            {
                "force_code": code,
                "label": names.get(code, code),
                "group": groups.get(code, ""),
                **{f"n_{band}": counts[band] for band in _GRADED},
                "n_in_shadow": counts["not_graded"],
                "n_better": _n_moved(rows, "better"),
                "n_worse": _n_moved(rows, "worse"),
                "passed_share": counts["pass"] / graded if graded else None,
                "bands": {name: _band(found) for name, found in bands.items()},
                "came": not any(counts[status] for status in _NOTHING_CAME),
            }
        )
    return sorted(made, key=lambda r: (not r["came"], -(r["passed_share"] or 0), r["n_fail"], r["label"]))


def _n_moved(rows: Sequence[Row], trend: str) -> int | None:
    """Checks that moved that way; None where there is no month before."""
    trends = [row["trend"] for row in rows if row["rule"] is None and row["trend"] is not None]
    return trends.count(trend) if trends else None


def _band(found: Counter[str]) -> Row:
    """The worst that a dimension holds, and how many checks of each band."""
    worst = next(
        (status for status in (*_NOTHING_CAME, *_GRADED, "not_graded") if found[status]), "not_applicable"
    )
    return {"status": worst, **{band: found[band] for band in (*_GRADED, "not_graded", "not_applicable")}}


def _across(by_force: Mapping[str, Sequence[Row]], order: Sequence[str]) -> list[Row]:
    """A row a check: how many forces are in each band, and how their shares spread."""
    found: dict[str, list[Row]] = defaultdict(list)
    for rows in by_force.values():
        for row in rows:
            if row["rule"] is None:
                found[row["check_id"]].append(row)
    made = []
    for of_check in found.values():
        shares = [row["share"] for row in of_check if row["share"] is not None]
        spread = {"lowest": min(shares), "median": median(shares), "highest": max(shares)} if shares else {}
        counts = Counter(row["status"] for row in of_check)
        made.append({**of_check[0], "counts": counts, "n_shares": len(shares), **spread})
    return sorted(made, key=lambda row: _by_dimension(row, order))


def _broken_rules(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rules that found something in this force's month, by dimension, the most frequent first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (-r["n_broken"], r["check_id"])):
        if row["rule"] and row["n_broken"]:
            found[row["dimension"]].append(row)
    return found


def _weightiest(rows: Sequence[Row]) -> list[Row]:
    """What weighs most: what fails before what needs attention, errors before warnings, then by how many."""
    troubles = [
        r
        for r in rows
        if r["status"] in ("fail", "attention") or (r["severity"] == "error" and r["n_broken"])
    ]
    troubles.sort(
        key=lambda r: (
            _GRADED.index(r["status"]) if r["status"] in _GRADED else 3,
            r["severity"] != "error",
            -r["n_broken"],
            r["check_id"],
        )
    )
    return troubles[:_WEIGHTIEST]


def _waivers(period: date) -> list[Row]:
    """Waivers that hold in the month, whether or not the rule found anything."""
    held = waivers().filter((pl.col("valid_from") <= period) & (pl.col("valid_to") >= period))
    return held.sort("force_code", "rule").to_dicts()


def _share(value: float | None) -> str:
    """In percent; never 100% where a single unit is missing."""
    if value is None:
        return "–"
    text = f"{value:.1%}"
    return "<100%" if text == "100.0%" and value < 1 else text.replace(".0%", "%")


def _render(path: Path, template: str, **facts: Any) -> None:
    path.write_text(_TEMPLATES.get_template(template).render(**facts), encoding="utf-8")


_TEMPLATES.filters["share"] = _share
_TEMPLATES.filters["words"] = lambda code: str(code).replace("_", " ")
_TEMPLATES.filters["number"] = lambda n: "–" if n is None else f"{n:,}"
_TEMPLATES.filters["day"] = lambda on: f"{on.day} {on:%B %Y}"
