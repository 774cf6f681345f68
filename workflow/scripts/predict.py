"""Predict the classes of the validation and test pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.base import predict
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_classifier

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write one row per pair with a probability per class."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        classifier = load_classifier(Path(source.settings).parent, resources(dict(source.items())))
        tables = []
        for subset in ("validation", "test"):
            pairs = read_subset(source.pairs, source.split, source.images, params.classes, subset)
            found = predict(classifier, pairs, params.batch_size)
            table = pairs.table[["pair_id", "case_id", "label"]].copy()
            table.insert(2, "subset", subset)
            table["predicted"] = [params.classes[best] for best in found.argmax(axis=1)]
            table[[f"p_{name}" for name in params.classes]] = found
            hits = (table["label"] == table["predicted"]).mean()
            log.info("%s: %d pairs, accuracy %.4f", subset, len(table), hits)
            tables.append(table)
        write_table(snakemake.output.predictions, pd.concat(tables, ignore_index=True))


main()
