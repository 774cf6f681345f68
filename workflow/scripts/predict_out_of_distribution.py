"""Ask a system about pairs of a class that it was not trained on, and about the test pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.base import Classifier
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_classifier
from pairdx.models.scoring import KNOWN, UNKNOWN, sureness

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def scored(
    classifier: Classifier, pairs: pd.DataFrame, images: np.ndarray, subset: str
) -> pd.DataFrame:
    """Return one row per pair: what it is taken for, and how surely."""
    params = snakemake.params
    found = sureness(classifier, images, pairs["caption"].tolist(), params.batch_size)
    return pairs[["pair_id", "case_id", "label"]].assign(
        subset=subset,
        predicted=np.array(params.classes, dtype=object)[found.predicted],
        max_probability=found.max_probability,
        energy=found.energy,
    )


def main() -> None:
    """Write highest probability and energy of the test pairs and of the unknown ones."""
    source = snakemake.input
    with job_log(snakemake.log[0]) as log:
        classifier = load_classifier(Path(source.settings).parent, resources(dict(source.items())))
        known = read_subset(
            source.pairs, source.split, source.images, snakemake.params.classes, "test"
        )
        unknown = pd.read_parquet(source.unknown)
        images = np.load(source.unknown_images, mmap_mode="r")
        tables = [scored(classifier, unknown, images, UNKNOWN)]
        # Without unknown pairs there is nothing to tell the test pairs from.
        if len(unknown):
            tables.insert(0, scored(classifier, known.table, known.images, KNOWN))
        for table in tables:
            log.info(
                "%d pairs, mean highest probability %.4f, mean energy %.4f",
                len(table),
                table["max_probability"].mean(),
                table["energy"].mean(),
            )
        write_table(snakemake.output.scored, pd.concat(tables, ignore_index=True))


main()
