"""Describe the pairs: counts per class and subset, examples, caption lengths, ages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.packed_images import open_packed
from pairdx.plan.datasets import NO_FINDING
from pairdx.reporting.dataset import figures
from pairdx.reporting.dataset.finding_tables import COUNTED_ONCE, PREVALENCE, findings_table
from pairdx.reporting.format import tables
from pairdx.reporting.format.classes import with_titles
from pairdx.reporting.format.labels import as_in_paper
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item

CAPTIONS_PER_CLASS = 2

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def write_tables(pairs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Write the tables of the dataset and of captions, and return the first."""
    params, out = snakemake.params, snakemake.output
    splits = dict(zip(params.splits, map(pd.read_parquet, snakemake.input.splits), strict=True))
    dataset = tables.dataset_table(pairs, splits, params.classes)
    title = as_in_paper("Pairs per class and subset", params.in_paper.get("dataset_csv"))
    shown = with_titles(dataset, params.classes)
    once = [COUNTED_ONCE] if params.several else []
    write_item(out, "dataset", dataset, shown, title=title, notes=[*once, *notes])
    if params.several:
        write_findings(pairs, splits, notes)
    if out.get("example_captions_csv"):
        write_captions(pairs, notes)
    return dataset


def write_findings(
    pairs: pd.DataFrame, splits: Mapping[str, pd.DataFrame], notes: list[str]
) -> None:
    """Write of how many pairs each finding is true, is not, and is not known, by subset."""
    names = {name: shown for name, shown in snakemake.params.classes.items() if name != NO_FINDING}
    table = findings_table(pairs, splits, list(names))
    shown = with_titles(table, names, "finding")
    title = "Findings per subset"
    explained = [PREVALENCE, *notes]
    write_item(snakemake.output, "findings_of", table, shown, title=title, notes=explained)


def write_captions(pairs: pd.DataFrame, notes: list[str]) -> None:
    """Write example captions."""
    params, out = snakemake.params, snakemake.output
    captions = tables.caption_examples(
        pairs, params.classes, per_class=CAPTIONS_PER_CLASS, seed=params.seed
    )
    title = as_in_paper("Example captions", params.in_paper.get("example_captions_csv"))
    some = figures.classes_with_examples(pairs, params.classes)
    shown = with_titles(captions[captions["class"].isin(some)], params.classes)
    if not params.tells["articles"]:
        shown = shown.drop(columns="article_id")  # a checksum, which tells a reader nothing
    several = pairs["label"].nunique()
    if len(some) < several:
        said = f"Of the {len(some):,} classes with most pairs; all {several:,} are in the CSV file."
        notes = [said, *notes]
    write_item(out, "example_captions", captions, shown, title=title, notes=notes)


def draw_figures(pairs: pd.DataFrame, dataset: pd.DataFrame, note: str | None) -> None:
    """Draw example images, class counts, caption lengths and ages."""
    params, out = snakemake.params, snakemake.output
    packed, labels = open_packed(snakemake.input.images, checked=False), set(pairs["label"])
    some = figures.classes_with_examples(pairs, params.classes)
    chosen = tables.example_pairs(pairs, some, per_class=1, seed=params.seed)
    examples = {
        str(label): list(
            zip(packed.of_pairs(group["pair_id"].tolist())[:], group["caption"], strict=True)
        )
        for label, group in chosen.groupby("label", sort=False)
    }
    title = as_in_paper("Example images, one per class", params.in_paper.get("examples_svg"))
    known = {label: params.classes[label] for label in params.classes if label in labels}
    drawn = figures.example_images(examples, known, title=title, note=note)
    save_item(out, "examples", drawn)

    title = "Pairs per class and subset"
    counts = figures.class_counts(dataset, params.splits, params.classes, title=title, note=note)
    save_item(out, "class_counts", counts)

    if out.get("caption_lengths_svg"):
        title = "Words per caption"
        lengths = figures.caption_lengths(
            pairs, params.classes, title=title, note=note, truncation=params.tokens
        )
        save_item(out, "caption_lengths", lengths)

    if out.get("ages_svg"):
        title = "Ages of the patients"
        ages = figures.ages(pairs, params.classes, title=title, note=note, youngest=params.min_age)
        save_item(out, "ages", ages)


def main() -> None:
    """Write every table and figure about the pairs."""
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        note = tables.DRAWN_NOTE if snakemake.params.drawn else None
        dataset = write_tables(pairs, [note] if note else [])
        draw_figures(pairs, dataset, note)
        log.info("%d pairs described", len(pairs))


main()
