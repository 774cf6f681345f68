"""Tables of texts that images are paired with: which, how similar, and what they alone tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.evaluation.complementarity import CELLS, complementarity
from pairdx.pairing.matches import goes_to_most, most_used
from pairdx.reporting.format.labels import encoder_title, readable, system_title, systems_note
from pairdx.reporting.format.markdown import (
    percent,
    value_and_bounds,
    with_minus,
    written_intervals,
)
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.subsets import SUBSETS

Entry = Mapping[str, Any]
Predictions = Sequence[pd.DataFrame]
TITLE = "Texts paired with images"
COMPLEMENTARITY_TITLE = "What texts tell and images do not"
PAIRS_OF = {"train": "training pairs", "validation": "validation pairs", "test": "test pairs"}
LICENCE_NOTE = (
    "Texts and images keep their own licences; pass them on only as these, and the privacy of "
    "patients, allow."
)
_OF_ENTRY = ("choose", "rank", "bank", "encoder", "random_weights")
_CHOSEN = {
    "random": "any text, by chance",
    "own": "its own caption",
    "class": "a prompt of its class",
}
_CELL_TITLES = {
    "both": "Both right, %",
    "text_only": "Text right, image wrong, %",
    "image_only": "Image right, text wrong, %",
    "neither": "Both wrong, %",
}


@dataclass(frozen=True)
class Paired:
    """One pairing on one split.

    Attributes:
        matches: All of them (:mod:`pairdx.pairing.matches`).
        summary: Their summary.json.
        said: Predictions of its text classifier, a table for each seed.
    """

    matches: pd.DataFrame
    summary: Mapping[str, Any]
    said: Predictions


@dataclass(frozen=True)
class Source:
    """What a pairing chooses from.

    Attributes:
        texts: Its bank's texts.
        bank: Its bank.json.
        cut: Share of them that is longer than what the encoder reads.
    """

    texts: pd.DataFrame
    bank: Mapping[str, Any]
    cut: float


def random_weights_note(entries: Iterable[Entry]) -> list[str]:
    """Say of which encoders the weights are random; nothing where of none.

    Args:
        entries: ``encoder`` and ``random_weights`` of each.
    """
    names = dict.fromkeys(entry["encoder"] for entry in entries if entry["random_weights"])
    if not names:
        return []
    return [
        f"Random weights: {', '.join(names)} (weights: null in feature_extractors). Its cosines, "
        "what is chosen by them and what is learned from its features say nothing about a trained "
        "encoder."
    ]


def how_chosen(entry: Entry) -> str:
    """Say in words how a pairing chooses."""
    if entry["choose"] in _CHOSEN:
        return _CHOSEN[entry["choose"]]
    return "the nearest text" if entry["rank"] == 1 else f"the nearest but {entry['rank'] - 1}"


def pairing_table(
    paired: Mapping[tuple[str, str], Paired],
    sources: Mapping[str, Source],
    pairings: Mapping[str, Entry],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Build tables/pairings.csv: a row for each split and pairing.

    Args:
        paired: By split and pairing.
        sources: By pairing.
        pairings: ``choose``, ``rank``, ``bank``, ``encoder``, ``random_weights``, by name.
        resamples: Number of bootstrap resamples of the cases, for accuracies.
        seed: Seed of the resampling.

    Returns:
        split, pairing, choose, rank, bank, encoder, random_weights; bank_read, bank_dropped,
        bank_rejected, bank_texts, candidates (texts that could be chosen), median_characters,
        longest_characters, cut_share; SUBSET_pairs, SUBSET_texts_used, SUBSET_used_share,
        SUBSET_most_used (pairs of the most frequent text), SUBSET_cosine_mean, SUBSET_cosine_sd;
        validation_accuracy and test_accuracy (each with _low and _high), seeds.
    """
    rows = []
    for (split, name), one in paired.items():
        bank, source = sources[name].bank, sources[name]
        row: dict[str, Any] = {"split": split, "pairing": name}
        row |= {key: pairings[name][key] for key in _OF_ENTRY}
        row |= {"bank_read": bank["read"], "bank_dropped": bank["dropped"]}
        row |= {"bank_rejected": sum(bank["rejected"].values()), "bank_texts": bank["kept"]}
        row |= {"candidates": one.summary["texts"]}
        row |= {f"{name}_characters": value for name, value in bank["characters"].items()}
        row |= {"cut_share": source.cut}
        for subset in SUBSETS:
            row |= _of_subset(subset, one.summary["subsets"].get(subset))
        for subset in ("validation", "test"):
            found = accuracy_over_seeds(one.said, resamples=resamples, seed=seed, subset=subset)
            row |= value_and_bounds(f"{subset}_accuracy", found)
        rows.append({**row, "seeds": len(one.said)})
    return pd.DataFrame(rows)


