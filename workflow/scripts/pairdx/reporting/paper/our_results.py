"""Our results by name, for what a paper's file sets beside the paper's numbers (``ours``).

Of the dataset: ``pairs``, ``classes`` (with pairs), ``largest_to_smallest_class`` (pairs of the one
over pairs of the other), ``split.<subset>`` (share of the paper's split), ``kept_after.<stage>``
(candidates of the curation funnel) and ``configured.<name>``. Of a system on the
paper's split:
``accuracy``, ``balanced_accuracy``, ``recall.<class>``, ``confusions.<class>.<class>`` (pairs of
either class predicted as the other, mean over seeds, of as many test pairs as the paper has),
``train_seconds``, ``seconds_per_image``,
``settings.<name>`` (of its passport), ``accuracy_minus_that_of.<system>`` and
``train_seconds_within_those_of.<system>`` (how often the one goes into the other).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.accuracy import accuracy_difference, accuracy_over_seeds
from pairdx.evaluation.agreement import Sampling, sampled_difference, sampled_share
from pairdx.evaluation.contributions import contributions, worth
from pairdx.evaluation.intervals import bootstrap_mean
from pairdx.evaluation.score_intervals import score_interval
from pairdx.subsets import SUBSETS
from pairdx.tasks.single_label.rows import correctness, same_pairs


@dataclass(frozen=True)
class Fact:
    """A number of ours with its interval, if it has one.

    Attributes:
        value: The number.
        low: Lower end of its interval.
        high: Upper end.
        sampling: What its uncertainty is made of; None where it is exact.
        papers_pairs: The test pairs that the paper's number is over.
        scale: By how much a share was multiplied: a number of pairs is one of the paper's pairs.
    """

    value: float
    low: float | None = None
    high: float | None = None
    sampling: Sampling | None = None
    papers_pairs: float = 0
    scale: float = 1


@dataclass(frozen=True)
class Results:
    """Our results about the dataset or a system.

    Attributes:
        facts: By name; what has a dot in its name is nested. A leaf is a Fact or a plain number.
        stand_in: They come from a drawn dataset or a small random network.
        tests: A system's predictions of the test pairs with every seed.
        random: Whether another seed would give another result.
    """

    facts: Mapping[str, Any]
    stand_in: bool = False
    tests: Sequence[pd.DataFrame] = ()
    random: bool = False

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
    split: str,
    stand_in: bool,
) -> Results:
    """Gather our results about the dataset.

    Args:
        dataset: tables/dataset.csv.
        funnel: curated/funnel.csv; None for a dataset that someone else has filtered.
        configured: What the configuration states, by name.
        split: The split that is the paper's.
        stand_in: The dataset was drawn.
    """
    counts = dataset.drop(columns="class")  # the last row is the total
    total = counts.iloc[-1].astype("float64").to_dict()
    pairs = counts["pairs"].iloc[:-1]
    pairs = pairs[pairs > 0]
    sizes = {subset: total.get(f"{split}_{subset}") for subset in SUBSETS}
    kept = {} if funnel is None else funnel.groupby("stage")["kept"].sum().to_dict()
    facts = {
        "pairs": total["pairs"],
        "classes": len(pairs),
        "largest_to_smallest_class": float(pairs.max() / pairs.min()) if len(pairs) else None,
        "split": {
            subset: count / total["pairs"] for subset, count in sizes.items() if count is not None
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
    random: bool,
    stand_in: bool,
    papers_pairs: int,
    papers_classes: int,
) -> Results:
    """Gather our results about a system on the paper's split.

    Args:
        row: The system's row of tables/comparison.csv.
        predictions: predictions.parquet of every seed.
        settings: The settings in its passport.
        resamples: Number of bootstrap resamples of the test cases.
        seed: Seed of the bootstrap.
        random: Whether another seed would give another result.
        stand_in: A small random network took the system's place.
        papers_pairs: Number of the paper's test pairs.
        papers_classes: Number of its classes, which it calls balanced.
    """
    tests = [table[table["subset"] == "test"] for table in predictions]

    def share(tables: Sequence[pd.DataFrame], pairs: float, scale: float = 1) -> Fact:
        found = accuracy_over_seeds(tables, resamples=resamples, seed=seed)
        low, high = (None if found[end] is None else scale * found[end] for end in ("low", "high"))
        right, case, cases = _correctness(tables)
        sampling = sampled_share(right, case, cases, random=random)
        return Fact(scale * found["value"], low, high, sampling, pairs, scale)

    classes = list(dict.fromkeys(tests[0]["label"]))
    of_class = papers_pairs / papers_classes
    recall = {
        name: share([table[table["label"] == name] for table in tests], of_class)
        for name in classes
    }
    confusions: dict[str, dict[str, Fact]] = {name: {} for name in classes}
    for one, other in combinations(classes, 2):
        # The share of an event is the accuracy of tables in which only the event counts as right.
        events = [_marked(table, one, other) for table in tests]
        found = share(events, papers_pairs, scale=papers_pairs)
        confusions[one][other] = confusions[other][one] = found
    facts = {
        "accuracy": share(tests, papers_pairs),
        "balanced_accuracy": _balanced(tests, papers_pairs, resamples, seed, random=random),
        "recall": recall,
        "confusions": confusions,
        "train_seconds": row["train_seconds"],
        "seconds_per_image": row["seconds_per_image"],
        "settings": settings,
    }
    return Results(facts, stand_in, tests, random)


def _correctness(
    tables: Sequence[pd.DataFrame],
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return what each seed classifies rightly, float64 [S, N], each pair's case, and how many."""
    rows = same_pairs(tables, "test", of_what="seeds")
    case, names = pd.factorize(rows[0]["case_id"], sort=True)
    return np.array([correctness(one) for one in rows]), case.astype(np.int64), len(names)


