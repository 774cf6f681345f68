"""Scores of one system, finding by finding."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pairdx.reporting.findings.numbers import (
    AVERAGES,
    FEW_POSITIVES,
    MACRO_SCORES,
    THRESHOLDS,
    UNDEFINED,
    intervals,
    listed,
    scores_of,
    values_of,
)
from pairdx.reporting.format.classes import Names, name_of, title_of

AT_THRESHOLD = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
}


def scores_for_reading(table: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Write the scores as text, intervals beside their values, the average below the findings.

    Args:
        table: What ``finding_scores`` returned: a row per finding, and one with the averages.
        names: Display names of the findings, by label.
    """
    findings, counted = table["finding"].iloc[:-1], int(table["counts"].iloc[-1])
    pairs = ("positives", "negatives", "unknown")
    several = bool((table["seeds"] > 1).any())
    shown: dict[str, list[Any]] = {
        "Finding": [title_of(name, names) for name in findings] + [f"Mean of {counted} findings"],
        **{name.capitalize(): _counts(table[name]) for name in pairs},
        "Threshold": values_of(table["threshold"]),
    }
    for name, title in (MACRO_SCORES | AT_THRESHOLD).items():
        shown[f"{title} (interval)"] = scores_of(table, name)
        if several and name in MACRO_SCORES:
            shown[f"{title}, SD over seeds"] = values_of(table[f"{name}_sd"])
    return pd.DataFrame(shown)


def _counts(counts: pd.Series) -> list[str]:
    """Write numbers of pairs; the row of averages has none."""
    return ["" if pd.isna(count) else f"{int(count):,}" for count in [*counts.iloc[:-1], None]]


def scores_notes(table: pd.DataFrame, names: Names, resamples: int) -> list[str]:
    """State the conditions of the numbers, and which findings are hardly measured.

    Args:
        table: What ``finding_scores`` returned.
        names: Display names of the findings, by label.
        resamples: Number of bootstrap resamples.
    """
    findings = table.iloc[:-1]
    left = findings.loc[~findings["counts"].astype(bool), "finding"]
    few = findings.loc[
        findings["counts"].astype(bool) & (findings["positives"] < FEW_POSITIVES), "finding"
    ]
    blind = findings.loc[findings["threshold"].isna(), "finding"]
    several = bool((table["seeds"] > 1).any())
    return [
        f"Positive, negative, unknown: test pairs. {UNDEFINED}: not defined.",
        AVERAGES + _named(" Left out of them", left, names),
        THRESHOLDS + _named(" So it is of", blind, names),
        intervals(resamples)
        + (" SD: how much trainings with other seeds differ, of a sample." if several else ""),
        *(
            [f"Fewer than {FEW_POSITIVES} positive test pairs{_named('', few, names)}"]
            if len(few)
            else []
        ),
    ]


def _named(what: str, labels: pd.Series, names: Names) -> str:
    """Say of which findings something holds; nothing where it holds of none."""
    shown = listed([name_of(label, names) for label in labels])
    return f"{what}: {shown}." if shown else ""
