"""What the split does to accuracy, to read: the stratified split against the grouped one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.markdown import percent
from pairdx.reporting.systems.system_tests import points

TITLE = "What the split does to accuracy"
Registry = Mapping[str, Mapping[str, Any]]


def effect_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the split's effect as text.

    Args:
        table: tables/split_effect.csv, what ``effect_of_the_split`` returned.
        registry: The ``systems`` section of the configuration.
    """
    shown = {
        "System": [system_title(name, registry) for name in table["system"]],
        "Trained": ["yes" if registry[name]["trained"] else "no" for name in table["system"]],
        "Seeds": list(table["seeds"]),
        "Stratified: accuracy, %": table["stratified_accuracy"].map(percent),
        "Grouped: accuracy, %": table["grouped_accuracy"].map(percent),
        "Stratified minus grouped, points (interval)": [
            points(*bounds)
            for bounds in zip(
                table["difference"], table["difference_low"], table["difference_high"], strict=True
            )
        ],
    }
    return pd.DataFrame(shown)


def effect_notes(
    table: pd.DataFrame, registry: Registry, tells: Mapping[str, Any], *, resamples: int
) -> list[str]:
    """State the conditions of the split's effect.

    Args:
        table: tables/split_effect.csv.
        registry: The ``systems`` section of the configuration.
        tells: What tells what belongs together (:meth:`pairdx.plan.facts.Facts.tells`).
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry.values())
    first = table.iloc[0]
    stratified, grouped, shared = (
        int(first[f"{name}_pairs"]) for name in ("stratified", "grouped", "shared")
    )
    notes = [demo] if demo else []
    own = [name for column, name in tells["grouped_by"].items() if column != "case_id"]
    groups = "case, article" if tells["articles"] else ", ".join(own)
    together = f"{groups} or duplicate" if groups else "group of duplicates"
    notes += [
        f"Stratified: pairs of one {together} may stand on two sides. Grouped: they "
        "may not. A positive difference is what leakage, and the choice of test pairs, add to a "
        "system's accuracy. The price of leakage alone, on one test set, is in leakage_price.",
        f"Test pairs: {stratified:,} stratified, {grouped:,} grouped, {shared:,} of them in both. "
        f"Interval: 95 %, {resamples:,} bootstrap resamples of the cases of both test sets "
        "together, of the difference of mean accuracies over seeds.",
    ]
    untrained = [
        system_title(name, registry) for name in table["system"] if not registry[name]["trained"]
    ]
    if untrained:
        notes.append(
            "A system that is not trained cannot profit from leakage: its difference shows what "
            f"the choice of test pairs alone does ({'; '.join(untrained)})."
        )
    return notes
