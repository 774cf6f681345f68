"""Draw the training curves of one system on one split, all seeds."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.reporting.figures import training_curves
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.stated import training_notes
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Draw loss and accuracy over epochs."""
    registry = snakemake.params.registry
    model, split = snakemake.wildcards.model, snakemake.wildcards.split
    with job_log(snakemake.log[0]):
        demo = demo_note([registry[model]])
        notes = [*([demo] if demo else []), *training_notes(snakemake.params.stated)]
        figure = training_curves(
            [pd.read_csv(path) for path in snakemake.input.histories],
            title=f"Training: {system_title(model, registry)}, {split} split",
            note=" ".join(notes) or None,
        )
        save(figure, snakemake.output.svg, snakemake.output.png)


main()
