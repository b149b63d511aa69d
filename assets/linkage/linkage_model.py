"""Training as an asset: a job of its own, seldom run. What it writes is in force once somebody says so."""

import dagster as dg

from assets.linkage.training import train
from assets.storage import DataRoot


class Training(dg.Config):
    """`seed` draws the pairs of strangers; `name` begins the version and names the file."""

    seed: int = 1
    name: str = "person_national"


@dg.asset(
    group_name="linkage",
    owners=["team:data-engineering"],
    kinds={"python", "splink"},
    deps=["std_person_records"],
    description=(
        "A linkage model trained on the nation's own nominals, with its diagnostics, as a file. Months only predict: "
        "they use the shipped model until VAWG_LINKAGE_MODEL names this one."
    ),
)
def linkage_model(config: Training, data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    model = layout.linkage / "models" / f"{config.name}.json"
    diagnostics = train(
        layout.person_records, model, seed=config.seed, name=config.name, source="own nominals"
    )
    return dg.MaterializeResult(
        metadata={
            "model": model.relative_to(layout.root).as_posix(),
            "records": diagnostics["n_records"],
            "prior": diagnostics["prior"],
            "unseen_levels": diagnostics["unseen_levels"],
            "blocked_pairs": diagnostics["blocked_pairs"],
            "weights_bits": diagnostics["weights_bits"],
        }
    )
