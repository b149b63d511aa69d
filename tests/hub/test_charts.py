"""Charts say what they show, and nothing lies over anything else."""

from __future__ import annotations

import re
from datetime import date

from hub.charts import lines

MONTHS = [date(2026, 1, 1), date(2026, 2, 1)]


def test_no_two_names_of_lines_stand_in_one_place() -> None:
    names = [f"line {n}" for n in range(9)]
    chart = lines({name: [(month, 5.0) for month in MONTHS] for name in names}, "Figures")
    placed = re.findall(r'<text class="label[^"]*" x="(\d+)" y="(\d+)">● ([^<]+)<', chart)
    assert [name for _, _, name in placed] == names
    assert len({(x, y) for x, y, _ in placed}) == len(names)
    (height,) = re.findall(r'viewBox="0 0 900 (\d+)"', chart)
    assert all(int(y) < int(height) for _, y, _ in placed)


def test_a_line_of_one_period_is_none() -> None:
    assert lines({"a": [(MONTHS[0], 5.0)]}, "Figures") == ""
    assert lines({"a": [(month, None) for month in MONTHS]}, "Figures") == ""
