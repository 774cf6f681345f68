"""The price of leakage to read: one test set, trained with and without its siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import groups_in_words, system_title, systems_note
from pairdx.reporting.format.markdown import percent
from pairdx.reporting.systems.system_tests import points

TITLE = "The price of leakage"
Registry = Mapping[str, Mapping[str, Any]]


def price_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the prices as text.

    Args:
        table: tables/leakage_price.csv, what ``leakage_prices`` returned.
        registry: title and stand_in of every system.
    """
    return pd.DataFrame(
        {
            "System": [system_title(name, registry) for name in table["system"]],
            "Seeds": list(table["seeds"]),
            "With siblings: accuracy, %": table["with_accuracy"].map(percent),
            "Without: accuracy, %": table["without_accuracy"].map(percent),
            "Price, points (interval)": _points(table, "price"),
            "Price for pairs with a sibling in training, points (interval)": _points(
                table, "price_of_these"
            ),
        }
    )


def _points(table: pd.DataFrame, name: str) -> list[str]:
    columns = [table[f"{name}{bound}"] for bound in ("", "_low", "_high")]
    return [
        "" if pd.isna(value) else points(value, *(None if pd.isna(one) else one for one in bounds))
        for value, *bounds in zip(*columns, strict=True)
    ]


def _shared(tells: Mapping[str, Any]) -> str:
    """Name what siblings share."""
    article = "" if tells["articles"] else "a "
    copies = [] if "captions" in tells["lacks"] else [f"{article}caption"]
    groups = [groups_in_words(tells)] if tells["grouped_by"] else []
    parts = [*groups, f"{article}near-duplicate image", *copies]
    return " or ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def price_notes(
    table: pd.DataFrame,
    registry: Registry,
    tells: Mapping[str, Any],
    *,
    train: int,
    exchanged: int,
    resamples: int,
) -> list[str]:
    """State the conditions of the prices.

    Args:
        table: tables/leakage_price.csv.
        registry: title and stand_in of every system.
        tells: What tells what belongs together (:meth:`pairdx.plan.facts.Facts.tells`).
        train: Training pairs, the same number with and without siblings.
        exchanged: How many of them are siblings of test pairs.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry.values())
    first = table.iloc[0]
    pairs, hinted = int(first["test_pairs"]), int(first["pairs_with_siblings"])
    notes = [demo] if demo else []
    notes += [
        f"One test set of {pairs:,} pairs, a part of the grouped split's. Without: trained on the "
        f"grouped split, {train:,} pairs. With: {exchanged:,} of these pairs exchanged for "
        f"siblings of test pairs, as many of every class. Siblings share {_shared(tells)}, "
        "directly or through others.",
        f"{hinted:,} test pairs ({percent(hinted / pairs)} %) have a sibling in training. The "
        "price over all test pairs grows with that share, which in a stratified split is another "
        "(tables leakage); the last column does not.",
        f"Interval: 95 %, from the variance of {resamples:,} bootstrap resamples of whole groups "
        "of siblings and that between trainings, each with its Student's quantile. With one "
        "seed, or a system without randomness, it holds for these trained classifiers. Where no "
        "pair was classified differently, its bounds are the shares of groups that "
        "could differ all the same.",
    ]
    if not hinted:
        notes.append("No test pair has a sibling that the dataset knows of: nothing can leak.")
    return notes
