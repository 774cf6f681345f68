"""Set accuracies of trainings with and without siblings of the test pairs side by side."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.leakage_price import check_equal_trainings, leakage_prices
from pairdx.logs import job_log
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems.leakage_price import TITLE, price_for_reading, price_notes

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_by_system(paths: list[str]) -> dict[str, list[pd.DataFrame]]:
    """Read the predictions of all seeds by system; files come in the order of ``params.cells``."""
    found: dict[str, list[pd.DataFrame]] = {}
    for (system, _), path in zip(snakemake.params.cells, paths, strict=True):
        found.setdefault(system, []).append(pd.read_parquet(path))
    return found


def main() -> None:
    """Write the table of prices."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        split = pd.read_parquet(source.split)
        label = pd.read_parquet(source.pairs, columns=["pair_id", "label"])
        train, exchanged = check_equal_trainings(
            split,
            pd.read_parquet(source.other_split),
            label.set_index("pair_id")["label"],
            where=f"{source.split} and {source.other_split}",
        )
        table = leakage_prices(
            read_by_system(source.with_siblings),
            read_by_system(source.without_siblings),
            split,
            resamples=params.resamples,
            seed=params.seed,
        )
        notes = price_notes(
            table,
            params.registry,
            params.tells,
            train=train,
            exchanged=exchanged,
            resamples=params.resamples,
        )
        readable = price_for_reading(table, params.registry)
        written = write_item(out, "leakage_price", table, readable, title=TITLE, notes=notes)
        log.info("%s", written)


main()
