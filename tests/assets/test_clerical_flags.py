"""Flags that people judged: read whole, or refused with the lines to mend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assets.clerical_flags import ClericalFlagsUnreadable, clerical_flags
from assets.storage import Layout

HEADER = "force_code,crime_ref,flag,value,labelled_on\n"


def test_what_was_judged_by_the_day(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert clerical_flags(layout, date(2026, 6, 30)).is_empty()
    layout.clerical_flags.write_text(HEADER + "F,C2,DA,Y,2026-07-01\nF,C1,DA,N,2026-06-30\n")
    assert clerical_flags(layout, date(2026, 6, 30))["crime_ref"].to_list() == ["C1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("force_code,crime_ref,flag\nF,C1,DA\n", "no column labelled_on, value"),
        (HEADER + "F,C1,DA,Y,2026-06-30\nF,C2,DA,maybe,2026-06-30\n", "lines 3"),
        (HEADER + "F,C1,XX,Y,2026-06-30\n", "lines 2"),
        (HEADER + "F,C1,DA,Y,June\n", "lines 2"),
        (HEADER + "F,C1,DA,Y,2026-06-30\nF,C1,DA,N,2026-06-30\n", "lines 2, 3"),
    ],
)
def test_what_is_no_judgement_is_refused(tmp_path: Path, text: str, says: str) -> None:
    Layout(tmp_path).clerical_flags.write_text(text)
    with pytest.raises(ClericalFlagsUnreadable, match=says):
        clerical_flags(Layout(tmp_path), date(2026, 6, 30))