def _balanced(
    tables: Sequence[pd.DataFrame], pairs: float, resamples: int, seed: int, *, random: bool
) -> Fact:
    """Return balanced accuracy as the mean of what the pairs contribute to it."""
    right, case, cases = _correctness(tables)
    label = same_pairs(tables, "test", of_what="seeds")[0]["label"]
    truth = pd.factorize(label, sort=True)[0].astype(np.int64)
    each = np.array([contributions(truth, hits, "balanced_accuracy") for hits in right])
    drawn = bootstrap_mean(each.mean(axis=0), case, cases, resamples=resamples, seed=seed)
    value = float(each.mean())
    of_pairs = worth(truth, case, "balanced_accuracy")
    low, high = score_interval(value, drawn, 0.95, worth=of_pairs, cases=cases)
    return Fact(value, low, high, sampled_share(each, case, cases, random=random), pairs)


def _marked(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Count as right what confuses the two classes, and all else as wrong."""
    label, predicted = table["label"], table["predicted"]
    confused = ((label == one) & (predicted == other)) | ((label == other) & (predicted == one))
    return table.assign(predicted=label.where(confused, ""))


def related(
    systems: Mapping[str, Results], *, resamples: int, seed: int, papers_pairs: int
) -> dict[str, Results]:
    """Add what compares a system with another; a stand-in is compared with stand-ins only.

    Args:
        systems: By their keys in the paper's file.
        resamples: Number of bootstrap resamples of the test cases.
        seed: Seed of the bootstrap.
        papers_pairs: Number of the paper's test pairs.
    """
    added = {}
    for key, own in systems.items():
        gains, speeds = {}, {}
        for other_key, other in systems.items():
            if other_key == key or other.stand_in != own.stand_in:
                continue
            gains[other_key] = _gain(own, other, papers_pairs, resamples, seed)
            seconds = own.find("train_seconds"), other.find("train_seconds")
            if seconds[0] and seconds[1]:
                speeds[other_key] = seconds[1].value / seconds[0].value
        facts = {"accuracy_minus_that_of": gains, "train_seconds_within_those_of": speeds}
        added[key] = replace(own, facts={**own.facts, **facts})
    return added


def _gain(own: Results, other: Results, papers_pairs: int, resamples: int, seed: int) -> Fact:
    """Return the paired difference of two systems' mean accuracies over the same test pairs."""
    found = accuracy_difference(own.tests, other.tests, resamples=resamples, seed=seed)
    (first, case, cases), (second, _, _) = (_correctness(one.tests) for one in (own, other))
    random = (own.random, other.random)
    sampling = sampled_difference((first, second), case, cases, random=random)
    assert found["value"] is not None  # noqa: S101 - only its bounds can be missing
    return Fact(found["value"], found["low"], found["high"], sampling, papers_pairs)
