"""How scores of findings are written, and what is said of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.score_intervals import METHOD
from pairdx.reporting.format.markdown import with_interval, with_minus

# What stands for a score that is not defined, where it is read; CSV files leave it empty.
UNDEFINED = "\N{EN DASH}"
# The averages over findings: column of scores, and how tables call it.
MACRO_SCORES = {
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "f1": "F1",
    "mcc": "MCC",
}
FEW_POSITIVES = 10
THRESHOLDS = (
    "F1, MCC, sensitivity, specificity and precision are at thresholds: of each finding the "
    "probability of the largest MCC on the validation pairs, never on the test pairs; they are "
    "taken as they are in intervals. Where no validation pair has the finding, none is known to be "
    "without it, or all are equally probable, there is no threshold."
)
AVERAGES = (
    "Averages (macro) are over the findings that count: those that are true of some test pair and "
    "known not to be there in another. What is not known of a pair counts nowhere."
)


def decimal(value: float) -> str:
    """Write a score from -1 to 1 with three decimals and no minus zero."""
    return with_minus(f"{round(value, 3) + 0.0:.3f}")


def scores_of(table: pd.DataFrame, name: str) -> list[str]:
    """Write the columns NAME, NAME_low and NAME_high, row by row; undefined ones as a dash."""
    columns = [name, f"{name}_low", f"{name}_high"]
    rows = table[columns].to_numpy(dtype=float)
    return [with_interval(*row, write=decimal) or UNDEFINED for row in rows]


def values_of(values: Iterable[Any]) -> list[str]:
    """Write numbers without an interval likewise."""
    return [UNDEFINED if pd.isna(value) else decimal(float(value)) for value in values]


def intervals(resamples: int, level: float = 0.95) -> str:
    """Say what the intervals of scores are."""
    return (
        f"Intervals: {METHOD}, {100 * level:g} %, {resamples} resamples of the patients (cases), "
        "of the mean over seeds with the trained weights held fixed; percentiles of the bootstrap "
        "where a score is no share, as MCC."
    )


def listed(names: Sequence[str], most: int = 12) -> str:
    """List names within a sentence, of many the first."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
