"""Describe which texts images are paired with, and what these texts tell."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_json, read_table
from pairdx.joins import joined
from pairdx.logs import job_log, logger
from pairdx.models.text_features import read_text_features
from pairdx.packed_images import open_packed
from pairdx.pairing.bank import read_texts
from pairdx.pairing.matches import read_matches
from pairdx.reporting.dataset import match_tables as single
from pairdx.reporting.dataset import pairing_tables as tables
from pairdx.reporting.dataset.pairing_figures import OF_EACH, cosine_histograms, match_sheet
from pairdx.reporting.dataset.pairing_tables import Paired, Source
from pairdx.reporting.format.cells import read_by_system
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_paired() -> dict[tuple[str, str], Paired]:
    """Read matches, summaries and predictions of all seeds, by split and pairing."""
    params, source = snakemake.params, snakemake.input
    found, seeds = {}, len(params.seeds)
    for at, (split, name) in enumerate(params.described):
        said = [read_table(path) for path in source.said[at * seeds : (at + 1) * seeds]]
        matches = read_matches(source.matches[at])
        found[split, name] = Paired(matches, read_json(source.summaries[at]), said)
    return found


def read_sources() -> dict[str, Source]:
    """Read texts and counts of every pairing's bank, and how many its encoder cuts."""
    source = snakemake.input
    files = zip(source.texts, source.banks, source.text_features, strict=True)
    return {
        name: Source(read_texts(texts), read_json(bank), read_text_features(Path(features)).cut)
        for name, (texts, bank, features) in zip(snakemake.params.pairings, files, strict=True)
    }


def write_pairings(
    paired: dict[tuple[str, str], Paired], sources: dict[str, Source], majority: dict[str, float]
) -> None:
    """Write what pairings are and what their texts alone tell."""
    params = snakemake.params
    how = {"resamples": params.resamples, "seed": params.seed}
    table = tables.pairing_table(paired, sources, params.pairings, **how)
    written = write_item(
        snakemake.output,
        "pairings",
        table,
        tables.pairings_for_reading(table),
        title=tables.TITLE,
        notes=tables.pairing_notes(
            table, drawn=params.drawn, resamples=params.resamples, majority=majority
        ),
    )
    logger.info("%s", written)


def write_complementarity(paired: dict[tuple[str, str], Paired]) -> None:
    """Write who is right, texts or images, beside every system that reads images alone."""
    params = snakemake.params
    seen = read_by_system(params.seen, snakemake.input.seen, params.registry)
    how = {"resamples": params.resamples, "seed": params.seed}
    table = tables.complementarity_table(paired, seen, **how)
    written = write_item(
        snakemake.output,
        "complementarity",
        table,
        tables.complementarity_for_reading(table, params.registry),
        title=tables.COMPLEMENTARITY_TITLE,
        notes=tables.complementarity_notes(
            table, params.registry, params.pairings, params.resamples
        ),
    )
    logger.info("%s", written)


def show_matches(
    paired: dict[str, Paired],
    sources: dict[str, Source],
    pairs: pd.DataFrame,
    subsets: pd.DataFrame,
    at: int,
) -> None:
    """Draw cosines, and write and draw the most and the least similar matches of one split."""
    params, out = snakemake.params, snakemake.output
    split = readable(params.splits[at]).lower()
    random = tables.random_weights_note(params.pairings.values())
    cosines = {
        name: joined(
            one.matches.loc[one.matches["chosen"], ["pair_id", "cosine"]],
            subsets,
            "pair_id",
            what="matches and split",
        )
        for name, one in paired.items()
    }
    drawn = cosine_histograms(
        cosines,
        params.pairings,
        title=f"Similarity of images and their texts, {split} split",
        note=" ".join([*random, "Cosines of two encoders do not compare."]),
    )
    save_item(out, "pairing_cosines", drawn, at)
    table = single.match_table(paired, sources, pairs, subsets, single.LISTED)
    title = single.MATCHES_TITLE.format(split=split)
    notes = single.match_notes(params.pairings, drawn=params.drawn)
    shown = single.matches_for_reading(table, params.classes, params.pairings)
    write_item(out, "text_matches", table, shown, title=title, notes=notes, at=at)
    few = single.match_table(paired, sources, pairs, subsets, OF_EACH)
    sheet = match_sheet(
        few,
        open_packed(snakemake.input.images).of_pairs(few["pair_id"].tolist())[:],
        title=title,
        note=" ".join([*random, notes[-1]]),
    )
    save_item(out, "text_matches", sheet, at)


def main() -> None:
    """Write both tables of all splits, and show single matches of each split."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]):
        paired, sources = read_paired(), read_sources()
        pairs = read_table(source.pairs, ["pair_id", "label"])
        splits = {
            split: read_table(path)[["pair_id", "subset"]]
            for split, path in zip(params.splits, source.splits, strict=True)
        }
        majority = {}
        for split, subsets in splits.items():
            names = subsets.loc[subsets["subset"] == "test", "pair_id"]
            labels = pairs.loc[pairs["pair_id"].isin(names), "label"]
            majority[split] = float(labels.value_counts(normalize=True).iloc[0])
        write_pairings(paired, sources, majority)
        if is_made(snakemake.output, "complementarity"):
            write_complementarity(paired)
        for at, (split, subsets) in enumerate(splits.items()):
            of_split = {name: paired[split, name] for name in params.pairings}
            show_matches(of_split, sources, pairs, subsets, at)


main()
