"""Charts as SVG made here, so that no script and no other host is needed. Every chart has its table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup, escape

_WIDTH, _LEFT, _RIGHT, _LANE = 900, 150, 20, 34
# The names of the lines, below them.
_NAMES_A_LANE, _NAME_LANE = 4, 18


@dataclass(frozen=True)
class Event:
    """One mark of a timeline: a day, the lane it is drawn in, its kind (a class of the style sheet) and what it says."""

    on: date
    lane: str
    kind: str
    says: str


def timeline(events: Sequence[Event], title: str) -> Markup:
    """Marks by day in one lane a force; empty where there is no dated event."""
    if not events:
        return Markup("")
    lanes = sorted({e.lane for e in events})
    first, last = min(e.on for e in events), max(e.on for e in events)
    days = max((last - first).days, 1)
    height = _LANE * len(lanes) + 40
    parts = [_open(height, title)]
    for no, lane in enumerate(lanes):
        y = 24 + no * _LANE
        parts.append(f'<line class="lane" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="label" x="4" y="{y + 4}">{escape(lane)}</text>')
    for event in events:
        x = _LEFT + (event.on - first).days / days * (_WIDTH - _LEFT - _RIGHT)
        y = 24 + lanes.index(event.lane) * _LANE
        parts.append(
            f'<circle class="mark {escape(event.kind)}" cx="{x:.1f}" cy="{y}" r="6"><title>{escape(event.says)}</title></circle>'
        )
    parts.append(f'<text class="axis" x="{_LEFT}" y="{height - 6}">{first:%d %b %Y}</text>')
    parts.append(
        f'<text class="axis end" x="{_WIDTH - _RIGHT}" y="{height - 6}">{last:%d %b %Y}</text></svg>'
    )
    return Markup("".join(parts))  # noqa: S704 - every text in it was escaped


def lines(series: Mapping[str, Sequence[tuple[Any, float | None]]], title: str) -> Markup:
    """One line a series over the periods, from nought; a gap where there is no value. Empty without a value or a second period."""
    periods = sorted({p for points in series.values() for p, _ in points})
    values = [v for points in series.values() for _, v in points if v is not None]
    if not values or len(periods) < 2:
        return Markup("")
    top, height = max(max(values), 1e-9), 260
    step = (_WIDTH - 80 - _RIGHT) / (len(periods) - 1)
    parts = [_open(height + 22 + _NAME_LANE * -(-len(series) // _NAMES_A_LANE), title)]
    for share in (0, 0.5, 1):
        y = 20 + (1 - share) * (height - 40)
        parts.append(f'<line class="grid" x1="80" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis end" x="74" y="{y + 4:.1f}">{_short(share * top)}</text>')
    for no, (name, points) in enumerate(series.items()):
        at = [
            (80 + periods.index(p) * step, 20 + (1 - v / top) * (height - 40))
            for p, v in points
            if v is not None
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(
            f'<polyline class="series s{no % 6}" points="{path}"><title>{escape(name)}</title></polyline>'
        )
        parts += [f'<circle class="dot s{no % 6}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in at]
        parts.append(
            f'<text class="label s{no % 6}" x="{80 + no % _NAMES_A_LANE * 200}" '
            f'y="{height + 30 + no // _NAMES_A_LANE * _NAME_LANE}">● {escape(name)}</text>'
        )
    for no in {0, len(periods) - 1}:
        end = " end" if no else ""
        parts.append(
            f'<text class="axis{end}" x="{80 + no * step:.1f}" y="{height}">{escape(_when(periods[no]))}</text>'
        )
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - every text in it was escaped


def _open(height: int, title: str) -> str:
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {height}" aria-label="{escape(title)}" '
        'xmlns="http://www.w3.org/2000/svg">'
    )


def _when(period: Any) -> str:
    return f"{period:%b %Y}" if isinstance(period, date) else str(period)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.2f}"
