"""Describe what systems and jobs cost, by image too, and draw accuracy against cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from pairdx.evaluation.timing import BATCHES
from pairdx.files import read_json, write_table
from pairdx.logs import job_log
from pairdx.reporting import benchmarks, cost
from pairdx.reporting.comparison import PAPER_SPLIT
from pairdx.reporting.cost_figure import accuracy_against_cost
from pairdx.reporting.labels import demo_note, readable, system_title
from pairdx.reporting.tables import timing_table
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_passports() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Gather the passports, which come in the order of ``params.cells``, by system and split."""
    passports: dict[tuple[str, str], list[dict[str, Any]]] = {}
    files = snakemake.input.passports
    for (split, model, _), path in zip(snakemake.params.cells, files, strict=True):
        passports.setdefault((model, split), []).append(read_json(path))
    return passports


def draw(comparison: pd.DataFrame, conditions: list[str]) -> None:
    """Draw the split that is the paper's, or else the first."""
    registry, out = snakemake.params.registry, snakemake.output
    splits = list(comparison["split"].unique())
    split = PAPER_SPLIT if PAPER_SPLIT in splits else splits[0]
    demo = demo_note(registry.values())
    figure = accuracy_against_cost(
        comparison[comparison["split"] == split],
        {name: system_title(name, registry) for name in registry},
        title=f"Accuracy against cost, {readable(split).lower()} split",
        note=" ".join([*([demo] if demo else []), *conditions]),
    )
    save(figure, out.svg, out.png)


def write_timings(timings: dict[str, dict[str, Any]]) -> None:
    """Write the CPU seconds per image by batch size and stage, with the protocol as its note."""
    registry, out = snakemake.params.registry, snakemake.output
    table = timing_table(timings)
    write_table(out.timing_csv, table)
    note = demo_note(registry.values())
    notes = [next(iter(timings.values()))["protocol"], BATCHES, *([note] if note else [])]
    named = table.assign(model=[system_title(name, registry) for name in table["model"]])
    files = out.timing_md, out.timing_html, out.timing_tex
    write_for_reading(named, *files, title="CPU seconds per image", notes=notes)


def describe_jobs() -> None:
    """Write what every job took as CSV, and what every rule took for reading."""
    out = snakemake.output
    table = benchmarks.benchmark_table(snakemake.params.jobs, snakemake.input.benchmarks)
    write_table(out.benchmarks_csv, table)
    write_for_reading(
        benchmarks.benchmarks_by_rule(table),
        out.benchmarks_md,
        out.benchmarks_html,
        out.benchmarks_tex,
        title=benchmarks.TITLE,
        notes=benchmarks.NOTES,
    )


def main() -> None:
    """Write the tables of systems and of jobs, and the figure."""
    registry, source, out = snakemake.params.registry, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        comparison, passports = pd.read_csv(source.comparison), read_passports()
        timings = dict(zip(registry, map(read_json, source.timings), strict=True))
        paper = yaml.safe_load(Path(source.paper).read_text(encoding="utf-8"))
        table = cost.cost_table(comparison, passports, timings, registry)
        write_table(out.cost_csv, table)
        write_for_reading(
            cost.cost_for_reading(table, registry),
            out.cost_md,
            out.cost_html,
            out.cost_tex,
            title=cost.TITLE,
            notes=cost.cost_notes(table, passports, timings, registry, paper),
        )
        timed = cost.timing_conditions(timings, "one pair at a time")
        draw(comparison, [timed, cost.paper_conditions(paper)])
        write_timings(timings)
        describe_jobs()
        log.info("%s", Path(out.cost_md).read_text(encoding="utf-8"))


main()
