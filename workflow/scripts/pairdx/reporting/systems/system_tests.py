"""Tests between systems in words: a table to read, and one plain sentence per two systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.markdown import percent

TITLE = "Tests between systems on the same test pairs"
SIGNIFICANCE = 0.05
Registry = Mapping[str, Mapping[str, Any]]


def pairwise_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the tests as text: titles, points with their interval, p-values.

    Args:
        table: tables/system_tests.csv: ``split`` and what ``pairwise_tests`` returned.
        registry: The ``systems`` section of the configuration.
    """
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    shown = {
        "Split": [readable(row["split"]) for row in rows],
        "System A": [system_title(row["system_a"], registry) for row in rows],
        "System B": [system_title(row["system_b"], registry) for row in rows],
        "Accuracy A, %": [percent(row["accuracy_a"]) for row in rows],
        "Accuracy B, %": [percent(row["accuracy_b"]) for row in rows],
        "These classifiers: A minus B, points (interval)": [
            points(row["difference"], row["difference_low"], row["difference_high"]) for row in rows
        ],
        "Only A right": [row["only_a_right"] for row in rows],
        "Only B right": [row["only_b_right"] for row in rows],
        "Bootstrap p, Holm": [p_value(row["p_bootstrap_holm"]) for row in rows],
        "McNemar p, Holm": [p_value(row["p_mcnemar_holm"]) for row in rows],
        "Seeds A, B": [f"{row['seeds_a']}, {row['seeds_b']}" for row in rows],
        "Methods: A minus B, points (interval)": [_of_methods(row) for row in rows],
        "Methods: p, Holm": [p_value(row["p_method_holm"]) for row in rows],
    }
    return pd.DataFrame(shown)


def _of_methods(row: Mapping[Any, Any]) -> str | None:
    if pd.isna(row["method_difference"]):
        return None
    names = ("method_difference", "method_difference_low", "method_difference_high")
    return points(*(row[name] for name in names))


def points(difference: float, low: float | None = None, high: float | None = None) -> str:
    """Write a difference of shares in percentage points, with its interval if there is one."""
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return percent(difference)
    return f"{percent(difference)} ({percent(low)} to {percent(high)})"


def p_value(value: float | None) -> str | None:
    """Write a p-value with three decimals; nothing where there is none."""
    if value is None or pd.isna(value):
        return None
    return "< 0.001" if value < 0.0005 else f"{value:.3f}"


def pairwise_notes(
    table: pd.DataFrame, registry: Registry, *, seed_of_training: int, several_seeds: bool
) -> list[str]:
    """State the conditions of the tests, then one sentence per two systems of a split.

    Args:
        table: tables/system_tests.csv.
        registry: The ``systems`` section of the configuration.
        seed_of_training: The seed whose predictions were compared.
        several_seeds: Whether some systems were trained with more seeds than that one.
    """
    demo = systems_note(registry.values())
    notes = [demo] if demo else []
    if table.empty:
        return [*notes, "There is one system only, and so nothing to compare."]
    sizes = table.drop_duplicates("split")
    notes += [
        f"Test pairs: {'; '.join(_conditions(row) for row in sizes.to_dict('records'))}.",
        "These classifiers: two sets of trained weights as they are. Whole cases are drawn with "
        "replacement, the same ones for both, and two cases more, in which one of the two is "
        "right, so that no interval collapses; it is the central 95 % of the resampled "
        "differences, and p belongs to it. McNemar: the exact two-sided binomial test of the pairs "
        "that only one of two classifies rightly. It counts pairs of one case as independent, "
        "which the bootstrap does not.",
        "Methods: what another training would change counts as well: difference of mean accuracies "
        "over seeds; its interval and p add the variance between trainings, with Student's "
        "quantile of so few, to that of a bootstrap over cases. Two systems without randomness are "
        "their classifiers, and have those numbers and that verdict. Empty "
        "where one of the two has randomness and was trained with one seed: then nothing can be "
        "said about the method.",
        f"Holm: p corrected for {len(table) // len(sizes)} comparisons, all pairs of systems of a "
        "split; of methods, for those of them of which something can be said. Intervals are not "
        f"corrected. Verdicts are at {SIGNIFICANCE}, on these classifiers by the bootstrap.",
    ]
    if (table[["seeds_a", "seeds_b"]] == 2).any(axis=None):
        notes.append(
            "Two seeds know little of their spread: a verdict on methods of which one has two is "
            "wrong somewhat more often than stated, in up to 9 of 100 at 0.05."
        )
    if several_seeds:
        notes.append(
            f"The classifiers of systems with several seeds are those of seed {seed_of_training}, "
            "the first one listed. Probabilities averaged over seeds would be another system, an "
            "ensemble, which the comparison does not show. So accuracies may differ from the "
            "comparison's means; tables/seeds has the spread."
        )
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    return notes + [sentence(row, registry) for row in rows]