def _of_subset(subset: str, found: Mapping[str, Any] | None) -> dict[str, Any]:
    values = {"pairs": 0, "texts_used": 0, "used_share": None, "most_used": 0}
    values |= {"cosine_mean": None, "cosine_sd": None}
    if found is not None:
        values |= {"pairs": found["pairs"], "texts_used": found["texts_used"]}
        values |= {"used_share": found["share_used"], "most_used": most_used(found)}
        values |= {f"cosine_{name}": found["cosine"][name] for name in ("mean", "sd")}
    return {f"{subset}_{name}": value for name, value in values.items()}


def pairings_for_reading(table: pd.DataFrame) -> pd.DataFrame:
    """Write tables/pairings.csv as text: what is in the bank, cosines with their spread."""
    entries: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    shown = {
        "Split": [readable(name) for name in table["split"]],
        "Pairing": [readable(name) for name in table["pairing"]],
        "Every image gets": [how_chosen(entry) for entry in entries],
        "Of the bank": table["bank"],
        "By the encoder": [encoder_title(entry) for entry in entries],
        "Cut texts, %": [percent(share) for share in table["cut_share"]],
        "Texts that training pairs use": [
            f"{one['train_texts_used']:,} of {one['candidates']:,}" for one in entries
        ],
        "Training pairs of the most frequent text, %": [
            percent(one["train_most_used"] / one["train_pairs"]) if one["train_pairs"] else ""
            for one in entries
        ],
    }
    for subset in SUBSETS:
        cosines = table[[f"{subset}_cosine_mean", f"{subset}_cosine_sd"]].to_numpy(dtype=float)
        shown[f"Cosine, {PAIRS_OF[subset]} (mean \N{PLUS-MINUS SIGN} SD)"] = [
            "" if pd.isna(mean) else with_minus(f"{mean:.3f} \N{PLUS-MINUS SIGN} {sd:.3f}")
            for mean, sd in cosines
        ]
    for subset in ("validation", "test"):
        written = written_intervals(table, f"{subset}_accuracy")
        shown[f"Accuracy of the text classifier, {PAIRS_OF[subset]}, %"] = written
    return pd.DataFrame(shown)


def pairing_notes(
    table: pd.DataFrame, *, drawn: bool, resamples: int, majority: Mapping[str, float]
) -> list[str]:
    """Say what the numbers are, and which of them say nothing.

    Args:
        table: tables/pairings.csv.
        drawn: Whether the workflow drew images and captions itself.
        resamples: Of the intervals.
        majority: By split, the share of the most frequent class among its test pairs.
    """
    shares = "; ".join(f"{readable(split)} {percent(one)} %" for split, one in majority.items())
    entries: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    notes = [
        *random_weights_note(entries),
        *_constant_notes(entries),
        "Cosines of images and the texts that they are paired with, by the frozen encoder that the "
        "pairing names; those of two encoders do not compare. Texts are cut where they are longer "
        "than what it reads.",
        "The text classifier learns from the texts of training pairs, and is asked about those "
        "that validation and test pairs get in the same way; no system sees these. The epoch "
        "with the highest validation accuracy is kept, so that this accuracy is optimistic. Means "
        f"over seeds ({table['seeds'].max()}), 95 % intervals from {resamples} bootstrap resamples "
        "of cases. "
        f"Most frequent class among test pairs: {shares}.",
    ]
    if (table["choose"] == "class").any():
        notes.append(
            "Where every image gets a prompt of its class, the text is the label: the accuracy of "
            "the text classifier says nothing, and a system that learns from it is told the label "
            "twice."
        )
    if (table["choose"] == "own").any():
        notes.append(
            "An image's own caption was written by somebody who knew more than the image shows: "
            "its accuracy is what captions tell, not what can be had without them."
        )
    return [*notes, DRAWN_NOTE if drawn else LICENCE_NOTE]


