"""Assess how far probabilities are to be believed: calibration, abstention, other classes."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.calibration import calibrate
from pairdx.logs import job_log, logger
from pairdx.reporting.format.cells import read_by_system
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems import calibration_tables, out_of_distribution_tables
from pairdx.reporting.systems.calibration_figures import reliability_diagrams, risk_coverage_curves
from pairdx.reporting.systems.calibration_tables import answered_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# The predictions of every seed, by (system, split).
Predictions = dict[tuple[str, str], list[pd.DataFrame]]


def write_calibration(predictions: Predictions) -> pd.DataFrame:
    """Write calibration and abstention of all systems and splits, and return them."""
    params = snakemake.params
    table = calibration_tables.calibration_table(
        predictions,
        params.classes,
        **params.abstention,
        resamples=params.resamples,
        seed=params.seed,
    )
    written = write_item(
        snakemake.output,
        "calibration",
        table,
        calibration_tables.calibration_for_reading(table, params.registry),
        title=calibration_tables.TITLE,
        notes=calibration_tables.calibration_notes(table, params.registry, params.resamples),
    )
    logger.info("%s", written)
    return table


def draw_calibration(
    predictions: Predictions, table: pd.DataFrame, split: str, position: int
) -> None:
    """Draw the reliability and the risk by coverage of all systems on one split, all seeds."""
    params, out = snakemake.params, snakemake.output
    cells = {
        system: [calibrate(table, params.classes) for table in predictions[system, split]]
        for system in params.registry
    }
    titles = {system: system_title(system, params.registry) for system in cells}
    note = systems_note(params.registry.values())
    drawn = reliability_diagrams(
        cells, titles, title=f"Reliability on the test pairs, {split} split", note=note
    )
    save_item(out, "reliability", drawn, position)
    drawn = risk_coverage_curves(
        cells,
        titles,
        **params.abstention,
        chosen=answered_of(table, split),
        title=f"Risk by coverage on the test pairs, {split} split",
        note=note,
    )
    save_item(out, "risk_coverage", drawn, position)
    for system, seeds in cells.items():
        found = ", ".join(f"{seed.temperature:.3f}" for seed in seeds)
        logger.info("%s, %s split: T %s", system, split, found)


def write_out_of_distribution() -> None:
    """Write how well all systems notice a class that they were not trained on."""
    params = snakemake.params
    table = out_of_distribution_tables.out_of_distribution_table(
        read_by_system(params.cells, snakemake.input.scored, params.registry),
        resamples=params.resamples,
        seed=params.seed,
    )
    written = write_item(
        snakemake.output,
        "out_of_distribution",
        table,
        out_of_distribution_tables.out_of_distribution_for_reading(table, params.registry),
        title=out_of_distribution_tables.TITLE,
        notes=out_of_distribution_tables.out_of_distribution_notes(
            table, params.registry, params.out_of_distribution, params.resamples
        ),
    )
    logger.info("%s", written)


def main() -> None:
    """Write both tables over all systems and splits, and draw both figures of every split."""
    params = snakemake.params
    with job_log(snakemake.log[0]):
        predictions = read_by_system(params.cells, snakemake.input.predictions, params.registry)
        table = write_calibration(predictions)
        for position, split in enumerate(params.splits):
            draw_calibration(predictions, table, split, position)
        if is_made(snakemake.output, "out_of_distribution"):
            write_out_of_distribution()


main()
