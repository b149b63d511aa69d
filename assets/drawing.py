"""How plots are drawn on the platform's pages: SVG inside the page, the same figures the same bytes. No date, no random
ids, text as text.
"""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
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
