"""The intake station: landed submissions become receipts, findings and accepted extracts."""

import time
from collections import Counter
from datetime import datetime

import dagster as dg

from assets.intake import landed, receipts, take_in
from assets.partitions import FORCE_PERIODS
from assets.storage import DataRoot
from data_contracts.code_lists import attribute

GROUP = "intake"
OWNERS = ["team:data-engineering"]

# What each force has sent, as a grid of force and month in the UI; intake reports into it.
force_returns = dg.AssetSpec(
    key="force_returns",
    group_name=GROUP,
    owners=OWNERS,
    kinds={"file"},
    partitions_def=FORCE_PERIODS,
    description="One force's return for one month, as it was last taken in. Filled by `submissions`.",
)


class Intake(dg.Config):
    """`received_at`: moment of receipt, ISO 8601, for a replay; left out, it is the moment of the run."""

    received_at: str | None = None


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "polars", "pandera", "parquet"},
    description=(
        "Every submission in the landing folder, taken in: kept whole under its hash, checked against the "
        "contract, its accepted rows and findings written as Parquet, its receipt given. A submission that "
        "fails never holds up another."
    ),
)
def submissions(
    context: dg.AssetExecutionContext, config: Intake, data_root: DataRoot
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    # The one place the clock is read: when something came is a fact, everything later is given it.
    received_at = datetime.fromisoformat(config.received_at) if config.received_at else datetime.now()
    started, taken = time.monotonic(), []
    for receipt in take_in(landed(layout), layout, received_at=received_at.replace(microsecond=0)):
        taken.append(receipt)
        if receipt.force_code and receipt.period and receipt.force_code in attribute("forces", "label"):
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=force_returns.key,
                    partition=dg.MultiPartitionKey({"force": receipt.force_code, "period": receipt.period}),
                    metadata={
                        "status": receipt.status,
                        "rows_received": receipt.total("received"),
                        "rows_accepted": receipt.total("accepted"),
                        "rows_quarantined": receipt.total("quarantined"),
                        "errors": receipt.n_errors,
                        "warnings": receipt.n_warnings,
                    },
                )
            )
    statuses = Counter(r.status for r in taken)
    return dg.MaterializeResult(
        metadata={
            "submissions": len(taken),
            **{f"submissions_{status}": n for status, n in sorted(statuses.items())},
            "rows_received": sum(r.total("received") for r in taken),
            "rows_accepted": sum(r.total("accepted") for r in taken),
            "rows_quarantined": sum(r.total("quarantined") for r in taken),
            "errors": sum(r.n_errors for r in taken),
            "warnings": sum(r.n_warnings for r in taken),
            "seconds": round(time.monotonic() - started, 2),
            "receipts": dg.MetadataValue.md(
                "\n".join(
                    [
                        "| submission | status | received | accepted | quarantined |",
                        "| --- | --- | --: | --: | --: |",
                        *(
                            f"| {r.submission_id} | {r.status} | {r.total('received'):,} "
                            f"| {r.total('accepted'):,} | {r.total('quarantined'):,} |"
                            for r in taken[:50]
                        ),
                    ]
                )
            ),
        }
    )


@dg.asset_check(
    asset=submissions,
    blocking=True,
    description="For every receipt and extract, accepted + quarantined = received. A breach is our fault, not a force's.",
)
def nothing_is_lost(data_root: DataRoot) -> dg.AssetCheckResult:
    lost = [
        f"{r.submission_id} {extract}"
        for r in receipts(data_root.layout())
        for extract, n in r.counts.items()
        if n["accepted"] + n["quarantined"] != n["received"]
    ]
    return dg.AssetCheckResult(passed=not lost, metadata={"lost_in": lost[:20], "n_lost": len(lost)})


@dg.asset_check(
    asset=submissions,
    description="No submission is held as a whole. One that is held has told its force why; the others went on.",
)
def none_is_held(data_root: DataRoot) -> dg.AssetCheckResult:
    held = [r.submission_id for r in receipts(data_root.layout()) if r.status == "held"]
    return dg.AssetCheckResult(
        passed=not held,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"n_held": len(held), "held": held[:20]},
    )