def _conditions(row: Mapping[Any, Any]) -> str:
    return (
        f"{readable(row['split'])} {row['pairs']:,} of {row['cases']:,} cases "
        f"({row['resamples']:,} bootstrap resamples)"
    )


def sentence(row: Mapping[str, Any], registry: Registry) -> str:
    """Say in a sentence or two what one row of the tests means.

    Args:
        row: A row of tables/system_tests.csv.
        registry: The ``systems`` section of the configuration.
    """
    a, b = (system_title(row[name], registry) for name in ("system_a", "system_b"))
    difference = row["difference"]
    low, high = row["difference_low"], row["difference_high"]
    known = not pd.isna(low)
    if difference < 0:
        a, b, difference = b, a, -difference
        low, high = (0.0 - high, 0.0 - low) if known else (low, high)
    interval = f"95 % interval {percent(low)} to {percent(high)}" if known else "no interval"
    if difference == 0:  # counts over one set of pairs: a tie is exact
        finding = f"{a} and {b} classify equally many test pairs rightly ({interval})"
    else:
        finding = (
            f"{a} classifies {percent(difference)} points ({interval}) more test pairs rightly "
            f"than {b}"
        )
    told = f"{readable(row['split'])} split: {finding}{_verdict(row)}."
    return f"{told} {_verdict_on_methods(row, registry)}"


def _verdict(row: Mapping[str, Any]) -> str:
    bootstrap, mcnemar = p_value(row["p_bootstrap_holm"]), p_value(row["p_mcnemar_holm"])
    if bootstrap is None:
        return "; with a single case there is no bootstrap"
    found = "a difference" if row["p_bootstrap_holm"] < SIGNIFICANCE else "no difference"
    return (
        f"; after Holm's correction p {_equals(bootstrap)} (bootstrap) and p "
        f"{_equals(str(mcnemar))} (McNemar): {found} between these two trained classifiers is shown"
    )


def _verdict_on_methods(row: Mapping[str, Any], registry: Registry) -> str:
    once = [
        system_title(row[f"system_{side}"], registry)
        for side in ("a", "b")
        if row[f"seeds_{side}"] < 2 and registry[row[f"system_{side}"]]["random"]
    ]
    if once:
        return f"Of the methods nothing can be said: one seed of {' and of '.join(once)}."
    if pd.isna(row["p_method"]):
        return "Of the methods nothing can be said: a single case."
    found = "a difference" if row["p_method_holm"] < SIGNIFICANCE else "no difference"
    names = ("method_difference", "method_difference_low", "method_difference_high")
    difference, low, high = (row[name] for name in names)
    sides = ["a", "b"]
    if difference < 0:
        sides, (difference, low, high) = ["b", "a"], (-difference, -high, -low)
    first, second = (system_title(row[f"system_{side}"], registry) for side in sides)
    seeds = " and ".join(str(row[f"seeds_{side}"]) for side in sides)
    p = str(p_value(row["p_method_holm"]))
    return (
        f"The methods, {first} and {second}, {seeds} seeds: {points(difference, low, high)} points "
        f"apart, p {_equals(p)}: {found} is shown."
    )


def _equals(written: str) -> str:
    return written if written.startswith("<") else f"= {written}"
