"""Set the mean F1 and MCC over a competition's findings beside those of people and of a paper."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_table
from pairdx.logs import job_log
from pairdx.reporting.findings.competition import (
    TITLE,
    Entrant,
    competition_for_reading,
    competition_notes,
    competition_table,
)
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import about_grid, read_paper
from pairdx.tasks import task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def entrants() -> list[Entrant]:
    """Gather the predictions of all seeds; files come in the order of ``params.asked``."""
    found: dict[tuple[str, str, str], list[pd.DataFrame]] = {}
    for one, path in zip(snakemake.params.asked, snakemake.input.predictions, strict=True):
        dataset, split, system, *_ = one
        found.setdefault((dataset, split, system), []).append(read_table(path))
    return [Entrant(*key, tables) for key, tables in found.items()]


def main() -> None:
    """Write the table."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        paper = read_paper(snakemake.input.get("paper"))
        stated = about_grid(paper, "competition") if paper else {}
        facts = params.facts
        table = competition_table(
            entrants(),
            task(facts["task"]),
            facts["classes"],
            [*facts["findings"]],
            stated,
            resamples=params.resamples,
            seed=params.seed,
        )
        written = write_item(
            snakemake.output,
            "competition",
            table,
            competition_for_reading(table, facts, params.registry),
            title=TITLE.format(findings=len(facts["findings"]), dataset=facts["title"]),
            notes=competition_notes(
                *(table, facts, params.registry, stated), resamples=params.resamples
            ),
        )
        log.info("%s", written)


main()
