"""What linkage is measured beside: the blocking join alone, deterministic rules, Splink as its tutorials have it.

Each is a step of `bench_linkage.py`: it takes and gives what JSON can hold. Rules and Splink start from our cleaned values,
in the standing index, so that only the linking differs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assets.linkage.cleaning import read_records
from assets.linkage.features import create_person_features
from assets.linkage.keys import BLOCKING_KEYS
from assets.linkage.rebuilding import label_connected
from assets.linkage.splink_session import open_connection, text_literal
from tests.assets.linkage.measures import quality, with_truth

Figures = dict[str, Any]

# 0.95 in bits, as Splink's tutorials cluster, and two stricter ones.
SPLINK_THRESHOLDS = (4.248, 12.0, 20.0)
RULES_STRICT: tuple[tuple[str, ...], ...] = (
    ("pnc_id",),
    ("cro_number",),
    ("full_name", "date_of_birth", "postcode"),
    ("phone", "surname", "date_of_birth"),
)
RULES_USUAL = (*RULES_STRICT, ("full_name", "date_of_birth"))


@contextmanager
def clocked(seconds: dict[str, list[float]], name: str) -> Iterator[None]:
    """Note wall and processor seconds of what is inside."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    seconds[name] = [time.perf_counter() - wall, time.process_time() - cpu]


def blocking_join(records: str) -> Figures:
    """The floor: merely making the pairs of ids that meet a blocking key, each once, from cleaned records."""
    seconds: dict[str, list[float]] = {}
    agree = [" AND ".join(f"l.{key} = r.{key}" for key in keys) for keys in BLOCKING_KEYS]
    earlier = ["".join(f" AND NOT coalesce({rule}, false)" for rule in agree[:i]) for i in range(len(agree))]
    joins = " UNION ALL ".join(
        "SELECT l.record_key AS record_key_l, r.record_key AS record_key_r FROM person_features AS l"
        f" JOIN person_features AS r ON {rule} WHERE l.record_key < r.record_key{met}"
        for rule, met in zip(agree, earlier, strict=True)
    )
    with open_connection() as connection:
        read_records(connection, Path(records))
        create_person_features(connection)
        with clocked(seconds, "join"):
            connection.execute(f"CREATE TABLE blocked AS {joins}")
        [(n_pairs,)] = connection.execute("SELECT count(*) FROM blocked").fetchall()
    return {"seconds": seconds, "n_pairs": n_pairs}


def plain_rules(standing: str, truth: str) -> Figures:
    """Records that agree on all of any of these, and whoever is connected by that: one person."""
    rows: list[Figures] = []
    seconds: dict[str, list[float]] = {}
    with open_connection() as connection:
        connection.execute(f"ATTACH {text_literal(standing)} AS standing (READ_ONLY)")
        for name, rules in (("strict", RULES_STRICT), ("usual", RULES_USUAL)):
            with clocked(seconds, name):
                edges = " UNION ALL ".join(
                    f"SELECT record_key AS record_key_l, min(record_key) OVER (PARTITION BY {', '.join(keys)}) AS record_key_r"
                    f" FROM standing.person_features WHERE {' AND '.join(f'{key} IS NOT NULL' for key in keys)}"
                    for keys in rules
                )
                connection.execute(f"CREATE OR REPLACE TEMP TABLE same AS {edges}")
                label_connected(connection, "standing.person_features", "same", "ruled", "person")
            links = connection.execute(
                "SELECT record_id, person FROM ruled JOIN standing.person_features USING (record_key)"
            ).pl()
            rows.append(quality(with_truth(links, truth), "person", f"rules, {name}"))
    return {"quality": rows, "seconds": seconds}


def plain_splink(standing: str, truth: str) -> Figures:
    """Splink as its tutorials have it, on our cleaned values and blocking keys: library comparisons, trained on the spot,
    connected components.
    """
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        comparisons=[
            compare.NameComparison("forename_1").configure(term_frequency_adjustments=True),
            compare.NameComparison("surname").configure(term_frequency_adjustments=True),
            compare.DateOfBirthComparison("date_of_birth", input_is_string=False),
            compare.PostcodeComparison("spaced_postcode"),
            compare.ExactMatch("pnc_id").configure(term_frequency_adjustments=True),
            compare.ExactMatch("cro_number").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[block_on(*keys) for keys in BLOCKING_KEYS],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    keys = sorted({key for keys in BLOCKING_KEYS for key in keys} | {"forename_1"})
    rows: list[Figures] = []
    seconds: dict[str, list[float]] = {}
    with open_connection() as connection:
        connection.execute(f"ATTACH {text_literal(standing)} AS standing (READ_ONLY)")
        # The library finds the parts of a postcode by its blank.
        connection.execute(f"""
            CREATE TABLE nominals AS
            SELECT record_key, {", ".join(keys)}, left(postcode, -3) || ' ' || right(postcode, 3) AS spaced_postcode
            FROM standing.person_features
        """)
        linker = Linker(DuckDBAPI(connection).register("nominals"), settings)
        with clocked(seconds, "train"):
            linker.training.estimate_probability_two_random_records_match(
                [block_on("pnc_id"), block_on("forename_1", "surname", "date_of_birth", "spaced_postcode")],
                recall=0.7,
            )
            linker.training.estimate_u_using_random_sampling(max_pairs=5_000_000, seed=1)
            for on in (("forename_1", "surname"), ("date_of_birth", "spaced_postcode")):
                linker.training.estimate_parameters_using_expectation_maximisation(
                    block_on(*on), max_pairs=1_000_000
                )
        with clocked(seconds, "predict"):
            pairs = linker.inference.predict(threshold_match_weight=SPLINK_THRESHOLDS[0])
        for threshold in SPLINK_THRESHOLDS:
            with clocked(seconds, f"cluster at {threshold:.0f}"):
                found = linker.clustering.cluster_pairwise_predictions_at_threshold(
                    pairs, threshold_match_weight=threshold
                )
            links = connection.execute(
                f"SELECT record_id, cluster_id AS person FROM {found.physical_name}"
                " JOIN standing.person_features USING (record_key)"
            ).pl()
            rows.append(quality(with_truth(links, truth), "person", f"plain Splink at {threshold:.0f}"))
    return {"quality": rows, "seconds": seconds}
