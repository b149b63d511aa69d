"""The page that `make bench-linkage` writes: each figure beside the prototype's, and beside the aim.

Figures come from `bench_linkage.py`. The prototype's are those of the notes this linkage was designed from: another
synthetic nation of the same kind, a million nominals, two cores.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from assets.linkage.model import read_model
from data_contracts.code_lists import attribute
from tests.assets.linkage.measures import AGE_BANDS

Figures = dict[str, Any]

PLANTED = {
    "twin": "twins %",
    "father_son": "father and son %",
    "sibling": "siblings %",
    "namesake_same_dob": "namesakes, one birth date %",
    "shared_details_at_arrest": "false details %",
    "wrong_pnc": "wrong PNC id %",
}
# P, R, B3 F, sharing, base, most in one id, twins, father-son, siblings, namesakes; at a million.
PROTOTYPE = {
    "prototype, strict": ".9993 | .923 | .965 | 21 | .14 | 3 | 3.9 | .2 | .05 | 3.8",
    "prototype, wide": ".9987 | .949 | .978 | 38 | 1.4 | 3 | 4.3 | .3 | .05 | 17",
    "prototype's rules, strict": ".9907 | .754 | .886 | 83 | 45 | | 8.2 | 0 | 1.3 | 0",
    "prototype's rules, usual": ".9843 | .878 | .947 | 183 | 56 | | 20 | 0 | 2.5 | 80",
    "prototype's Splink alone at 10": ".9864 | .982 | .987 | 161 | | 7 | 67 | 11 | 6.1 | 45",
    "prototype's Splink alone at 20": ".9949 | .912 | .957 | 57 | | | 35 | 2.6 | 2.3 | .5",
}
PROTOTYPE_COST = {
    (100_000, "train"): "15 CPU s",
    (100_000, "blocking"): "0.9 CPU s",
    (100_000, "full"): "9.1 CPU s",
    (100_000, "month"): "3.2 CPU s",
    (1_000_000, "blocking"): "4.2 s, 7.5 CPU s",
    (1_000_000, "full"): "53 s, 74 CPU s, 3.2 GB",
    (1_000_000, "month"): "11 to 14 s, 13 to 15 CPU s, .95 GB",
    (1_000_000, "undo"): ".15 to .18 s",
}
# Group, wrongly merged records per 10,000 at the wider threshold.
PROTOTYPE_GROUPS = {"W1": 22, "A1": 40, "A2": 55, "A4": 35, "B2": 33, "B1": 56, "O2": 73}
PROTOTYPE_LABELLED = {"FEBRL3": "P 1.000, R .996, F1 .998", "fake_1000": "F1 .927"}
# Below so many wrongly merged people, a rate is mostly chance.
FEW_PERSONS = 20


class Aim(NamedTuple):
    """One aim, what was measured of it, and whether it holds; `reached` is None where this size cannot say."""

    name: str
    asked: str
    measured: str
    reached: bool | None
    prototype: str


def report(figures: Figures) -> str:
    sizes: dict[int, Figures] = {int(n): size for n, size in figures["sizes"].items()}
    largest = max(sizes)
    versions = " and ".join(sorted({f"`{size['full']['model_version']}`" for size in sizes.values()}))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"""# Linkage, measured

