"""What may leave the service, attacked: nothing small is recovered from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from scipy.optimize import OptimizeResult

from assets.publication import suppression
from assets.publication.publishing import Publication, publish
from assets.publication.rules import NoRules, Rules, rules
from tests.assets.publication.attack import Attack, Target, known
from tests.assets.publication.nation import (
    AREAS,
    BY_SEX,
    FORCES,
    MEDIAN,
    MONTHS,
    NESTED,
    WIDE,
    guarded,
    records,
    statistics,
)

SEED, N_CRIMES, N_LATE = 3, 2400, 60
GREATEST_SMALL = 9
KEY = [
    "period",
    "period_kind",
    "force_code",
    "definition_id",
    "threat",
    "measure",
    "breakdown",
    "breakdown_value",
]


@pytest.fixture(scope="module")
def in_force() -> Rules:
    """As in force, and breakdowns by month and quarter too: more adds up, so more could be worked out."""
    found = rules(date(2026, 5, 31))
    finer = found.plan.filter("is_broken_down", geography="national", period_kind="rolling_year")
    finer = pl.concat(finer.with_columns(period_kind=pl.lit(kind)) for kind in ("month", "quarter"))
    measures = found.measures | {"victims_killed_share"}
    return replace(found, plan=pl.concat([found.plan, finer]), measures=measures)


@pytest.fixture(scope="module")
def truth() -> list[pl.DataFrame]:
    """Two vintages: the second knows a month more, and crimes of before that came late."""
    crimes, late = records(SEED, N_CRIMES), records(SEED + 1, N_LATE)
    first = crimes.filter(pl.col("month") < MONTHS[-1])
    return [statistics(first, MONTHS[:-1]), statistics(pl.concat([crimes, late]), MONTHS)]


@pytest.fixture(scope="module")
def published(truth: list[pl.DataFrame], in_force: Rules) -> list[Publication]:
    first = publish(guarded(truth[0]), in_force)
    return [first, publish(guarded(truth[1]), in_force, first.basis)]


def attack_on(*tables: pl.DataFrame) -> Attack:
    attack = Attack([MONTHS[:-1], MONTHS])
    for vintage, table in enumerate(tables):
        attack.publication(vintage, table, tables[vintage - 1] if vintage else None)
    return attack


def small_and_withheld(table: pl.DataFrame, truth: pl.DataFrame, every: int) -> list[tuple]:  # type: ignore[type-arg]
    really = known(truth)
    found = [
        cell
        for cell, shown in known(table).items()
        if shown is None and really.get(cell, 0) <= GREATEST_SMALL  # type: ignore[operator]
    ]
    return sorted(found)[::every]


def naive(truth: pl.DataFrame, public: pl.DataFrame) -> pl.DataFrame:
    """The same figures with the small counts left out, the others rounded, and nothing else withheld."""
    rounded = {c: (pl.col(c) + 2) // 5 * 5 for c in ("numerator", "denominator")}
    kept = {c: pl.when(pl.col(c) >= 10).then(rounded[c]) for c in rounded}
    return (
        public.select(KEY)
        .join(truth.select(*KEY, "numerator", "denominator"), on=KEY, how="left")
        .with_columns(**kept)
    )


def recovered(attack: Attack, vintage: int, cells: list[tuple]) -> list[tuple]:  # type: ignore[type-arg]
    """Cells of which the attacker learns more than that they may be small: anything from none to nine must be possible."""
    learnt = []
    for cell in cells:
        low, high = attack.reach({(vintage, cell): 1})
        if low > 1e-6 or high < GREATEST_SMALL - 1e-6:
            learnt.append((cell, low, high))
    return learnt


def test_nothing_small_is_published_and_all_is_rounded(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    for publication, really in zip(published, truth, strict=True):
        both = publication.figures.join(
            really.select(*KEY, n="numerator", d="denominator"), on=KEY, how="left"
        )
        shown = both.filter(~pl.col("suppressed"))
        assert 0 < shown.height < both.height
        assert (
            both.filter("suppressed")
            .select("value", "numerator", "denominator", "lower", "upper")
            .null_count()
            .row(0)
            == (both["suppressed"].sum(),) * 5
        )
        assert shown.filter((pl.col("numerator") % 5 != 0) | (pl.col("denominator") % 5 != 0)).is_empty()
        assert publication is published[1] or shown.filter(pl.col("n") < 10).is_empty()


def test_every_place_has_every_value(published: list[Publication]) -> None:
    """A value left out of one place would say that it is zero there."""
    table = published[0].figures
    values = table.group_by("measure", "breakdown", "definition_id", "threat", "period", "period_kind").agg(
        n=pl.len(), whole=pl.col("force_code").n_unique() * pl.col("breakdown_value").n_unique()
    )
    assert values.filter(pl.col("n") != pl.col("whole")).is_empty()


def test_no_withheld_count_is_recovered(published: list[Publication], truth: list[pl.DataFrame]) -> None:
    """By sums of forces, values, months and years; by threats within all, definitions within each other; by shares."""
    cells = small_and_withheld(published[0].figures, truth[0], every=11)
    assert len(cells) > 10
    assert recovered(attack_on(published[0].figures), 0, cells) == []


def narrowed(attack: Attack, vintage: int, cells: list[tuple]) -> list[tuple]:  # type: ignore[type-arg]
    low, high = attack.narrowed()
    ids = [attack.ids[vintage, cell] for cell in cells]
    return [
        (cell, low[i], high[i])
        for cell, i in zip(cells, ids, strict=True)
        if low[i] > 1e-6 or high[i] < GREATEST_SMALL - 1e-6
    ]


def test_nor_is_any_by_narrowing_the_bounds_of_all(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    """Of all withheld small counts, not of a sample; of the naive publication the same attacker recovers many."""
    attack = attack_on(*(p.figures for p in published))
    for vintage in (0, 1):
        cells = small_and_withheld(published[vintage].figures, truth[vintage], every=1)
        assert len(cells) > 200
        assert narrowed(attack, vintage, cells) == []
    table = naive(truth[0], published[0].figures)
    cells = small_and_withheld(table, truth[0], every=1)
    assert len(narrowed(attack_on(table), 0, cells)) > len(cells) // 10


@pytest.mark.parametrize("every", [40, pytest.param(3, marks=pytest.mark.heavy, id="many cells")])
def test_nor_by_two_publications_together(
    published: list[Publication], truth: list[pl.DataFrame], every: int
) -> None:
    attack = attack_on(*(p.figures for p in published))
    for vintage in (0, 1):
        cells = small_and_withheld(published[vintage].figures, truth[vintage], every)
        assert len(cells) >= 3
        assert recovered(attack, vintage, cells) == []


@pytest.fixture(scope="module")
def nested(truth: list[pl.DataFrame]) -> pl.DataFrame:
    """The first vintage of one definition, with a breakdown by area, which locations add up to."""
    crimes = records(SEED, N_CRIMES).filter(pl.col("month") < MONTHS[-1])
    of_one = (pl.col("definition_id") == WIDE) & (pl.col("threat") == "all")
    return statistics(crimes, MONTHS[:-1], NESTED).filter(of_one)


@pytest.mark.parametrize("is_left_out", [True, False])
def test_coarser_classes_would_tell_what_finer_ones_withhold(
    nested: pl.DataFrame, in_force: Rules, is_left_out: bool
) -> None:
    """Areas less the locations that are shown: why one of two classifications that nest is left out."""
    areas = pl.DataFrame(
        {"measure": ["offences", "victims", "victims_female_share"], "breakdown": "area", "geography": "any"}
    )
    left_out = areas if is_left_out else areas.clear()
    public = publish(nested, replace(in_force, left_out=left_out)).figures
    attack = Attack([MONTHS[:-1]], coarser={"location": ("area", AREAS)})
    attack.publication(0, public)
    cells = [c for c in small_and_withheld(public, nested, every=1) if c[3] == "location"][::3]
    assert len(cells) > 10
    assert bool(recovered(attack, 0, cells)) is not is_left_out


def test_a_count_that_no_place_shows_takes_no_protection_from_the_others(in_force: Rules) -> None:
    """Those killed are so few that no force's count of them is shown; men among the victims are few in one force alone."""
    of_one = (pl.col("definition_id") == WIDE) & (pl.col("threat") == "all")
    crimes = records(SEED, N_CRIMES).filter(pl.col("month") < MONTHS[-1])
    really = statistics(crimes, MONTHS[:-1], BY_SEX).filter(
        of_one, pl.col("measure").is_in(["victims", "victims_killed_share"])
    )
    public = publish(really, in_force).figures
    killed = pl.col("measure") == "victims_killed_share"
    assert public.filter(killed & (pl.col("force_code") != "national"))["suppressed"].all()
    cells = [c for c in small_and_withheld(public, really, every=1) if c[3] == "who" and c[5] != "national"]
    assert cells
    assert recovered(attack_on(public), 0, cells) == []


