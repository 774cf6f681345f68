"""Describe curation: the funnel, rejections, identifiers in captions, what subsets share."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.files import read_json
from pairdx.logs import job_log
from pairdx.reporting.dataset import curation_figures as figures
from pairdx.reporting.dataset import curation_tables as tables
from pairdx.reporting.dataset.finding_tables import COUNTED_ONCE
from pairdx.reporting.format.classes import with_titles
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item

MASKED_CAPTIONS = 30

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def write(name: str, table: pd.DataFrame, *, title: str, notes: list[str]) -> None:
    """Write one table in all formats."""
    write_item(snakemake.output, name, table, table, title=title, notes=notes)


def describe_funnel(notes: list[str]) -> None:
    """Write and draw the funnel, over all classes and for each."""
    params, out = snakemake.params, snakemake.output
    note = " ".join(notes) or None
    counts = tables.read_funnel(snakemake.input.funnel)
    stages = tables.funnel_table(counts)
    title = "Curation: candidates kept and rejected per stage"
    write("funnel", stages, title=title, notes=notes)
    save_item(out, "funnel", figures.funnel(stages, title=title, note=note))

    by_class = tables.funnel_by_class(counts, params.classes, params.out_of_distribution)
    title = "Curation: candidates left after every stage, by class"
    once = [COUNTED_ONCE] if params.several else []
    explained = [
        "The last column holds the pairs per class that the balancing leaves.",
        *once,
        *notes,
    ]
    shown = tables.funnel_by_class_for_reading(by_class, params.classes, params.out_of_distribution)
    write_item(out, "funnel_by_class", by_class, shown, title=title, notes=explained)
    note = " ".join(["Bars: shares of the class's candidates. Numbers: candidates left.", *notes])
    figure = figures.funnel_per_class(
        by_class, params.classes, params.out_of_distribution, title=title, note=note
    )
    save_item(out, "funnel_by_class", figure)

    # Without the column `detail`: it may hold the identifier for which a caption was rejected.
    rejected = pd.read_parquet(snakemake.input.rejected, columns=["stage", "reason"])
    reasons = tables.rejections_table(rejected, list(stages["stage"]))
    write("rejections", reasons, title="Candidates rejected, by stage and reason", notes=notes)
    if out.get("identifiers_csv"):
        describe_identifiers(rejected, notes)


def describe_identifiers(rejected: pd.DataFrame, notes: list[str]) -> None:
    """Write how many captions held identifiers, and a sample of those that were masked."""
    columns = ["pair_id", "label", "caption", "masked"]
    pairs = pd.read_parquet(snakemake.input.pairs, columns=columns)
    explained = [
        "Rejected: candidates, each by the kind it was rejected for. Masked: pairs, each under "
        "every kind that was masked in its caption. Any: candidates and pairs, each once. Kinds to "
        "keep were not looked for.",
        *notes,
    ]
    found = tables.identifiers_table(rejected, pairs, snakemake.params.identifiers)
    write("identifiers", found, title="Identifiers found in captions", notes=explained)

    sample = tables.masked_captions(pairs, most=MASKED_CAPTIONS, seed=snakemake.params.seed)
    masked = int((pairs["masked"] != "").sum())
    explained = [f"{len(sample):,} of {masked:,} pairs with a masked caption, at random.", *notes]
    title = "Masked captions, for review by a person"
    shown = with_titles(sample, snakemake.params.classes)
    write_item(snakemake.output, "masked_captions", sample, shown, title=title, notes=explained)


def evenness(reports: list[dict[str, Any]]) -> list[str]:
    """Say for every split how evenly its subsets share the classes."""
    return [
        f"{readable(report['split'])} split: the share of a class's pairs in a subset is at most "
        f"{100 * report['largest_deviation']:.1f} percentage points from what was asked for."
        for report in reports
        if "largest_deviation" in report
    ]


def describe_leakage(notes: list[str]) -> None:
    """Write and draw what subsets share."""
    out = snakemake.output
    reports = tables.with_own_words(
        [read_json(path) for path in snakemake.input.leakage], snakemake.params.tells
    )
    explained = ["Pairs and share are those of the subset named last.", *evenness(reports), *notes]
    table = tables.leakage_table(reports)
    write("leakage", table, title="What subsets share", notes=explained)
    title = "Pairs that share something with training pairs"
    figure = figures.leakage(reports, title=title, note=" ".join(notes) or None)
    save_item(out, "leakage", figure)


def main() -> None:
    """Write every table and figure about how the pairs were chosen and divided."""
    with job_log(snakemake.log[0]) as log:
        notes = [DRAWN_NOTE] if snakemake.params.drawn else []
        describe_funnel(notes)
        describe_leakage(notes)
        log.info("funnel, rejections, identifiers and leakage described")


main()
