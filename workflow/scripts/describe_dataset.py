"""Describe the pairs: counts per class and subset, examples, caption lengths, ages."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.packed_images import open_packed
from pairdx.reporting.dataset import figures
from pairdx.reporting.format import tables
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
    write_item(out, "dataset", dataset, dataset, title=title, notes=notes)

    captions = tables.caption_examples(
        pairs, params.classes, per_class=CAPTIONS_PER_CLASS, seed=params.seed
    )
    title = as_in_paper("Example captions", params.in_paper.get("example_captions_csv"))
    write_item(out, "example_captions", captions, captions, title=title, notes=notes)
    return dataset


def draw_figures(pairs: pd.DataFrame, dataset: pd.DataFrame, note: str | None) -> None:
    """Draw example images, class counts, caption lengths and ages."""
    params, out = snakemake.params, snakemake.output
    packed = open_packed(snakemake.input.images, checked=False)
    chosen = tables.example_pairs(pairs, params.classes, per_class=1, seed=params.seed)
    examples = {
        str(label): list(
            zip(packed.of_pairs(group["pair_id"].tolist())[:], group["caption"], strict=True)
        )
        for label, group in chosen.groupby("label", sort=False)
    }
    title = as_in_paper("Example images, one per class", params.in_paper.get("examples_svg"))
    save_item(out, "examples", figures.example_images(examples, title=title, note=note))

    title = "Pairs per class and subset"
    counts = figures.class_counts(dataset, params.splits, title=title, note=note)
    save_item(out, "class_counts", counts)

    title = "Words per caption"
    lengths = figures.caption_lengths(
        pairs, params.classes, title=title, note=note, truncation=params.tokens
    )
    save_item(out, "caption_lengths", lengths)

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
