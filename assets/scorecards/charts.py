"""The charts of the scorecards; every one stands beside a table that says the same. A band has a shape as well as a colour.

Each is drawn twice, wide and narrow enough for a phone: one that shrinks cannot be read, one that scrolls hides what fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assets.drawing import NARROW, WIDE, place, rows_of

# Band -> its mark around (0, 0).
_MARKS = {
    "pass": '<circle r="5.5" fill="#2b6a4d"/>',
    "attention": '<path d="M0-7L7 6H-7Z" fill="#b26a00"/>',
    "fail": '<path d="M-5.5-5.5L5.5 5.5M5.5-5.5L-5.5 5.5" stroke="#a3122f" stroke-width="4"/>',
}
_BARS = {"pass": "#2b6a4d", "attention": "#e0a030", "fail": "#a3122f"}
# Where the labels of a chart end: titles of checks, names of forces.
_TITLES, _NAMES, _NAMES_NARROW = 290, 170, 152
# Where the rows begin on a phone, below the titles of their checks.
_BEGIN = 16
_MEDIAN = '<path d="M0-9V9" stroke="#14202b" stroke-width="2.5"/>'


def shares(rows: Sequence[Mapping[str, Any]], *, narrow: bool = False) -> str:
    """A mark a check at its share, shaped by its band, and a bar for the median of similar forces; in the order given.

    `rows`: title, share, status (pass, attention, fail), peer_median_share or None. Blank without a row.
    """
    if not rows:
        return ""
    width, start = (NARROW, _BEGIN) if narrow else (WIDE, _TITLES)
    marks = []
    for row in rows:
        median = row["peer_median_share"]
        drawn = "" if median is None else _at(place(median, start, width), _MEDIAN)
        marks.append(drawn + _at(place(row["share"], start, width), _MARKS[row["status"]]))
    return rows_of(
        [row["title"] for row in rows],
        marks,
        ticks=[(n / 4, f"{n / 4:.0%}") for n in range(5)],
        legend=[*((mark, band) for band, mark in _MARKS.items()), (_MEDIAN, "median of similar forces")],
        labels_end=start,
        width=width,
        labels_above=narrow,
    )


def league(rows: Sequence[Mapping[str, Any]], *, narrow: bool = False) -> str:
    """One bar a force of its graded checks: passed, needing attention, failed. In the order given.

    `rows`: label, n_pass, n_attention, n_fail. Blank without a row.
    """
    most = max((_graded(row) for row in rows), default=0)
    if not most:
        return ""
    width, names_end = (NARROW, _NAMES_NARROW) if narrow else (WIDE, _NAMES)
    marks = []
    for row in rows:
        drawn, start = "", 0
        for band, colour in _BARS.items():
            n = row[f"n_{band}"]
            x, end = (place(at / most, names_end, width) for at in (start, start + n))
            drawn += f'<rect x="{x}" y="-8" width="{end - x:.1f}" height="16" fill="{colour}"/>' if n else ""
            start += n
        marks.append(drawn)
    step = (5 if most <= 50 else 20) * (2 if narrow else 1)
    return rows_of(
        [row["label"] for row in rows],
        marks,
        ticks=[(n / most, str(n)) for n in range(0, most + 1, step)],
        legend=[
            (f'<rect x="-7" y="-7" width="14" height="14" fill="{c}"/>', band) for band, c in _BARS.items()
        ],
        labels_end=names_end,
        width=width,
    )


def _graded(row: Mapping[str, Any]) -> int:
    return int(row["n_pass"] + row["n_attention"] + row["n_fail"])


def _at(x: float, mark: str) -> str:
    return f'<g transform="translate({x} 0)">{mark}</g>'
