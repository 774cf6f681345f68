"""Predict the test pairs by one prompt template after the other."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models import clip
from pairdx.models.inputs import read_subset, resources
from pairdx.models.prompting import predictions_by_prompts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write one row per test pair and set of prompts."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        classifier = clip.load(Path(source.settings).parent, resources(dict(source.items())))
        pairs = read_subset(source.pairs, source.split, source.images, params.classes, "test")
        table = predictions_by_prompts(classifier, pairs, params.templates, params.batch_size)
        right = table["label"] == table["predicted"]
        for template, accuracy in right.groupby(table["template"], sort=False).mean().items():
            log.info("%s: accuracy %.4f", template, accuracy)
        write_table(snakemake.output.prompts, table)


main()