def test_of_classifications_that_nest_one_is_published() -> None:
    anywhere = rules(date(2026, 5, 31)).left_out.filter(geography="any")
    left_out = set(anywhere.select("measure", "breakdown").iter_rows())
    for measure, classifications in (
        ("offences", ["offence_code", "offence_kind", "offence_subgroup", "offence_group"]),
        ("victims", ["relationship", "relationship_group"]),
        ("victims_female_share", ["relationship", "relationship_group"]),
    ):
        assert len([c for c in classifications if (measure, c) not in left_out]) == 1, measure


def test_what_a_share_or_a_mean_tells_is_no_breakdown_too() -> None:
    """A count that is a numerator, or all less a denominator, is a cell of the breakdown under another name."""
    anywhere = rules(date(2026, 5, 31)).left_out.filter(geography="any")
    left_out = set(anywhere.select("measure", "breakdown").iter_rows())
    for told, told_as_well in (
        (("charged_share", "none"), ("offences", "outcome_stage")),
        (("charged_share", "none"), ("offences", "outcome_group")),
        (("repeat_victim_share", "none"), ("victims", "repeat")),
        (("victims_female_share", "none"), ("victims", "sex")),
        (("victims", "age_band"), ("victims_aged_16_to_29_share", "none")),
        (("offences", "offence_subgroup"), ("rape_domestic_share", "none")),
        (("offences", "none"), ("offences", "also_threat")),
    ):
        assert told not in left_out and told_as_well in left_out, told_as_well


