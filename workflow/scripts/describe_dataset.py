"""Describe the dataset: counts, examples, the curation funnel, and what subsets share."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.files import read_json, write_table
from pairdx.logs import job_log
from pairdx.reporting import dataset_figures as figures
from pairdx.reporting import tables
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

CAPTIONS_PER_CLASS = 2
DRAWN_NOTE = "Demo: images and captions are drawn by the workflow; no patient is shown."

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def write_tables(pairs: pd.DataFrame, notes: list[str]) -> None:
    """Write the tables of the dataset, of captions, of the funnel and of leakage."""
    params, out = snakemake.params, snakemake.output
    splits = dict(zip(params.splits, map(pd.read_parquet, snakemake.input.splits), strict=True))
    dataset = tables.dataset_table(pairs, splits, params.classes)
    write_table(out.csv, dataset)
    title = "Pairs per class and subset (paper, Table 3)"
    write_for_reading(dataset, out.md, out.dataset_html, title=title, notes=notes)

    captions = tables.caption_examples(
        pairs, params.classes, per_class=CAPTIONS_PER_CLASS, seed=params.seed
    )
    write_table(out.captions_csv, captions)
    title = "Example captions (paper, Table 4)"
    write_for_reading(captions, out.captions_md, out.captions_html, title=title, notes=notes)

    leakage = tables.leakage_table([read_json(path) for path in snakemake.input.leakage])
    write_table(out.leakage_csv, leakage)
    title = "What subsets share"
    explained = ["Pairs and share are those of the subset named last.", *notes]
    write_for_reading(leakage, out.leakage_md, out.leakage_html, title=title, notes=explained)

    draw_figures(pairs, dataset, notes[0] if notes else None)


def draw_figures(pairs: pd.DataFrame, dataset: pd.DataFrame, note: str | None) -> None:
    """Draw example images, the funnel, class counts and caption lengths."""
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

    stages = tables.funnel_table(pd.read_csv(snakemake.input.funnel))
    write_table(out.funnel_csv, stages)
    title = "Curation: candidates kept and rejected per stage"
    write_for_reading(stages, out.funnel_md, title=title, notes=[note] if note else [])
    save(figures.funnel(stages, title=title, note=note), out.funnel, out.funnel_png)

    title = "Pairs per class and subset"
    counts = figures.class_counts(dataset, params.splits, title=title, note=note)
    save(counts, out.class_counts, out.class_counts_png)
    title = "Words per caption"
    lengths = figures.caption_lengths(
        pairs, params.classes, title=title, note=note, truncation=params.tokens
    )
    save(lengths, out.caption_lengths, out.caption_lengths_png)


def main() -> None:
    """Write every table and figure about the data."""
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        write_tables(pairs, [DRAWN_NOTE] if snakemake.params.drawn else [])
        log.info("%d pairs described", len(pairs))


main()
