"""Predictions under changed input: what does a system read, and how clean must it be?

Not in the paper. MultiCaRe's captions often name the modality: a system that classifies pairs well
may read one of the two inputs alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pairdx.evaluation.caption_changes import (
    CAPTION_AXES,
    corrupt_captions,
    mask_words,
    other_pairs,
    word_pattern,
)
from pairdx.evaluation.corruptions import CORRUPTIONS, corrupt
from pairdx.image_rows import ChangedImages, RowNumbers
from pairdx.logs import progress
from pairdx.models.base import Classifier, Pairs, predict
from pairdx.ordering import seeded_rank

UNCHANGED = "unchanged"
CAPTION_BLANK, CAPTION_SWAPPED = "caption_blank", "caption_swapped"
CLASS_WORDS, IMAGE_BLANK = "class_words_masked", "image_blank"
# What the text gives away, in the order of its figure.
GIVEN_AWAY = (UNCHANGED, CAPTION_BLANK, CAPTION_SWAPPED, CLASS_WORDS, IMAGE_BLANK)
COLUMNS = ("pair_id", "case_id", "label", "probe", "level", "predicted", "p_label")


@dataclass(frozen=True)
class InputProbe:
    """One change of the input.

    Attributes:
        name: One of :data:`GIVEN_AWAY`, or a kind of corruption.
        level: How strong, for corruptions.
    """

    name: str
    level: float | None = None


def probes_of(reads: Sequence[str], settings: Mapping[str, Any]) -> list[InputProbe]:
    """List the probes that can change what a system reads; the unchanged input is the first.

    Args:
        reads: ``image``, ``caption``, or both.
        settings: The section ``input_probes`` of the configuration, as far as it concerns them.
    """
    found = [InputProbe(UNCHANGED)]
    graded: dict[str, Sequence[float]] = {}
    if "caption" in reads:
        found += [InputProbe(name) for name in (CAPTION_BLANK, CAPTION_SWAPPED, CLASS_WORDS)]
        graded |= settings["caption_corruptions"]
    if "image" in reads:
        found.append(InputProbe(IMAGE_BLANK))
        graded = {**settings["image_corruptions"], **graded}
    return found + [InputProbe(kind, level) for kind, levels in graded.items() for level in levels]


def chosen_pairs(pairs: Pairs, count: int | None, seed: int) -> Pairs:
    """Choose at most ``count`` pairs at random, the same for every system; None for all."""
    if count is None or count >= len(pairs):
        return pairs
    rank = seeded_rank(pairs.table["pair_id"], seed, "pairs of the input probes").to_numpy()
    rows = np.sort(np.argsort(rank, kind="stable")[:count])
    return pairs.at(rows)


def changed(pairs: Pairs, probe: InputProbe, settings: Mapping[str, Any]) -> Pairs:
    """Return the pairs with their captions or images changed; labels and names stay.

    Images are changed batch by batch, when they are asked for.

    Args:
        pairs: N pairs; left as they are.
        probe: What to change.
        settings: The section ``input_probes`` of the configuration.

    Raises:
        PairDxError: The probe does not exist, or captions of fewer than two pairs are to be
            swapped.
    """
    if probe.name == UNCHANGED:
        return pairs
    names, seed = pairs.table["pair_id"].tolist(), settings["seed"]
    if probe.name == IMAGE_BLANK:
        grey = settings["blank_image_grey"]
        blank = ChangedImages(pairs.images, lambda images, _: np.full_like(images, grey))
        return Pairs(pairs.table, blank, pairs.classes)
    if probe.name in CORRUPTIONS:

        def damage(images: np.ndarray, rows: RowNumbers) -> np.ndarray:
            of_rows = [names[row] for row in rows]
            return corrupt(images, of_rows, probe.name, _level(probe), seed)

        return Pairs(pairs.table, ChangedImages(pairs.images, damage), pairs.classes)
    captions = _captions(pairs, probe, settings)
    return Pairs(pairs.table.assign(caption=captions), pairs.images, pairs.classes)


def _level(probe: InputProbe) -> float:
    return 0.0 if probe.level is None else probe.level


def _captions(pairs: Pairs, probe: InputProbe, settings: Mapping[str, Any]) -> list[str]:
    captions, names = pairs.captions, pairs.table["pair_id"].tolist()
    if probe.name == CAPTION_BLANK:
        return [""] * len(captions)
    if probe.name == CAPTION_SWAPPED:
        return [captions[other] for other in other_pairs(names, settings["seed"])]
    if probe.name == CLASS_WORDS:
        # Of all classes in every caption: gaps at a pair's own class alone would name it.
        words = settings["class_words"].values()
        pattern = word_pattern(word for of_class in words for word in of_class)
        return [mask_words(caption, pattern) for caption in captions]
    return corrupt_captions(captions, names, probe.name, _level(probe), settings["seed"])


def predictions_under_probes(
    classifier: Classifier,
    pairs: Pairs,
    reads: Sequence[str],
    settings: Mapping[str, Any],
    batch_size: int,
) -> pd.DataFrame:
    """Predict the same pairs under one change of their input after the other.

    Args:
        classifier: The system.
        pairs: N test pairs.
        reads: What the system reads: changes of anything else are left out.
        settings: The section ``input_probes`` of the configuration.
        batch_size: Pairs at a time.

    Returns:
        pair_id, case_id, label, probe, level (float64; empty where a probe has none), predicted,
        p_label (float32: the probability of the true class): N rows per probe.

    Raises:
        PairDxError: A probe does not exist, or a probability is not a number.
    """
    pairs = chosen_pairs(pairs, settings["pairs"], settings["seed"])
    names = np.array(pairs.classes, dtype=object)
    tables = []
    for probe in progress(probes_of(reads, settings), "input probes"):
        found = predict(classifier, changed(pairs, probe, settings), batch_size)
        table = pairs.table[["pair_id", "case_id", "label"]].assign(
            probe=probe.name,
            level=np.nan if probe.level is None else float(probe.level),
            predicted=names[found.argmax(axis=1)],
            p_label=found[np.arange(len(pairs)), pairs.labels],
        )
        tables.append(table[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def axis_of(kind: str) -> str:
    """Say what the level of a corruption is, with its unit."""
    return CORRUPTIONS[kind].axis if kind in CORRUPTIONS else CAPTION_AXES[kind]
