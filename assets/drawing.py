"""How plots are drawn on the platform's pages: SVG inside the page, the same figures the same bytes. No date, no random
ids, text as text.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ACCENT, CALM, GRID = "#7a2e6d", "#46627f", "#d5dce2"
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#47545f",
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "text.color": "#14202b",
    "axes.labelcolor": "#14202b",
    "xtick.color": "#47545f",
    "ytick.color": "#14202b",
}


def svg(name: str, figure: Figure) -> str:
    """With ids that depend on the name only, so that several stand on one page."""
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    # Inline in a page: no declaration, and ids of its own.
    text = text[text.index("<svg") :]
    for element in (
        "figure_",
        "axes_",
        "patch_",
        "line2d_",
        "text_",
        "matplotlib.axis_",
        "xtick_",
        "ytick_",
        "legend_",
    ):
        text = text.replace(f'id="{element}', f'id="{name}_{element}')
    text = text.replace('id="LineCollection_', f'id="{name}_LineCollection_')
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def axes_of(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


_MARGIN, _ROW, _INK = 24, 22, "#14202b"
WIDE, NARROW = 840, 400
# A label above its row is a line more.
_LINE = 16


def place(share: float, labels_end: int, width: int = WIDE) -> float:
    """Where a share of the scale, 0 to 1, lies across a chart of `rows_of` as wide, with labels that end there."""
    return round(labels_end + share * (width - labels_end - _MARGIN), 1)


def rows_of(
    labels: Sequence[str],
    marks: Sequence[str],
    *,
    ticks: Sequence[tuple[float, str]],
    legend: Sequence[tuple[str, str]],
    labels_end: int,
    width: int = WIDE,
    labels_above: bool = False,
) -> str:
    """A chart of one row a label, written out: for pages of which there is one a force, where matplotlib takes its time.

    `marks`: what is drawn in a row, as SVG around y = 0, across by `place`; labels end at `labels_end` of `width`, or stand
    above their rows, which then begin there. `ticks`: place of the scale and words. `legend`: a mark around (0, 0), and words.
    """
    above = _LINE if labels_above else 0
    bottom = (_ROW + above) * len(labels) + 8
    legend_columns = width // 190
    height = bottom + 56 + 22 * ((len(legend) - 1) // legend_columns)
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" aria-hidden="true"'
    parts = [f'<svg {frame} font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">']
    for at, words in ticks:
        x = place(at, labels_end, width)
        parts.append(f'<path d="M{x} 4V{bottom}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{escape(words)}</text>')
    for no, (label, drawn) in enumerate(zip(labels, marks, strict=True)):
        y = (_ROW + above) * no + above + 15
        if labels_above:
            # Readable over the lines of the scale.
            halo = 'stroke="#fff" stroke-width="4" paint-order="stroke"'
            parts.append(f'<text x="4" y="{y - 11}" {halo}>{escape(label)}</text>')
        else:
            parts.append(f'<text x="{labels_end - 12}" y="{y + 4}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<path d="M{labels_end} {y}H{width - _MARGIN}" stroke="{GRID}"/>')
        parts.append(f'<g transform="translate(0 {y})">{drawn}</g>')
    for no, (mark, words) in enumerate(legend):
        x, y = 24 + no % legend_columns * 190, bottom + 42 + no // legend_columns * 22
        parts.append(
            f'<g transform="translate({x} {y - 4})">{mark}</g><text x="{x + 14}" y="{y}">{escape(words)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
