"""A full relink, to see that the months added up to the same: a job of its own, beside the monthly run."""

import dagster as dg
import duckdb

from assets.linkage.decided import Decided
from assets.linkage.linker import link
from assets.linkage.splink_session import text_literal
from assets.storage import DataRoot

# Nominals whose fellows may be others in a full relink than in the months: a pair is worth the same whenever it is
# scored, so there is no reason for any.
TOLERATED = 0


@dg.asset(
    group_name="linkage",
    owners=["team:data-engineering"],
    kinds={"python", "splink", "duckdb", "parquet"},
    deps=["person_links"],
    pool="linkage",
    description="Every nominal linked anew, from nothing, to be compared with what the months added up to.",
)
def person_relink(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    summary = link(
        layout.person_records,
        layout.person_relink,
        model=data_root.model(),
        decided=Decided.read(layout.run / "run_identity_decisions.parquet"),
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.n_records,
            "persons": summary.n_persons,
            "seconds": round(sum(summary.seconds.values()), 2),
        }
    )


@dg.asset_check(
    asset=person_relink,
    description="Every nominal has the same fellows in a full relink as in the person the months made of it.",
)
def months_equal_relink(data_root: DataRoot) -> dg.AssetCheckResult:
    layout = data_root.layout()
    n_differing = n_with_other_fellows(layout.person_links, layout.person_relink)
    return dg.AssetCheckResult(passed=n_differing <= TOLERATED, metadata={"records_differing": n_differing})


def n_with_other_fellows(links: object, others: object) -> int:
    """Records whose person, or whose wider group, holds other records in one file of links than in the other."""
    # Named by their least record, two persons are the same where all their records bear the same name in both files.
    named = " UNION ALL ".join(
        f"""
        SELECT record_id, person, person_group
        FROM read_parquet({text_literal(path)})
        JOIN (SELECT person_id, min(record_id) AS person FROM read_parquet({text_literal(path)}) GROUP BY ALL) USING (person_id)
        JOIN (SELECT person_group_id, min(record_id) AS person_group FROM read_parquet({text_literal(path)}) GROUP BY ALL)
            USING (person_group_id)
        """
        for path in (links, others)
    )
    with duckdb.connect() as connection:
        [(n,)] = connection.execute(f"""
            SELECT count(DISTINCT record_id)
            FROM (SELECT record_id FROM ({named}) GROUP BY record_id, person, person_group HAVING count(*) = 1)
        """).fetchall()
    return int(n)
