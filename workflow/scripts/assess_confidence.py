"""Assess how far probabilities are to be believed: calibration, abstention, unknown classes."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.calibration import calibrate
from pairdx.files import write_table
from pairdx.logs import job_log, logger
from pairdx.reporting import calibration_tables, unknown_tables
from pairdx.reporting.calibration_figures import reliability_diagrams, risk_coverage_curves
from pairdx.reporting.calibration_tables import answered_of
from pairdx.reporting.cells import read_by_system
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# The predictions of every seed, by (system, split).
Predictions = dict[tuple[str, str], list[pd.DataFrame]]


def write_calibration(predictions: Predictions) -> pd.DataFrame:
    """Write calibration and abstention of all systems and splits, and return them."""
    params, out = snakemake.params, snakemake.output
    table = calibration_tables.calibration_table(
        predictions,
        params.classes,
        **params.abstention,
        resamples=params.resamples,
        seed=params.seed,
    )
    write_table(out.calibration_csv, table)
    write_for_reading(
        calibration_tables.calibration_for_reading(table, params.registry),
        out.calibration_md,
        out.calibration_html,
        out.calibration_tex,
        title=calibration_tables.TITLE,
        notes=calibration_tables.calibration_notes(table, params.registry, params.resamples),
    )
    logger.info("%s", Path(out.calibration_md).read_text(encoding="utf-8"))
    return table


def draw_calibration(
    predictions: Predictions, table: pd.DataFrame, split: str, position: int
) -> None:
    """Draw the reliability and the risk by coverage of all systems on one split, all seeds."""
    params, out = snakemake.params, snakemake.output
    cells = {
        model: [calibrate(table, params.classes) for table in predictions[model, split]]
        for model in params.registry
    }
    titles = {model: system_title(model, params.registry) for model in cells}
    note = demo_note(params.registry.values())
    drawn = reliability_diagrams(
        cells, titles, title=f"Reliability on the test pairs, {split} split", note=note
    )
    save(drawn, out.reliability[position], out.reliability_png[position])
    drawn = risk_coverage_curves(
        cells,
        titles,
        **params.abstention,
        chosen=answered_of(table, split),
        title=f"Risk by coverage on the test pairs, {split} split",
        note=note,
    )
    save(drawn, out.risk_coverage[position], out.risk_coverage_png[position])
    for model, seeds in cells.items():
        found = ", ".join(f"{seed.temperature:.3f}" for seed in seeds)
        logger.info("%s, %s split: T %s", model, split, found)


def write_unknown() -> None:
    """Write how well all systems notice a class that they were not trained on."""
    params, out = snakemake.params, snakemake.output
    table = unknown_tables.unknown_table(
        read_by_system(params.cells, snakemake.input.scored, params.registry),
        resamples=params.resamples,
        seed=params.seed,
    )
    write_table(out.unknown_csv, table)
    write_for_reading(
        unknown_tables.unknown_for_reading(table, params.registry),
        out.unknown_md,
        out.unknown_html,
        out.unknown_tex,
        title=unknown_tables.TITLE,
        notes=unknown_tables.unknown_notes(
            table, params.registry, params.unknown_classes, params.resamples
        ),
    )
    logger.info("%s", Path(out.unknown_md).read_text(encoding="utf-8"))


def main() -> None:
    """Write both tables over all systems and splits, and draw both figures of every split."""
    params = snakemake.params
    with job_log(snakemake.log[0]):
        predictions = read_by_system(params.cells, snakemake.input.predictions, params.registry)
        table = write_calibration(predictions)
        for position, split in enumerate(params.splits):
            draw_calibration(predictions, table, split, position)
        write_unknown()


main()
