"""Report one system on one split: scores per class and confusion matrix."""

from typing import TYPE_CHECKING

import numpy as np

from pairdx.files import read_json, write_table
from pairdx.logs import job_log
from pairdx.reporting.figures import confusion_matrix, per_class_bars
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.stated import accuracy_notes, confusion_notes
from pairdx.reporting.tables import per_class_report, without_empty_paper
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table per class and draw both figures, over all seeds."""
    registry, stated, out = snakemake.params.registry, snakemake.params.stated, snakemake.output
    model, split = snakemake.wildcards.model, snakemake.wildcards.split
    with job_log(snakemake.log[0]) as log:
        metrics = [read_json(path) for path in snakemake.input.metrics]
        name = f"{system_title(model, registry)}, {split} split"
        demo = demo_note([registry[model]])
        of_paper = accuracy_notes(stated)
        notes = [*([demo] if demo else []), *of_paper]
        report = per_class_report(metrics, stated)
        write_table(out.csv, report)
        title = f"Scores per class: {name}"
        files = out.md, out.html, out.tex
        write_for_reading(without_empty_paper(report), *files, title=title, notes=notes)
        note = " ".join(notes) or None
        save(per_class_bars(report, title=title, note=note), out.bars, out.bars_png)

        confusion = np.sum([one["confusion"] for one in metrics], axis=0)
        seeds = f" (sum over {len(metrics)} seeds)" if len(metrics) > 1 else ""
        title = f"Confusion matrix: {name}{seeds}"
        classes = metrics[0]["classes"]
        note = " ".join([*notes, *confusion_notes(stated, confusion, classes)]) or None
        drawn = confusion_matrix(confusion, classes, title=title, note=note)
        save(drawn, out.confusion, out.confusion_png)
        log.info("%s: %d test pairs", name, metrics[0]["pairs"])


main()