Written by `make bench-linkage` at commit `{figures["commit"]}` (with whatever was changed since), model
{versions}, on {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, \
{platform.system()}. One run of each, every step in a process of its own on two
threads, while other work ran on the machine: **CPU seconds are the steadier measure**, wall seconds are at best an upper bound.

The people are synthetic (`data_contracts/synthetic/nominals.py`, seed {figures["seed"]}): no model, threshold or guard was chosen on this
nation, but the generator is the one they were chosen on. Real nominals will be worse. "Prototype" is the trial this
linkage was designed from, at a million nominals of another nation of the kind. *Strict* is `person_id`, *wide* is `person_group_id`.

## The aims

{_aims(sizes)}

## Quality

Pairs: precision and recall over pairs of records; "sharing" counts true people who share an id with somebody else, and
"base" those of them in no planted group. Of the planted: the share of groups of which two people share an id.
"At" another threshold resolves the same scored pairs again (the wider threshold follows where it would be stricter).
"Rules, strict" joins on PNC id, CRO number, full name + birth date + postcode, or telephone + surname + birth date; "usual" on
full name + birth date too; both over our cleaned values. "Plain Splink" is the library's own comparisons on our cleaned
values and blocking keys, trained on the spot, connected at so many bits (4: 0.95, as its tutorials do).

{_quality(sizes)}

## By ethnicity, sex and age

{largest:,} nominals. "Wrongly merged": records in an id that also holds somebody else's, per 10,000 records of the group, and
as a ratio to the first of its kind named below. Rates of fewer than {FEW_PERSONS} people are in brackets: mostly chance.

{_groups(sizes[largest]["judged"]["groups"])}

## Cost

{_cost(sizes)}

## Public labelled sets

Mapped as `tests/assets/linkage/test_labelled_data.py` has it, model trained on the spot. The prototype used plain library
comparisons without guards. fake_1000 is too small for sixteen bits: 6 and 2 were used.

{_labelled(figures["labelled"])}

## Link probability

From the model file: fitted on one nation, checked on another, pairs after the guards. "Claimed" is what a link of that weight is
published with; the last row holds all above. {_calibration_error()}

{_reliability()}
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], n_text: int = 1) -> str:
    rule = "| :-- " * n_text + "| --: " * (len(head) - n_text) + "|"
    lines = [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {line} |" for line in lines)])


# Aims


def _aims(sizes: Mapping[int, Figures]) -> str:
    parts = []
    for n, size in sizes.items():
        rows = [
            (
                aim.name,
                aim.asked,
                aim.measured,
                {True: "reached", False: "**not reached**", None: "cannot be said at this size"}[aim.reached],
                aim.prototype,
            )
            for aim in _aims_of(n, size)
        ]
        parts.append(
            f"At {n:,} nominals:\n\n" + _table(("aim", "asked", "measured", "", "prototype"), rows, n_text=5)
        )
    return "\n\n".join(parts)


def _aims_of(n: int, size: Figures) -> list[Aim]:
    strict, wide = size["judged"]["quality"]
    full, month, undone = size["full"]["process"], size["month"]["process"], size["undone"]
    groups = {name: _worst_ethnicity(by["true_ethnicity"]) for name, by in size["judged"]["groups"].items()}
    at_least = [
        ("precision, strict", strict["precision"], 0.9993, ".9993"),
        ("recall, strict", strict["recall"], 0.93, ".923"),
        ("precision, wide", wide["precision"], 0.9985, ".9987"),
        ("recall, wide", wide["recall"], 0.955, ".949"),
    ]
    at_most = [
        ("ordinary people sharing a strict id, per 10,000", strict["base_per_10k"], 0.1, ".14"),
        ("father and son in one strict id, %", 100 * strict["planted"]["father_son"], 0.2, ".2"),
        ("twins in one strict id, %", 100 * strict["planted"]["twin"], 3, "3.9"),
        ("people in one strict id", strict["most_persons_in_one_id"], 2, "3"),
        *(
            (f"worst ethnic group beside White British, {name} ({worst})", ratio, 2, "3.3 (Arab), wide")
            for name, (worst, ratio) in groups.items()
        ),
        ("CPU of a month of 5 % beside a full link", month["cpu_seconds"] / full["cpu_seconds"], 0.2, ".19"),
        ("undoing a wrong merge, s", size["undo"]["link_seconds"], 1, ".18"),
        (
            "other people whose id the undoing moved",
            undone["n_others_moved"] if undone["apart"] else n,
            0,
            "0",
        ),
        ("records with other fellows in a full relink", size["same"]["n_differing"], 0, "0"),
    ]
    cost = f"{full['wall_seconds']:.0f} s, {full['cpu_seconds']:.0f} CPU s, {full['peak_mib'] * 2**20 / 1e9:.1f} GB"
    is_cheap = full["wall_seconds"] <= 60 and full["peak_mib"] * 2**20 <= 3e9
    return [
        *(Aim(name, f"at least {low}", f"{v:.5f}", v >= low, other) for name, v, low, other in at_least),
        *(
            Aim(
                name,
                f"at most {top}",
                "–" if math.isnan(v) else f"{v:.3g}",
                None if math.isnan(v) else v <= top,
                other,
            )
            for name, v, top, other in at_most
        ),
        Aim(
            "full link of a million",
            "at most 60 s, 3 GB",
            cost,
            is_cheap if n == 10**6 else None,
            "53 s, 3.2 GB",
        ),
    ]


# Quality


def _quality(sizes: Mapping[int, Figures]) -> str:
    head = ["method", "precision", "recall", "B-cubed F", "sharing", "base", "most in one id"]
    head += PLANTED.values()
    beside = [[name, *row.split(" | "), "", ""] for name, row in PROTOTYPE.items()]
    parts = []
    for n, size in sizes.items():
        rows = [
            _quality_row(row)
            for step in ("judged", "thresholds", "rules", "splink")
            for row in size[step]["quality"]
        ]
        if n == max(sizes):
            rows += beside
        nation = size["nation"]
        parts.append(f"{nation['n_standing']:,} nominals:\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def _quality_row(row: Figures) -> list[str]:
    return [
        f"**{row['method']}**" if row["method"] in ("ours, strict", "ours, wide") else row["method"],
        f"{row['precision']:.5f}",
        f"{row['recall']:.4f}",
        f"{row['b_cubed_f1']:.4f}",
        f"{row['per_10k']:.1f}",
        f"{row['base_per_10k']:.2f}",
        str(row["most_persons_in_one_id"]),
        *(f"{100 * row['planted'].get(group, 0):.2f}" for group in PLANTED),
    ]


# Groups


def _ratio(row: Figures, beside: Figures, column: str = "wrong_per_10k") -> float:
    return (row[column] or 0) / beside[column] if beside[column] else float("nan")


def _worst_ethnicity(rows: list[Figures]) -> tuple[str, float]:
    """The other group that is wrongly merged most, and its ratio to White British; not a number if all are too few."""
    [white] = [row for row in rows if row["group"] == "W1"]
    counted = [row for row in rows if row["n_wrong_persons"] >= FEW_PERSONS and row is not white]
    if not counted:
        return "too few people", math.nan
    worst = max(counted, key=lambda row: row["wrong_per_10k"])
    return _named(worst["group"]), _ratio(worst, white)


def _groups(groups: Mapping[str, Mapping[str, list[Figures]]]) -> str:
    parts = [_unequal(identity, by["true_ethnicity"]) for identity, by in groups.items()]
    beside = {"true_ethnicity": "W1", "true_sex": "M", "age_band": "25-34"}
    titles = {"true_ethnicity": "ethnicity", "true_sex": "sex", "age_band": "age"}
    head = ["records"]
    for identity in groups:
        head += [f"{identity}: wrongly merged", "ratio", "planted left out", "ratio", "recall"]
    for by, first in beside.items():
        rows = []
        for strict, wide in zip(*(_in_order(groups[i][by]) for i in ("strict", "wide")), strict=True):
            cells = [_named(strict["group"]), f"{strict['n_records']:,}"]
            for identity, row in (("strict", strict), ("wide", wide)):
                [other] = [r for r in groups[identity][by] if r["group"] == first]
                cells += _group_cells(row, other)
            if by == "true_ethnicity":
                cells.append(str(PROTOTYPE_GROUPS.get(strict["group"], "")))
            rows.append(cells)
        columns = [titles[by], *head, *(["prototype, wide"] if by == "true_ethnicity" else [])]
        name = _named(first)
        parts.append(f"Ratios to {name}:\n\n{_table(columns, rows)}")
    return "\n\n".join(parts)


def _group_cells(row: Figures, beside: Figures) -> list[str]:
    few = row["n_wrong_persons"] < FEW_PERSONS
    rate, ratio = f"{row['wrong_per_10k']:.1f}", _times(_ratio(row, beside))
    base = row["base_wrong_per_10k"] or 0
    return [
        f"({rate})" if few else rate,
        f"({ratio})" if few else ratio,
        f"{base:.2f}",
        f"({_times(_ratio(row, beside, 'base_wrong_per_10k'))})",
        f"{row['recall']:.3f}",
    ]


def _unequal(identity: str, rows: list[Figures]) -> str:
    """One paragraph: which groups are wrongly merged more than twice as often as White British, and how much is planted."""
    [white] = [row for row in rows if row["group"] == "W1"]
    over = [
        f"{_named(row['group'])} {_ratio(row, white):.1f} times"
        f" ({row['n_wrong_persons']} people, {row['planted_share']:.0%} of the records planted)"
        for row in rows
        if row["n_wrong_persons"] >= FEW_PERSONS and _ratio(row, white) > 2
    ]
    n_base = sum(row["n_base_wrong_records"] for row in rows)
    n_white, n_records = white["n_base_wrong_records"], sum(row["n_records"] for row in rows)
    return (
        f"**{identity.capitalize()}**: more than twice as often as White British: {'; '.join(over) or 'no group'}."
        f" {white['planted_share'] or 0:.0%} of the wrongly merged White British records are of planted people. With planted"
        f" people left out, {n_base} records of {n_records:,} remain, {n_white} of them White British, who are {white['n_records'] / n_records:.0%} of all."
    )


def _in_order(rows: list[Figures]) -> list[Figures]:
    """Ages from the youngest; anything else as it is."""
    bands = list(AGE_BANDS.values())
    return sorted(rows, key=lambda row: bands.index(row["group"])) if rows[0]["group"] in bands else rows


def _times(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.2f}"


def _named(group: str) -> str:
    """A group as a reader knows it: an ethnicity with its code and label, anything else as it is."""
    label = attribute("ethnicity_self_defined", "label").get(group)
    return f"{group} {label}" if label else group


# Cost


def _cost(sizes: Mapping[int, Figures]) -> str:
    return "\n\n".join(f"{_cost_of(n, size)}\n\n{_phases(size)}" for n, size in sizes.items())


def _cost_of(n: int, size: Figures) -> str:
    steps = {
        "train": "training (one thread, 5 million pairs of strangers)",
        "full": "full link with the trained model, no index kept",
        "standing": "full link, index kept",
        "month": f"month of {size['nation']['n_month']:,} against it, index kept",
        "undo": "undoing one merge, in place",
    }
    # What runs inside a process has its own clock, and shares the process's memory with what comes before it.
    inside = {"blocking": "the floor", "rules": "rules", "splink": "plain Splink"}
    costs = [
        (f"{name}: {part}", step, *seconds)
        for step, name in inside.items()
        for part, seconds in size[step]["seconds"].items()
    ]
    for step, name in steps.items():
        if step in size:
            cost = size[step]["process"]
            costs.append((name, step, cost["wall_seconds"], cost["cpu_seconds"]))
    floor = size["blocking"]["seconds"]["join"][1]
    rows = [
        [
            *(name, f"{wall:.1f}", f"{cpu:.1f}", f"{size[step]['process']['peak_mib']:,.0f}"),
            *(f"{cpu / floor:.1f}", PROTOTYPE_COST.get((n, step), "")),
        ]
        for name, step, wall, cpu in costs
    ]
    full, month = size["full"]["process"], size["month"]["process"]
    by_cpu, by_wall = (month[key] / full[key] for key in ("cpu_seconds", "wall_seconds"))
    table = _table(("step", "wall s", "CPU s", "peak MiB", "CPU beside the floor", "prototype"), rows)
    return (
        f"{n:,} nominals, {size['full']['n_pairs']:,} pairs kept of {size['blocking']['n_pairs']:,} blocked. A month of a"
        f" twentieth costs {by_cpu:.0%} of the CPU and {by_wall:.0%} of the wall seconds of a full link;"
        f" {size['month']['n_built_again']:,} records were built again.\n\n{table}"
    )


def _phases(size: Figures) -> str:
    runs = {"full": "full", "standing": "full, index kept", "month": "month", "undo": "undo"}
    phases = list(dict.fromkeys(phase for run in runs for phase in size[run]["seconds"]))
    rows = [[phase, *(f"{size[run]['seconds'].get(phase, 0):.2f}" for run in runs)] for phase in phases]
    rows.append(["all of `link`", *(f"{size[run]['link_seconds']:.2f}" for run in runs)])
    return f"Wall seconds of the steps inside:\n\n{_table(('step', *runs.values()), rows)}"


# Labelled sets and probability


def _labelled(sets: Mapping[str, Any]) -> str:
    rows = [
        [name, identity, *(f"{quality[key]:.4f}" for key in ("precision", "recall", "f1")), prototype]
        for name, prototype in PROTOTYPE_LABELLED.items()
        for identity, quality in sets[name].items()
    ]
    return _table(("set", "", "precision", "recall", "F1", "prototype"), rows, n_text=2)


def _calibration_error() -> str:
    model = read_model()
    points = [(p["n_pairs"], p["claimed_share"] - p["observed_share"]) for p in model.training["reliability"]]
    mean = sum(n * abs(gap) for n, gap in points) / sum(n for n, _ in points)
    strict = [p for p in model.training["reliability"] if p["weight_from"] >= model.thresholds.person]
    most = max(p["claimed_share"] - p["observed_share"] for p in strict)
    return (
        f"The mean gap over all pairs is {mean:.4f}; where a link may put a name on a list, no claim is more than"
        f" {most:.4f} too high."
    )


def _reliability() -> str:
    rows = [
        [p["weight_from"], f"{p['n_pairs']:,}", f"{p['claimed_share']:.4f}", f"{p['observed_share']:.4f}"]
        for p in read_model().training["reliability"]
    ]
    return _table(("bits from", "pairs", "claimed", "truly one person"), rows, n_text=0)
