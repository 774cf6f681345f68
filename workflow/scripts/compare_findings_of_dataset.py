"""Compare what the systems of one dataset find: tests, calibration, prompts."""

from typing import TYPE_CHECKING, Any

from pairdx.logs import job_log, logger
from pairdx.reporting.findings import calibration, prompts, system_tests
from pairdx.reporting.findings.calibration_figure import probabilities_and_shares
from pairdx.reporting.findings.places import Asked, in_order, read_asked
from pairdx.reporting.format.cells import read_by_system
from pairdx.reporting.format.labels import systems_note
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def how() -> dict[str, Any]:
    """Return how often and by which seed is resampled."""
    return {"resamples": snakemake.params.resamples, "seed": snakemake.params.seed}


def test_systems(asked: list[Asked]) -> str:
    """Test every two systems on the same test pairs."""
    params = snakemake.params
    table = system_tests.pairwise_table(asked, params.registry, **how())
    return write_item(
        snakemake.output,
        "findings_tests",
        table,
        system_tests.pairwise_for_reading(table, params.facts, params.registry),
        title=system_tests.TITLE,
        notes=system_tests.pairwise_notes(table, params.registry),
    )


def assess_probabilities(asked: list[Asked]) -> str:
    """Set probabilities beside how often findings are true: write the table and draw it."""
    params, out = snakemake.params, snakemake.output
    both = (params.facts, params.registry)
    table = calibration.calibration_table(asked)
    note = systems_note(params.registry.values())
    save_item(out, "findings_calibration", probabilities_and_shares(table, *both, note=note))
    return write_item(
        out,
        "findings_calibration",
        table,
        calibration.calibration_for_reading(table, *both),
        title=calibration.TITLE,
        notes=calibration.calibration_notes(table, params.registry),
    )


def compare_prompts() -> str:
    """Set what is found by one set of prompts after the other side by side."""
    params = snakemake.params
    registry = {system: params.registry[system] for system in params.own}
    predictions = read_by_system(params.prompted, snakemake.input.prompts, registry)
    classes = [*params.facts["datasets"][snakemake.wildcards.dataset]["classes"]]
    table = prompts.prompts_table(predictions, classes, **how())
    return write_item(
        snakemake.output,
        "finding_prompts",
        table,
        prompts.prompts_for_reading(table, registry),
        title=prompts.TITLE,
        notes=prompts.prompts_notes(table, registry, params.own, params.resamples),
    )


def main() -> None:
    """Write all comparisons that this configuration has."""
    params = snakemake.params
    with job_log(snakemake.log[0]):
        found = read_asked(params.asked, snakemake.input.predictions, params.facts)
        asked = in_order(found, params.facts, params.registry)
        logger.info("%s", test_systems(asked))
        logger.info("%s", assess_probabilities(asked))
        if is_made(snakemake.output, "finding_prompts"):
            logger.info("%s", compare_prompts())


main()
