"""Draw the reliability and the risk by coverage of all systems on one split."""

from typing import TYPE_CHECKING

from pairdx.evaluation.calibration import calibrate
from pairdx.logs import job_log
from pairdx.reporting.calibration_figures import reliability_diagrams, risk_coverage_curves
from pairdx.reporting.cells import read_by_system
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Draw both figures, over all seeds."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        tables = read_by_system(params.cells, snakemake.input.predictions, params.registry)
        cells = {
            model: [calibrate(table, params.classes) for table in seeds]
            for (model, _), seeds in tables.items()
        }
        titles = {model: system_title(model, params.registry) for model in cells}
        split, note = snakemake.wildcards.split, demo_note(params.registry.values())
        drawn = reliability_diagrams(
            cells, titles, title=f"Reliability on the test pairs, {split} split", note=note
        )
        save(drawn, out.reliability, out.reliability_png)
        drawn = risk_coverage_curves(
            cells,
            titles,
            coverage=params.coverage,
            title=f"Risk by coverage on the test pairs, {split} split",
            note=note,
        )
        save(drawn, out.risk_coverage, out.risk_coverage_png)
        for model, seeds in cells.items():
            log.info("%s: T %s", model, ", ".join(f"{seed.temperature:.3f}" for seed in seeds))


main()
