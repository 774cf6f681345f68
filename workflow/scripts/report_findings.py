"""Report what one system finds on one split: metrics, scores per finding, ROC curves, training."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.findings import finding_scores, roc_points
from pairdx.evaluation.metrics import evaluate
from pairdx.files import read_table, write_json
from pairdx.logs import job_log
from pairdx.reporting.findings.roc_figure import roc_curves
from pairdx.reporting.findings.scores import scores_for_reading, scores_notes
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems.figures import training_curves
from pairdx.tasks import task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

DECIDED = "Findings decided rightly (%)"


def write_metrics(predictions: list[pd.DataFrame]) -> None:
    """Compute every metric of every seed from its whole prediction file."""
    params = snakemake.params
    how = {"resamples": params.resamples, "seed": params.seed}
    for table, path in zip(predictions, snakemake.output.metrics, strict=True):
        write_json(path, evaluate(task(params.task), table, [*params.classes], **how))


def report_scores(predictions: list[pd.DataFrame], name: str, notes: list[str]) -> str:
    """Write the scores of every finding over all seeds, and draw its ROC curves."""
    params, out, classes = snakemake.params, snakemake.output, snakemake.params.classes
    how = {"resamples": params.resamples, "seed": params.seed}
    scores = finding_scores(task(params.task), predictions, [*classes], **how)
    said = scores_notes(scores, classes, params.resamples)
    written = write_item(
        out,
        "findings",
        scores,
        scores_for_reading(scores, classes),
        title=f"Scores per finding: {name}",
        notes=[*notes, *said],
    )
    figure = roc_curves(
        roc_points(predictions, [*classes]),
        scores,
        classes,
        title=f"ROC curves: {name}",
        note=" ".join(notes) or None,
    )
    save_item(out, "roc", figure)
    return written


def main() -> None:
    """Write everything that is made of one system's predictions on one split."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        predictions = [read_table(path) for path in source.predictions]
        system = snakemake.wildcards.system
        name = f"{system_title(system, params.registry)}, {snakemake.wildcards.split} split"
        demo = systems_note(params.registry.values())
        notes = [*([demo] if demo else []), *([DRAWN_NOTE] if params.drawn else [])]
        write_metrics(predictions)
        log.info("%s", report_scores(predictions, name, notes))
        if is_made(snakemake.output, "findings_training", "svg"):
            figure = training_curves(
                [pd.read_csv(path) for path in source.histories],
                title=f"Training: {name}",
                note=" ".join(notes) or None,
                right=DECIDED,
            )
            save_item(snakemake.output, "findings_training", figure)


main()