def test_leaving_out_only_the_small_counts_is_not_enough(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    """The attack works: on the same figures without secondary suppression it recovers counts."""
    table = naive(truth[0], published[0].figures)
    cells = small_and_withheld(table, truth[0], every=97)
    assert recovered(attack_on(table), 0, cells)


def test_a_difference_of_two_figures_is_never_known(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    """Of overlapping threats and definitions, and of the same figure in two publications: five whole numbers at least."""
    attack = attack_on(*(p.figures for p in published))
    shown = [{c: n for c, n in known(p.figures).items() if n is not None} for p in published]
    really = [known(t) for t in truth]
    targets: list[tuple[Target, int]] = []
    for cell in sorted(shown[1]):
        for other in ((cell[0], "all", *cell[2:]), (WIDE, *cell[1:])):
            if other != cell and other in shown[1]:
                targets.append(({(1, other): 1, (1, cell): -1}, really[1][other] - really[1][cell]))  # type: ignore[operator,index]
        if cell in shown[0]:
            targets.append(({(1, cell): 1, (0, cell): -1}, really[1][cell] - really[0][cell]))  # type: ignore[operator]
    small = [t for t, difference in targets if difference <= GREATEST_SMALL]
    assert len(small) > 50
    for target in small[:: len(small) // 6]:
        low, high = attack.reach(target)
        assert high - low >= 4 - 1e-6


def test_a_median_stands_on_enough_and_is_no_record_of_anybody(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    """Ten records at least lie on either side of it, also where the count that is shown is an earlier one."""
    both = published[0].figures.join(
        truth[0].select(*KEY, median="value", n="denominator"), on=KEY, how="left"
    )
    medians = both.filter(pl.col("measure") == MEDIAN)
    shown = medians.filter(~pl.col("suppressed"))
    assert 10 < shown.height < medians.height
    assert shown.filter(
        (pl.col("value") % 5 != 0) | ((pl.col("value") - pl.col("median")).abs() > 2.5) | (pl.col("n") < 20)
    ).is_empty()
    assert shown["lower"].null_count() == shown["numerator"].null_count() == shown.height
    # Whether there is one says no more than its count does.
    enough = medians.filter(pl.col("n") >= 25, pl.col("suppressed"))
    assert enough["denominator"].null_count() == enough.height


def test_a_median_is_revised_only_with_its_count(
    published: list[Publication], truth: list[pl.DataFrame]
) -> None:
    """Otherwise the difference of two publications would be about the few records that came between."""
    first, second, now = (
        t.filter(pl.col("measure") == MEDIAN) for t in (*(p.figures for p in published), truth[1])
    )
    both = (
        first.join(second, on=KEY, suffix="_now")
        .join(now.select(*KEY, median="value", n="denominator"), on=KEY)
        .filter(~pl.col("suppressed"))
    )
    stays = both.filter(pl.col("denominator") == pl.col("denominator_now"))
    assert stays.filter(pl.col("value") != pl.col("value_now")).is_empty()
    # The medians of some of them have moved meanwhile.
    assert stays.filter((pl.col("median") - pl.col("value")).abs() > 2.5).height


def test_a_figure_is_revised_only_where_it_moved_by_ten(published: list[Publication]) -> None:
    key = [c for c in published[0].basis.columns if c not in ("count", "is_withheld")]
    counted = published[0].basis.filter(~pl.col("series").str.ends_with("/median"))
    both = counted.join(published[1].basis, on=key, suffix="_now")
    moved = both.filter(pl.col("count") != pl.col("count_now"))
    assert moved.height and moved.filter((pl.col("count") - pl.col("count_now")).abs() < 10).is_empty()


def test_the_same_statistics_give_the_same_publication_in_any_order(
    truth: list[pl.DataFrame], published: list[Publication], in_force: Rules
) -> None:
    again = publish(guarded(truth[0]).sample(fraction=1, shuffle=True, seed=5), in_force)
    assert again.figures.equals(published[0].figures) and again.basis.equals(published[0].basis)


def test_without_rules_in_force_nothing_is_published() -> None:
    with pytest.raises(NoRules, match="suppress_below"):
        rules(date(1990, 1, 1))


def test_of_a_small_nation_none_is_recovered(in_force: Rules) -> None:
    """So few crimes that most counts are small, and threats within all tell more than sums do."""
    crimes = records(SEED, 400).filter(pl.col("month") < MONTHS[-1])
    really = statistics(crimes, MONTHS[:-1])
    public = publish(guarded(really), in_force).figures
    cells = small_and_withheld(public, really, every=1)
    assert len(cells) > 500 and narrowed(attack_on(public), 0, cells) == []


@pytest.mark.parametrize("n_of_the_last", [0, 1])
def test_a_shown_ten_is_no_nine(in_force: Rules, n_of_the_last: int) -> None:
    """A reader knows that small counts are not shown: of four tens and a nation the rest could be worked out."""
    sizes = dict(zip(FORCES, [1000, 10, 10, 10, 10, n_of_the_last], strict=True))
    a_count = statistics(records(SEED, 400), MONTHS).filter(
        measure="offences",
        breakdown="none",
        definition_id=WIDE,
        threat="all",
        period_kind="rolling_year",
    )
    counts = sizes | {"national": sum(sizes.values())}
    really = a_count.with_columns(
        numerator=pl.col("force_code").replace_strict(counts, return_dtype=pl.Int64)
    ).with_columns(value=pl.col("numerator").cast(pl.Float64))
    public = publish(really, in_force).figures
    (cell,) = [c for c in small_and_withheld(public, really, every=1) if c[5] == FORCES[-1]]
    assert narrowed(attack_on(public), 0, [cell]) == []


def test_of_two_forces_neither_is_the_nation_less_the_other(in_force: Rules) -> None:
    """However few stand beside a small count, something is withheld with it, and no table is lost for it."""
    two = records(SEED, 300).with_columns(
        force_code=pl.when(pl.col("force_code") == "F1").then(pl.lit("F1")).otherwise(pl.lit("F2"))
    )
    really = statistics(two, MONTHS)
    publication = publish(guarded(really), in_force)
    assert publication.n_cells_of_withheld_tables == 0
    attack = Attack([MONTHS])
    attack.publication(0, publication.figures)
    cells = small_and_withheld(publication.figures, really, every=1)
    assert len(cells) > 100 and narrowed(attack, 0, cells) == []


def test_a_table_that_no_world_is_found_for_is_withheld_whole(
    truth: list[pl.DataFrame], in_force: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the solver cannot decide is not published, and how much that is, is said."""
    monkeypatch.setattr(suppression, "linprog", lambda *_, **__: OptimizeResult(status=4))
    publication = publish(guarded(truth[0]), in_force)
    figures = publication.figures.filter(measure="offences", breakdown="none")
    assert publication.n_cells_of_withheld_tables > figures.height > 0
    assert figures["suppressed"].all()


def test_only_what_is_made_of_counts_of_records_is_published(
    truth: list[pl.DataFrame], in_force: Rules
) -> None:
    """A mean gives the sum away, an extreme is one record, a ratio of harm is in days."""
    of_victims = truth[0].filter(measure="victims")
    others = pl.concat(
        of_victims.with_columns(measure=pl.lit(m), denominator=pl.lit(40, pl.Int64))
        for m in ("victim_mean_age", "most_offences_of_one_suspect", "harm_per_head_top_100_to_mean")
    )
    figures = publish(pl.concat([truth[0], others]), in_force).figures
    assert set(figures["measure"]) == set(truth[0]["measure"])


def test_a_denominator_that_is_another_figure_is_withheld_with_it(published: list[Publication]) -> None:
    """The crimes of the definition behind the share of a threat, and those behind a flag's."""
    figures = published[0].figures
    place = ["period", "period_kind", "force_code", "definition_id"]
    crimes = figures.filter(measure="offences", breakdown="none").select(*place, "threat", n="numerator")
    shares = figures.filter(measure="threat_share").join(crimes.filter(threat="all"), on=place)
    flags = figures.filter(measure="force_flag_share").join(crimes, on=[*place, "threat"])
    for both in (shares, flags):
        shown = both.filter(pl.col("denominator").is_not_null())
        assert shown.height and shown["denominator"].equals(shown["n"])


def test_a_rate_has_no_interval_of_a_share(truth: list[pl.DataFrame], in_force: Rules) -> None:
    """A rate per 1,000 is published without bounds: those of the quotient beneath it would be a thousand times too small."""
    a_rate = pl.col("measure") == pl.col("measure").filter(pl.col("denominator").is_not_null()).first()
    rates = truth[0].with_columns(value=pl.when(a_rate).then(pl.col("value") * 1000).otherwise("value"))
    figures = publish(rates, in_force).figures.filter(pl.col("value").is_not_null() & a_rate)
    assert figures.height and figures["lower"].null_count() == figures.height


def test_a_rate_has_byar_bounds_of_its_rounded_count(truth: list[pl.DataFrame], in_force: Rules) -> None:
    """As national_statistics has them (kind `rate`): of 100 crimes to 1,000 women 81.4 to 121.6 (Breslow and Day 1987)."""
    crimes = truth[0].filter(measure="offences", breakdown="none", period_kind="rolling_year", threat="all")
    rate = crimes.with_columns(
        measure=pl.lit("offences_per_1000_women"),
        numerator=pl.lit(100, pl.Int64),
        denominator=pl.lit(1000, pl.Int64),
        value=pl.lit(100.0),
    )
    figures = publish(rate, in_force).figures
    assert set(figures.select("value", "lower", "upper").iter_rows()) == {(100.0, 81.36, 121.63)}
