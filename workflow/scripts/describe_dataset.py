"""Describe the pairs: counts per class and subset, examples, caption lengths, ages."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting import dataset_figures as figures
from pairdx.reporting import tables
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

CAPTIONS_PER_CLASS = 2

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def write_tables(pairs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Write the tables of the dataset and of captions, and return the first."""
    params, out = snakemake.params, snakemake.output
    splits = dict(zip(params.splits, map(pd.read_parquet, snakemake.input.splits), strict=True))
    dataset = tables.dataset_table(pairs, splits, params.classes)
    write_table(out.csv, dataset)
    title = "Pairs per class and subset (paper, Table 3)"
    write_for_reading(dataset, out.md, out.dataset_html, out.tex, title=title, notes=notes)

    captions = tables.caption_examples(
        pairs, params.classes, per_class=CAPTIONS_PER_CLASS, seed=params.seed
    )
    write_table(out.captions_csv, captions)
    title = "Example captions (paper, Table 4)"
    write_for_reading(
        captions, out.captions_md, out.captions_html, out.captions_tex, title=title, notes=notes
    )
    return dataset


def draw_figures(pairs: pd.DataFrame, dataset: pd.DataFrame, note: str | None) -> None:
    """Draw example images, class counts, caption lengths and ages."""
    params, out = snakemake.params, snakemake.output
    images = np.load(snakemake.input.images, mmap_mode="r")
    chosen = tables.example_pairs(pairs, params.classes, per_class=1, seed=params.seed)
    examples = {
        str(label): [
            (np.asarray(images[row]), str(caption)) for row, caption in group["caption"].items()
        ]
        for label, group in chosen.groupby("label", sort=False)
    }
    title = "Example images, one per class (paper, Figure 2)"
    save(figures.example_images(examples, title=title, note=note), out.examples, out.examples_png)

    title = "Pairs per class and subset"
    counts = figures.class_counts(dataset, params.splits, title=title, note=note)
    save(counts, out.class_counts, out.class_counts_png)

    title = "Words per caption"
    lengths = figures.caption_lengths(
        pairs, params.classes, title=title, note=note, truncation=params.tokens
    )
    save(lengths, out.caption_lengths, out.caption_lengths_png)

    title = "Ages of the patients"
    ages = figures.ages(pairs, params.classes, title=title, note=note, youngest=params.min_age)
    save(ages, out.ages, out.ages_png)


def main() -> None:
    """Write every table and figure about the pairs."""
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        note = tables.DRAWN_NOTE if snakemake.params.drawn else None
        dataset = write_tables(pairs, [note] if note else [])
        draw_figures(pairs, dataset, note)
        log.info("%d pairs described", len(pairs))


main()
