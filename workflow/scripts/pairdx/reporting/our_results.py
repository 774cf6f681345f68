"""Our results by name, for what config/paper.yaml sets beside the paper's numbers (``ours``).

Of the dataset: ``pairs``, ``classes`` (with pairs), ``largest_to_smallest_class`` (pairs of the one
over pairs of the other), ``split.<subset>`` (share of the stratified split), ``kept_after.<stage>``
(candidates of the curation funnel) and ``configured.<name>``. Of a system on the stratified split:
``accuracy``, ``recall.<class>``, ``confusions.<class>.<class>`` (test pairs of either class
predicted as the other, mean over seeds), ``train_seconds``, ``seconds_per_image``,
``settings.<name>`` (of its passport), ``accuracy_minus_that_of.<system>`` and
``train_seconds_within_those_of.<system>`` (how often the one goes into the other).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd

from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.subsets import SUBSETS

PAPER_SPLIT = "stratified"


@dataclass(frozen=True)
class Fact:
    """A number of ours with its interval, if it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Results:
    """Our results about the dataset or a system.

    Attributes:
        facts: By name; what has a dot in its name is nested. A leaf is a Fact or a plain number.
        stand_in: They come from a drawn corpus or a small random network.
    """

    facts: Mapping[str, Any]
    stand_in: bool = False

    def find(self, name: str) -> Fact | None:
        """Look up a dotted name; None where there is no such number."""
        found: Any = self.facts
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, Fact):
            return None if pd.isna(found.value) else found
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return Fact(float(found)) if is_number and not pd.isna(found) else None


def results_of_dataset(
    dataset: pd.DataFrame,
    funnel: pd.DataFrame | None,
    configured: Mapping[str, float],
    *,
    stand_in: bool,
) -> Results:
    """Gather our results about the dataset.

    Args:
        dataset: tables/dataset.csv.
        funnel: curated/funnel.csv; None for a corpus that someone else has filtered.
        configured: What the configuration states, by name.
        stand_in: The corpus was drawn.
    """
    counts = dataset.set_index("class")
    total = counts.loc["total"].astype("float64").to_dict()
    pairs = counts["pairs"].drop("total")
    pairs = pairs[pairs > 0]
    split = {subset: total.get(f"{PAPER_SPLIT}_{subset}") for subset in SUBSETS}
    kept = {} if funnel is None else funnel.groupby("stage")["kept"].sum().to_dict()
    facts = {
        "pairs": total["pairs"],
        "classes": len(pairs),
        "largest_to_smallest_class": float(pairs.max() / pairs.min()) if len(pairs) else None,
        "split": {
            subset: count / total["pairs"] for subset, count in split.items() if count is not None
        },
        "kept_after": {stage: float(count) for stage, count in kept.items()},
        "configured": dict(configured),
    }
    return Results(facts, stand_in)


def results_of_system(
    row: Mapping[str, Any],
    predictions: Sequence[pd.DataFrame],
    settings: Mapping[str, Any],
    *,
    resamples: int,
    seed: int,
    stand_in: bool,
) -> Results:
    """Gather our results about a system on the stratified split.

    Args:
        row: The system's row of tables/comparison.csv.
        predictions: predictions.parquet of every seed.
        settings: The settings in its passport.
        resamples: Number of bootstrap resamples of the test cases.
        seed: Seed of the bootstrap.
        stand_in: A small random network took the system's place.
    """
    tests = [table[table["subset"] == "test"] for table in predictions]

    def share(tables: Sequence[pd.DataFrame], of: float = 1) -> Fact:
        found = accuracy_over_seeds(tables, resamples=resamples, seed=seed)
        low, high = (None if found[end] is None else of * found[end] for end in ("low", "high"))
        return Fact(of * found["value"], low, high)

    classes = list(dict.fromkeys(tests[0]["label"]))
    recall = {name: share([table[table["label"] == name] for table in tests]) for name in classes}
    confusions: dict[str, dict[str, Fact]] = {name: {} for name in classes}
    for one, other in combinations(classes, 2):
        # The share of an event is the accuracy of tables in which only the event counts as right.
        events = [_marked(table, one, other) for table in tests]
        confusions[one][other] = confusions[other][one] = share(events, of=len(tests[0]))
    facts = {
        "accuracy": Fact(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
        "recall": recall,
        "confusions": confusions,
        "train_seconds": row["train_seconds"],
        "seconds_per_image": row["seconds_per_image"],
        "settings": settings,
    }
    return Results(facts, stand_in)


def _marked(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Count as right what confuses the two classes, and all else as wrong."""
    label, predicted = table["label"], table["predicted"]
    confused = ((label == one) & (predicted == other)) | ((label == other) & (predicted == one))
    return table.assign(predicted=label.where(confused, ""))


def related(systems: Mapping[str, Results]) -> dict[str, Results]:
    """Add what compares a system with another; a stand-in is compared with stand-ins only.

    Args:
        systems: By their keys in config/paper.yaml.
    """
    added = {}
    for key, own in systems.items():
        gains, speeds = {}, {}
        for other_key, other in systems.items():
            if other_key == key or other.stand_in != own.stand_in:
                continue
            accuracies = own.find("accuracy"), other.find("accuracy")
            if accuracies[0] and accuracies[1]:
                gains[other_key] = accuracies[0].value - accuracies[1].value
            seconds = own.find("train_seconds"), other.find("train_seconds")
            if seconds[0] and seconds[1]:
                speeds[other_key] = seconds[1].value / seconds[0].value
        facts = {"accuracy_minus_that_of": gains, "train_seconds_within_those_of": speeds}
        added[key] = replace(own, facts={**own.facts, **facts})
    return added
