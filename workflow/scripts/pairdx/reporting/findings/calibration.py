"""How far the probabilities of findings are to be believed: a row per system and test pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.findings_calibration import finding_calibration
from pairdx.reporting.findings.numbers import UNDEFINED, values_of
from pairdx.reporting.findings.places import NAMED, Asked, Facts, Registry, named_columns
from pairdx.reporting.format.classes import name_of
from pairdx.reporting.format.labels import systems_note

TITLE = "Probabilities of findings, and how often they are true"
MEASURED = ("pairs", "base_rate", "mean_probability", "ece", "brier")
COLUMNS = (*NAMED, "seeds", "finding", *MEASURED)


def calibration_table(asked: Sequence[Asked]) -> pd.DataFrame:
    """Build tables/findings_calibration_{dataset}.csv: a row per system, test pairs and finding.

    Args:
        asked: The predictions of one dataset's systems, in the order of tables.

    Returns:
        dataset, other, split, split_there, system, seeds, finding, pairs (of which it is known),
        base_rate (share of them that have it), mean_probability, ece, brier; means over seeds,
        fractions of 1, empty where nothing is known.
    """
    tables = [
        finding_calibration(one.predictions, one.classes).assign(
            **one.named(), seeds=len(one.predictions)
        )
        for one in asked
    ]
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def calibration_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write the means over findings, and the finding whose probabilities are farthest off.

    Args:
        table: What :func:`calibration_table` returned.
        facts: title and classes of datasets.
        registry: Every system.
    """
    groups = list(table.groupby(list(NAMED), sort=False))
    rows = pd.DataFrame([dict(zip(NAMED, key, strict=True)) for key, _ in groups])
    means = pd.DataFrame([own[[*MEASURED[1:]]].mean() for _, own in groups])
    never = [own["base_rate"] * (1 - own["base_rate"]) for _, own in groups]
    return pd.DataFrame(
        {
            **named_columns(rows, facts, registry),
            "Findings": [int(own["base_rate"].notna().sum()) for _, own in groups],
            "True": values_of(means["base_rate"]),
            "Mean probability": values_of(means["mean_probability"]),
            "Calibration error": values_of(means["ece"]),
            "Brier score": values_of(means["brier"]),
            "Brier score of the true share": values_of([each.mean() for each in never]),
            "Farthest off": [_farthest(own, facts) for _, own in groups],
        }
    )


def _farthest(own: pd.DataFrame, facts: Facts) -> str:
    """Name the finding whose probabilities differ most from how often it is true."""
    off = (own["mean_probability"] - own["base_rate"]).abs()
    if off.isna().all():
        return UNDEFINED
    row: dict[Any, Any] = own[off == off.max()].to_dict("records")[0]
    name = name_of(row["finding"], facts["datasets"][row["other"]]["classes"])
    said, true = values_of([row["mean_probability"], row["base_rate"]])
    return f"{name}: {said} said, {true} true"


def calibration_notes(table: pd.DataFrame, registry: Registry) -> list[str]:
    """State what the numbers are.

    Args:
        table: What :func:`calibration_table` returned.
        registry: Every system.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    return [
        *([demo] if demo else []),
        "Means over findings and seeds, of the test pairs of which a finding is known; each one is "
        "in the CSV file.",
        "True: the share of pairs that have a finding. Where probabilities are right, their mean "
        "is that share. Two prompts against each other are never told how frequent a finding is: "
        "zero-shot probabilities can rank well and still be far off.",
        "Calibration error: mean distance of the probability and the share that is true, over "
        "equal bins of the probability. Brier score: mean squared distance of the probability and "
        "the truth (1 or 0); that of the true share is of always saying how frequent a finding is.",
        *([f"{UNDEFINED}: nothing is known."] if table["base_rate"].isna().any() else []),
    ]
