"""Predict the classes of the validation and test pairs, and ask about pairs of unknown classes."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.base import Classifier, Pairs, predict
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_classifier
from pairdx.models.scoring import known_and_unknown
from pairdx.training.state import remove_state

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def predicted(
    classifier: Classifier, pairs: Pairs, subset: str, log: logging.Logger
) -> pd.DataFrame:
    """Return one row per pair with a probability per class."""
    found = predict(classifier, pairs, snakemake.params.batch_size)
    table = pairs.table[["pair_id", "case_id", "label"]].copy()
    table.insert(2, "subset", subset)
    table["predicted"] = [pairs.classes[best] for best in found.argmax(axis=1)]
    table[[f"p_{name}" for name in pairs.classes]] = found
    hits = (table["label"] == table["predicted"]).mean()
    log.info("%s: %d pairs, accuracy %.4f", subset, len(table), hits)
    return table


def asked_about_unknown(classifier: Classifier, test: Pairs, log: logging.Logger) -> pd.DataFrame:
    """Return one row per test pair and pair of an unknown class; none where there are no such."""
    source = snakemake.input
    unknown, images = test.table.iloc[:0], test.images[:0]
    if source.get("unknown"):  # not where nobody is to be asked
        unknown = pd.read_parquet(source.unknown)
        images = np.load(source.unknown_images, mmap_mode="r")
    table = known_and_unknown(classifier, test, unknown, images, snakemake.params.batch_size)
    for subset, of_subset in table.groupby("subset"):
        means = of_subset[["max_probability", "energy"]].mean()
        log.info("%s: %d pairs, means %s", subset, len(of_subset), means.round(4).to_dict())
    return table


def main() -> None:
    """Load the system once, write both tables, and drop the state of its training, if any."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        classifier = load_classifier(Path(source.settings).parent, resources(dict(source.items())))
        validation, test = (
            read_subset(source.pairs, source.split, source.images, params.classes, subset)
            for subset in ("validation", "test")
        )
        tables = [
            predicted(classifier, validation, "validation", log),
            predicted(classifier, test, "test", log),
        ]
        write_table(out.predictions, pd.concat(tables, ignore_index=True))
        write_table(out.out_of_distribution, asked_about_unknown(classifier, test, log))
        remove_state(params.state)


main()
