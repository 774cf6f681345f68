"""Report one system on one split: metrics, scores per class, confusions, mistakes, training."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.mistakes import confident_mistakes
from pairdx.evaluation.per_class import per_class
from pairdx.evaluation.scores import read_seeds
from pairdx.files import read_json, read_table, write_json
from pairdx.joins import joined
from pairdx.logs import job_log
from pairdx.packed_images import open_packed
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.tables import per_class_for_reading, per_class_note, per_class_report
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import accuracy_notes, confusion_notes, training_notes
from pairdx.reporting.systems.confusion_figure import confusion_matrix
from pairdx.reporting.systems.figures import per_class_bars, training_curves
from pairdx.reporting.systems.mistake_sheets import mistake_sheet, sheet_note
from pairdx.tasks import task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

PAIR_COLUMNS = ["pair_id", "caption", "article_id", "licence"]


def write_metrics(predictions: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """Compute every metric of every seed from its whole prediction file, and return them."""
    params = snakemake.params
    for table, path in zip(predictions, snakemake.output.metrics, strict=True):
        metrics = evaluate(
            task(params.task),
            table,
            [*params.classes],
            resamples=params.resamples,
            seed=params.seed,
        )
        write_json(path, metrics)
    # As they are read elsewhere, so that no table depends on which job made it.
    return [read_json(path) for path in snakemake.output.metrics]


def scores_per_class(predictions: list[pd.DataFrame]) -> dict[str, dict[str, float | None]]:
    """Compute the scores of every class, means over seeds with their intervals."""
    params = snakemake.params
    classes = [*params.classes]
    reads = read_seeds(task(params.task), predictions, classes)
    return per_class(
        task(params.task), reads, classes, resamples=params.resamples, seed=params.seed
    )


def report_scores(
    metrics: list[dict[str, Any]], predictions: list[pd.DataFrame], name: str, notes: list[str]
) -> None:
    """Write the table per class, and draw it and the confusion matrix, over all seeds."""
    stated, out = snakemake.params.stated, snakemake.output
    notes = [*notes, *accuracy_notes(stated)]
    report = per_class_report(metrics, stated, scores_per_class(predictions))
    title = f"Scores per class: {name}"
    shown = per_class_for_reading(report, snakemake.params.classes)
    written = [*notes, per_class_note(metrics)]
    write_item(out, "per_class", report, shown, title=title, notes=written)
    note = " ".join(notes) or None
    bars = per_class_bars(report, snakemake.params.classes, title=title, note=note)
    save_item(out, "per_class", bars)

    confusion = np.sum([one["confusion"] for one in metrics], axis=0)
    seeds = f" (sum over {len(metrics)} seeds)" if len(metrics) > 1 else ""
    title = f"Confusion matrix: {name}{seeds}"
    classes = snakemake.params.classes
    note = " ".join([*notes, *confusion_notes(stated, confusion, classes)]) or None
    drawn = confusion_matrix(confusion, classes, title=title, note=note)
    save_item(out, "confusion", drawn)


def draw_mistakes(predictions: pd.DataFrame, name: str) -> None:
    """Draw the first seed's most confident mistakes."""
    params, source = snakemake.params, snakemake.input
    pairs = pd.read_parquet(source.pairs, columns=PAIR_COLUMNS)
    if not params.articles:
        pairs = pairs.assign(article_id="")
    found = confident_mistakes(predictions, [*params.classes], params.mistakes)
    shown = joined(found, pairs, "pair_id", what="the predictions and the pairs")
    images = open_packed(source.images, checked=False).of_pairs(shown["pair_id"].tolist())
    figure = mistake_sheet(
        shown,
        images[:],
        params.classes,
        title=f"Most confident mistakes: {name}",
        note=sheet_note(params.registry[snakemake.wildcards.system], drawn=params.drawn),
    )
    save_item(snakemake.output, "mistakes", figure)


def draw_training(name: str, notes: list[str]) -> None:
    """Draw loss and accuracy over the epochs of every seed."""
    figure = training_curves(
        [pd.read_csv(path) for path in snakemake.input.histories],
        title=f"Training: {name}",
        note=" ".join([*notes, *training_notes(snakemake.params.stated)]) or None,
    )
    save_item(snakemake.output, "training", figure)


def main() -> None:
    """Write everything that is made of one system's predictions on one split."""
    registry, system = snakemake.params.registry, snakemake.wildcards.system
    with job_log(snakemake.log[0]) as log:
        predictions = [read_table(path) for path in snakemake.input.predictions]
        metrics = write_metrics(predictions)
        name = f"{system_title(system, registry)}, {snakemake.wildcards.split} split"
        demo = systems_note([registry[system]])
        notes = [demo] if demo else []
        report_scores(metrics, predictions, name, notes)
        draw_mistakes(predictions[0], name)
        if is_made(snakemake.output, "training", "svg"):
            draw_training(name, notes)
        for one in metrics:
            accuracy = one["accuracy"]
            log.info(
                "%s: accuracy %.4f (%s to %s)",
                name,
                *(accuracy[key] for key in ("value", "low", "high")),
            )


main()
