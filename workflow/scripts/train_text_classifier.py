"""Train a classifier on the texts that pairs are paired with, and classify all pairs by them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.inputs import require_usable
from pairdx.models.text_classifier import (
    Examples,
    probabilities,
    save_text_classifier,
    train_text_classifier,
)
from pairdx.models.text_features import read_text_features
from pairdx.pairing.matches import chosen_texts, pairs_to_match, read_matches
from pairdx.subsets import SUBSETS
from pairdx.tasks import rows_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write weights, the course of training, and predictions for all subsets."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    classes = list(params.classes)
    with job_log(snakemake.log[0]) as log:
        require_usable(source.pairs, source.split, classes, snakemake.wildcards.split)
        pairs = pairs_to_match(source.split, source.pairs)
        features = read_text_features(Path(source.text_features))
        matches = read_matches(source.matches)
        texts = features.rows(chosen_texts(matches, pairs["pair_id"]))
        labels = pd.Index(classes).get_indexer(pd.Index(pairs["label"])).astype("int64")
        examples = {}
        for subset in SUBSETS:
            at = (pairs["subset"] == subset).to_numpy()
            examples[subset] = Examples(texts[at], labels[at])
        trained = train_text_classifier(
            features.texts,
            examples["train"],
            examples["validation"],
            len(classes),
            params.settings,
            seed=int(snakemake.wildcards.seed),
            threads=snakemake.threads,
        )
        save_text_classifier(Path(out.weights), trained, classes)
        write_table(out.training, trained.history)
        said = probabilities(trained.network, features.texts, threads=snakemake.threads)
        of_task, tables = rows_of(params.task), []
        for subset in SUBSETS:
            here = pairs[pairs["subset"] == subset]
            table = of_task.predicted_rows(
                here, said[examples[subset].texts], classes, subset=subset
            )
            tables.append(table)
            hits = (table["label"] == table["predicted"]).mean()
            log.info("%s: %d pairs, accuracy %.4f", subset, len(table), hits)
        write_table(out.predictions, pd.concat(tables, ignore_index=True))


main()
