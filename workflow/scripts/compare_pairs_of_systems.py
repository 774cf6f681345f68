"""Test every two systems against each other on the same test pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.comparisons import pairwise_tests
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.comparison_figures import difference_matrix
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.system_tests import (
    SIGNIFICANCE,
    TITLE,
    pairwise_for_reading,
    pairwise_notes,
)
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def all_tests() -> pd.DataFrame:
    """Run the tests split by split; the inputs come split after split, systems in order."""
    params, paths = snakemake.params, iter(snakemake.input.predictions)
    tables = []
    for split in params.splits:
        predictions = {model: pd.read_parquet(next(paths)) for model in params.registry}
        tests = pairwise_tests(predictions, resamples=params.resamples, seed=params.seed)
        tests.insert(0, "split", split)
        tables.append(tests)
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame) -> None:
    """Draw a matrix of differences per split."""
    params = snakemake.params
    demo = demo_note(params.registry.values())
    note = (
        "Row minus column, in percentage points, on the same test pairs. Shaded, bold and marked "
        f"*: p < {SIGNIFICANCE} after Holm's correction for all pairs of systems of a split "
        f"(bootstrap over cases). {demo or ''}"
    )
    figure = difference_matrix(
        table,
        {model: system_title(model, params.registry) for model in params.registry},
        params.splits,
        title="Differences in accuracy between systems",
        note=note.strip(),
        significance=SIGNIFICANCE,
    )
    save(figure, snakemake.output.svg, snakemake.output.png)


def main() -> None:
    """Write the tests as CSV, Markdown and web page, and draw them."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        table = all_tests()
        write_table(out.csv, table)
        write_for_reading(
            pairwise_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=pairwise_notes(
                table,
                params.registry,
                seed_of_training=params.training_seed,
                several_seeds=params.several_seeds,
            ),
        )
        draw(table)
        log.info("%s", Path(out.md).read_text())


main()