def _constant_notes(entries: Sequence[Entry]) -> list[str]:
    """Name the pairings that give most training pairs one text of many."""
    found = [
        f"{readable(one['pairing'])} on the {readable(one['split']).lower()} split gives "
        f"{one['train_most_used']:,} of {one['train_pairs']:,} training pairs one and the same "
        f"text, of {one['candidates']:,} that it can choose from"
        for one in entries
        if goes_to_most(
            one["train_most_used"], one["train_pairs"], one["candidates"], one["choose"]
        )
    ]
    if not found:
        return []
    return [
        f"{'; '.join(found)}: such a text tells next to nothing of an image, and what systems "
        "learn from it is no effect of what texts say."
    ]


# ---------------------------------------------------------------- beside systems on images alone
def complementarity_table(
    paired: Mapping[tuple[str, str], Paired],
    seen: Mapping[tuple[str, str], Predictions],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Build tables/complementarity.csv: a row for each split, pairing and system on images alone.

    Args:
        paired: By split and pairing.
        seen: Predictions by system and split, a table for each seed. A system with fewer seeds
            than the text classifier meets as many of its.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.

    Returns:
        split, pairing, system; both, text_only, image_only, neither (each with _low and _high):
        shares of test pairs; seeds, pairs.
    """
    rows = []
    for (split, name), one in paired.items():
        for (system, of_split), images in seen.items():
            if of_split != split:
                continue
            count = min(len(one.said), len(images))
            found = complementarity(
                one.said[:count], images[:count], resamples=resamples, seed=seed
            )
            row: dict[str, Any] = {"split": split, "pairing": name, "system": system}
            for cell in CELLS:
                row |= value_and_bounds(cell, found[cell])
            rows.append({**row, "seeds": found["seeds"], "pairs": found["pairs"]})
    return pd.DataFrame(rows)


def complementarity_for_reading(table: pd.DataFrame, registry: Mapping[str, Entry]) -> pd.DataFrame:
    """Write the shares in percent with their intervals."""
    shown = {
        "Split": [readable(name) for name in table["split"]],
        "Pairing": [readable(name) for name in table["pairing"]],
        "System on images alone": [system_title(name, registry) for name in table["system"]],
    }
    for cell in ("text_only", "image_only", "both", "neither"):
        shown[_CELL_TITLES[cell]] = written_intervals(table, cell)  # type: ignore[assignment]
    return pd.DataFrame(shown)


def complementarity_notes(
    table: pd.DataFrame,
    registry: Mapping[str, Entry],
    pairings: Mapping[str, Entry],
    resamples: int,
) -> list[str]:
    """Say what is compared."""
    demo = systems_note(registry.values())
    told = [readable(name) for name, one in pairings.items() if one["choose"] == "class"]
    prompts = (
        f"The texts of {', '.join(told)} are the label: what they tell beyond images says nothing."
    )
    return [
        *([demo] if demo else []),
        *random_weights_note(pairings.values()),
        "Of the test pairs, who gets which right: the classifier of the texts that images are "
        "paired with, and a system that reads the images alone. CLIP-IT's measure of "
        "complementarity is the first share.",
        f"Means over seeds ({table['seeds'].max() if len(table) else 0}), 95 % intervals from "
        f"{resamples} bootstrap resamples of cases. A text classifier that guesses is right "
        "now and then where an image is not: compare a share with that of texts by chance.",
        *([prompts] if told else []),
    ]
