"""List the test pairs that two systems classify differently (paper, Section 5)."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.mistakes import best_two, disagreements, side_by_side
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.error_sheets import disagreement_notes, disagreements_for_reading
from pairdx.reporting.labels import readable
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def choose(predictions: dict[str, pd.DataFrame]) -> tuple[list[str], str]:
    """Name the two systems, and say how they were chosen."""
    if snakemake.params.named:
        return [*predictions], "The two systems are named by the configuration (errors.compare)."
    said = "The two systems have the highest validation accuracy on this split, the higher first."
    return best_two(predictions), said


def main() -> None:
    """Write the disagreements with captions, and the counts as notes."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        files = zip(params.registry, snakemake.input.predictions, strict=True)
        predictions = {model: pd.read_parquet(path) for model, path in files}
        names, chosen = choose(predictions)
        both = side_by_side({name: predictions[name] for name in names}, params.classes)
        pairs = pd.read_parquet(snakemake.input.pairs, columns=["pair_id", "caption"])
        table = disagreements(both, names).merge(pairs, on="pair_id", validate="one_to_one")
        table.insert(2, "caption", table.pop("caption"))
        write_table(out.csv, table)
        how = {"listed": params.listed, "drawn": params.drawn}
        write_for_reading(
            disagreements_for_reading(table, names, params.registry, params.listed),
            out.md,
            out.html,
            out.tex,
            title=f"Two systems disagree: {readable(snakemake.wildcards.split).lower()} split",
            notes=disagreement_notes(both, names, params.registry, chosen=chosen, **how),
        )
        log.info("%s", Path(out.md).read_text())


main()
