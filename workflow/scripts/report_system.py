"""Report one system on one split: metrics, scores per class, confusions, mistakes, training."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.mistakes import confident_mistakes
from pairdx.evaluation.per_class import per_class
from pairdx.evaluation.predictions import read_predictions, same_pairs
from pairdx.files import read_json, read_table, write_json, write_table
from pairdx.joins import joined
from pairdx.logs import job_log
from pairdx.reporting.confusion_figure import confusion_matrix
from pairdx.reporting.error_sheets import mistake_sheet, sheet_note
from pairdx.reporting.figures import per_class_bars, training_curves
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.stated import accuracy_notes, confusion_notes, training_notes
from pairdx.reporting.tables import per_class_for_reading, per_class_note, per_class_report
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

PAIR_COLUMNS = ["pair_id", "caption", "article_id", "licence"]


def write_metrics(predictions: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """Compute every metric of every seed from its whole prediction file, and return them."""
    params = snakemake.params
    for table, path in zip(predictions, snakemake.output.metrics, strict=True):
        metrics = evaluate(table, params.classes, resamples=params.resamples, seed=params.seed)
        write_json(path, metrics)
    # As they are read elsewhere, so that no table depends on which job made it.
    return [read_json(path) for path in snakemake.output.metrics]


def scores_per_class(predictions: list[pd.DataFrame]) -> dict[str, dict[str, float | None]]:
    """Compute the scores of every class, means over seeds with their intervals."""
    params = snakemake.params
    rows = same_pairs(predictions, "test", of_what="seeds")
    reads = [read_predictions(one, params.classes) for one in rows]
    return per_class(reads, params.classes, resamples=params.resamples, seed=params.seed)


def report_scores(
    metrics: list[dict[str, Any]], predictions: list[pd.DataFrame], name: str, notes: list[str]
) -> None:
    """Write the table per class, and draw it and the confusion matrix, over all seeds."""
    stated, out = snakemake.params.stated, snakemake.output
    notes = [*notes, *accuracy_notes(stated)]
    report = per_class_report(metrics, stated, scores_per_class(predictions))
    write_table(out.csv, report)
    title = f"Scores per class: {name}"
    files = out.md, out.html, out.tex
    written = [*notes, per_class_note(metrics)]
    write_for_reading(per_class_for_reading(report), *files, title=title, notes=written)
    note = " ".join(notes) or None
    save(per_class_bars(report, title=title, note=note), out.bars, out.bars_png)

    confusion = np.sum([one["confusion"] for one in metrics], axis=0)
    seeds = f" (sum over {len(metrics)} seeds)" if len(metrics) > 1 else ""
    title = f"Confusion matrix: {name}{seeds}"
    classes = metrics[0]["classes"]
    note = " ".join([*notes, *confusion_notes(stated, confusion, classes)]) or None
    drawn = confusion_matrix(confusion, classes, title=title, note=note)
    save(drawn, out.confusion, out.confusion_png)


def draw_mistakes(predictions: pd.DataFrame, name: str) -> None:
    """Draw the first seed's most confident mistakes; row i of the images belongs to pair i."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    pairs = pd.read_parquet(source.pairs, columns=PAIR_COLUMNS).reset_index(names="image")
    images = np.load(source.images, mmap_mode="r")
    found = confident_mistakes(predictions, params.classes, params.mistakes)
    shown = joined(found, pairs, "pair_id", what="the predictions and the pairs")
    figure = mistake_sheet(
        shown,
        images[shown["image"].to_numpy(dtype=np.int64)],
        title=f"Most confident mistakes: {name}",
        note=sheet_note(params.registry[snakemake.wildcards.model], drawn=params.drawn),
    )
    save(figure, out.mistakes, out.mistakes_png)


def draw_training(name: str, notes: list[str]) -> None:
    """Draw loss and accuracy over the epochs of every seed."""
    figure = training_curves(
        [pd.read_csv(path) for path in snakemake.input.histories],
        title=f"Training: {name}",
        note=" ".join([*notes, *training_notes(snakemake.params.stated)]) or None,
    )
    save(figure, snakemake.output.training, snakemake.output.training_png)


def main() -> None:
    """Write everything that is made of one system's predictions on one split."""
    registry, model = snakemake.params.registry, snakemake.wildcards.model
    with job_log(snakemake.log[0]) as log:
        predictions = [read_table(path) for path in snakemake.input.predictions]
        metrics = write_metrics(predictions)
        name = f"{system_title(model, registry)}, {snakemake.wildcards.split} split"
        demo = demo_note([registry[model]])
        notes = [demo] if demo else []
        report_scores(metrics, predictions, name, notes)
        draw_mistakes(predictions[0], name)
        if snakemake.output.get("training"):
            draw_training(name, notes)
        for one in metrics:
            accuracy = one["accuracy"]
            log.info(
                "%s: accuracy %.4f (%s to %s)",
                name,
                *(accuracy[key] for key in ("value", "low", "high")),
            )


main()
