"""Ask a system all that its predictions are made of: its classes, others, and by other prompts."""

import logging
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.files import write_json, write_table
from pairdx.logs import job_log
from pairdx.models.answers import Answers, ask
from pairdx.models.base import Classifier, Pairs
from pairdx.models.inputs import read_subset, require_usable, resources, subset_sizes
from pairdx.models.prompt_sets import COLUMNS, PROMPTS, no_predictions_by_prompts
from pairdx.models.registry import load_or_build
from pairdx.models.scoring import KNOWN, VALIDATION, Asked, known_and_out_of_distribution
from pairdx.packed_images import open_packed
from pairdx.tasks import rows_of
from pairdx.training.passport import passport
from pairdx.training.state.folder import remove_state

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def loaded() -> Classifier:
    """Load a trained system; build an untrained one, and save what describes it."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    started, files = time.perf_counter(), resources(dict(source.items()))
    classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
    if not params.untrained:
        return classifier
    classifier.save(Path(out.settings).parent)
    facts = passport(
        settings=params.untrained["settings"],
        seed=params.untrained["seed"],
        device="cpu",
        wall_seconds=time.perf_counter() - started,
        pairs=subset_sizes(source.split),
        threads=snakemake.threads,
        parameters=classifier.parameters,
        trained_parameters=0,
        stand_in=params.stand_in,
    )
    write_json(out.passport, facts)
    return classifier


def asked(classifier: Classifier, pairs: Pairs) -> Answers:
    """Show the system every pair once; features serve where prompts are varied."""
    params = snakemake.params
    return ask(
        classifier,
        pairs.images,
        pairs.captions,
        len(pairs.classes),
        params.batch_size,
        features=bool(params.prompts),
    )


def predicted(
    pairs: Pairs, probabilities: np.ndarray, subset: str, log: logging.Logger
) -> pd.DataFrame:
    """Return one row per pair with a probability per class."""
    of_task = rows_of(snakemake.params.task)
    table = of_task.predicted_rows(pairs.table, probabilities, pairs.classes, subset=subset)
    log.info("%s: %d pairs, %s", subset, len(table), of_task.told(table))
    return table


def asked_out_of_distribution(classifier: Classifier, test: Pairs) -> Asked:
    """Show the system every pair out of distribution; none where there are no such."""
    source, classes = snakemake.input, len(test.classes)
    if not source.get("out_of_distribution"):  # where nobody is to be asked
        return test.table.iloc[:0], Answers(np.zeros((0, classes), dtype=np.float32))
    outside = pd.read_parquet(source.out_of_distribution)
    packed = open_packed(source.out_of_distribution_images)
    images, captions = packed.of_pairs(outside["pair_id"].tolist()), outside["caption"].tolist()
    return outside, ask(classifier, images, captions, classes, snakemake.params.batch_size)


def asked_by_prompts(
    classifier: Classifier, test: Pairs, features: np.ndarray | None, log: logging.Logger
) -> pd.DataFrame:
    """Return one row per test pair and set of prompts; none where no prompt is varied."""
    params, of_task = snakemake.params, rows_of(snakemake.params.task)
    if not params.prompts:
        columns = [*of_task.columns(test.classes), PROMPTS] if test.several else COLUMNS
        return no_predictions_by_prompts(columns)
    prompting = import_module(f"pairdx.models.{params.family}.prompting")
    table: pd.DataFrame
    if test.several:
        table = prompting.findings_by_prompts(
            classifier, test, features, params.prompts, of_task, params.batch_size
        )
        return table
    table = prompting.predictions_by_prompts(
        classifier, test, features, params.prompts, params.batch_size
    )
    right = table["label"] == table["predicted"]
    for template, accuracy in right.groupby(table["template"], sort=False).mean().items():
        log.info("%s: accuracy %.4f", template, accuracy)
    return table


def main() -> None:
    """Load the system once, show it every pair once, write all tables, and drop training state."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        require_usable(source.pairs, source.split, params.classes, snakemake.wildcards.split)
        classifier = loaded()
        validation, test = (
            read_subset(source.pairs, source.split, source.images, params.classes, subset)
            for subset in (VALIDATION, KNOWN)
        )
        answers = {VALIDATION: asked(classifier, validation), KNOWN: asked(classifier, test)}
        tables = [
            predicted(pairs, answers[subset].probabilities, subset, log)
            for subset, pairs in ((VALIDATION, validation), (KNOWN, test))
        ]
        write_table(out.predictions, pd.concat(tables, ignore_index=True))
        table = known_and_out_of_distribution(
            (validation.table, answers[VALIDATION]),
            (test.table, answers[KNOWN]),
            asked_out_of_distribution(classifier, test),
            test.classes,
        )
        for subset, of_subset in table.groupby("subset"):
            means = of_subset[["max_probability", "energy"]].mean()
            log.info("%s: %d pairs, means %s", subset, len(of_subset), means.round(4).to_dict())
        write_table(out.out_of_distribution, table)
        features = answers[KNOWN].image_features
        write_table(out.prompts, asked_by_prompts(classifier, test, features, log))
        remove_state(params.state)


main()
