"""Put what all systems find side by side, at home and on the datasets that they are tested on."""

from typing import TYPE_CHECKING

from pairdx.logs import job_log
from pairdx.reporting.findings.by_test_set import TITLE as EACH_TITLE
from pairdx.reporting.findings.by_test_set import (
    by_test_set,
    by_test_set_for_reading,
    by_test_set_notes,
)
from pairdx.reporting.findings.comparison import (
    TITLE,
    comparison_for_reading,
    comparison_notes,
    comparison_table,
    scored,
)
from pairdx.reporting.findings.comparison_figure import findings_comparison
from pairdx.reporting.findings.places import read_asked
from pairdx.reporting.format.labels import systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.tasks import task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the comparison and what it is made of, and draw it."""
    params, out = snakemake.params, snakemake.output
    both = (params.facts, params.registry)
    with job_log(snakemake.log[0]) as log:
        asked = read_asked(params.asked, snakemake.input.predictions, params.facts)
        how = {"resamples": params.resamples, "seed": params.seed}
        found = scored(task(params.task), asked, *both, **how)
        table = comparison_table(task(params.task), found, **how)
        written = write_item(
            out,
            "findings_comparison",
            table,
            comparison_for_reading(table, *both),
            title=TITLE,
            notes=comparison_notes(table, params.registry, params.resamples),
        )
        each = by_test_set(found)
        write_item(
            out,
            "findings_by_test_set",
            each,
            by_test_set_for_reading(each, *both),
            title=EACH_TITLE,
            notes=by_test_set_notes(each, params.registry, params.resamples),
        )
        shown = [params.registry[name] for name in table["system"].unique()]
        figure = findings_comparison(table, *both, note=systems_note(shown))
        save_item(out, "findings_comparison", figure)
        log.info("%s", written)


main()
