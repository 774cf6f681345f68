"""Accuracy under changed input: one row per split, system, probe and level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pairdx.evaluation.accuracy import accuracy_difference, accuracy_over_seeds, majority_share
from pairdx.evaluation.input_probes import (
    CAPTION_BLANK,
    CAPTION_SWAPPED,
    CLASS_WORDS,
    IMAGE_BLANK,
    UNCHANGED,
    axis_of,
)
from pairdx.evaluation.score_intervals import METHOD
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.markdown import percent, value_and_bounds, written_intervals

TITLE = "Accuracy under changed input"
COLUMNS = (
    *("split", "system", "probe", "level", "pairs", "accuracy", "accuracy_low", "accuracy_high"),
    *("difference", "difference_low", "difference_high"),
)
NAMES = {
    UNCHANGED: "Unchanged",
    CAPTION_BLANK: "Caption blanked",
    CAPTION_SWAPPED: "Caption of another pair",
    CLASS_WORDS: "Class words masked",
    IMAGE_BLANK: "Image blanked",
}
Registry = Mapping[str, Mapping[str, Any]]


def probe_table(
    predictions: Mapping[tuple[str, str], pd.DataFrame], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Build tables/input_probes.csv: one row per split, system, probe and level.

    ``difference`` is the accuracy less that of the same pairs with unchanged input. All are
    fractions of 1. Intervals are 95 % bootstrap intervals over cases; those of differences are
    paired (see ``accuracy_over_seeds`` and ``accuracy_difference``).

    Args:
        predictions: input_probes.parquet by split and system, in table order.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        split, system, probe, level (empty where a probe has none), pairs, accuracy, accuracy_low,
        accuracy_high, difference, difference_low, difference_high; the difference of the unchanged
        input is empty.

    Raises:
        PairDxError: A probe is over other pairs than the unchanged input.
    """
    rows = []
    for (split, system), table in predictions.items():
        probes = [
            (probe, level, rows_of.assign(subset="test"))
            for (probe, level), rows_of in table.groupby(
                ["probe", "level"], sort=False, dropna=False
            )
        ]
        unchanged = next(found for probe, _, found in probes if probe == UNCHANGED)
        for probe, level, found in probes:
            row = {"split": split, "system": system, "probe": probe, "level": level}
            row |= {"pairs": len(found)}
            accuracy = accuracy_over_seeds([found], resamples=resamples, seed=seed)
            row |= value_and_bounds("accuracy", accuracy)
            if probe != UNCHANGED:
                gain = accuracy_difference([found], [unchanged], resamples=resamples, seed=seed)
                row |= value_and_bounds("difference", gain)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS[3:] if name != "pairs"]
    return table.astype(dict.fromkeys(numbers, "float64"))


def probe_name(probe: str) -> str:
    """Return what a probe is called in tables and figures."""
    return NAMES.get(probe) or axis_of(probe)


def probes_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`probe_table` returned.
        registry: The ``systems`` section of the configuration.
    """
    return pd.DataFrame(
        {
            "Split": [readable(name) for name in table["split"]],
            "System": [system_title(name, registry) for name in table["system"]],
            "Input": [probe_name(name) for name in table["probe"]],
            "Level": [None if np.isnan(level) else f"{level:g}" for level in table["level"]],
            "Pairs": table["pairs"],
            "Accuracy, % (interval)": written_intervals(table, "accuracy"),
            "Difference to unchanged, points (interval)": written_intervals(table, "difference"),
        }
    )


def probe_notes(
    predictions: Mapping[tuple[str, str], pd.DataFrame], registry: Registry, resamples: int
) -> list[str]:
    """State the conditions of the numbers, and what guessing would do.

    Args:
        predictions: As for :func:`probe_table`.
        registry: The ``systems`` section of the configuration.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry[system] for _, system in predictions)
    shares = "; ".join(
        f"{readable(split).lower()} split: {percent(share)} %"
        for split, share in majority_shares(predictions).items()
    )
    return [
        *([demo] if demo else []),
        "Systems of the first seed, not trained again: the input is changed at test time only. A "
        "system is listed under changes of what it reads.",
        "Caption of another pair: any other of these test pairs, of whatever class. Class words "
        "masked: the words of all classes are taken out of every caption. Image blanked: one grey.",
        f"Share of the most frequent class among these pairs: {shares}.",
        f"Intervals: {METHOD}, 95 %, {resamples} resamples; those of differences are percentiles, "
        "paired: both accuracies are over the same pairs, and two cases are added, so that none "
        "collapses. All are of the one trained classifier, not of what another seed would give.",
    ]


def majority_shares(predictions: Mapping[tuple[str, str], pd.DataFrame]) -> dict[str, float]:
    """Return the share of the most frequent class among the probed pairs, by split."""
    found = {}
    for (split, _), table in predictions.items():
        unchanged = table[table["probe"] == UNCHANGED].assign(subset="test")
        found[split] = majority_share(unchanged)
    return found
