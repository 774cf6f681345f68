"""The price of leakage: one test set, classified after training with and without its siblings.

Both trainings have equally many pairs of every class (:mod:`pairdx.siblings`), so a system's two
accuracies differ by what its test pairs' siblings gave away, and by chance. Chance has two parts,
and the interval covers both: which groups of pairs were tested, and how the trainings fell out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.evaluation.agreement import training_of
from pairdx.evaluation.few_seeds import reach_of
from pairdx.evaluation.intervals import bootstrap_ratios, sums_per_case
from pairdx.tasks.single_label.rows import correctness, same_pairs

Array = NDArray[np.float64]

PRICE_COLUMNS = (
    *("system", "seeds", "test_pairs", "with_accuracy", "without_accuracy"),
    *("price", "price_low", "price_high"),
    *("pairs_with_siblings", "price_of_these", "price_of_these_low", "price_of_these_high"),
)


def leakage_prices(
    with_siblings: Mapping[str, Sequence[pd.DataFrame]],
    without_siblings: Mapping[str, Sequence[pd.DataFrame]],
    split: pd.DataFrame,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compute what the siblings of the test pairs in training add to each system's accuracy.

    Args:
        with_siblings: Per system, one predictions table per seed, on :mod:`pairdx.siblings`' split.
        without_siblings: The same systems and seeds on the grouped split, whose test pairs those of
            the other are a part of.
        split: split.parquet of the former: pair_id, subset, group.
        resamples: Number of bootstrap resamples of groups.
        seed: Seed of the resampling.
        level: Coverage of the intervals.

    Returns:
        One row per system, the columns of :data:`PRICE_COLUMNS`: accuracies and prices are
        fractions of 1, means over seeds; ``price`` is with minus without. ``of_these`` is over the
        test pairs alone of which a sibling is in training. Bounds (and that price) are NaN where
        there is nothing to compute them from.

    Raises:
        PairDxError: The systems or seeds differ, or a test pair was not predicted without siblings.
    """
    counts = [{name: len(each) for name, each in side.items()}
              for side in (with_siblings, without_siblings)]  # fmt: skip
    if counts[0] != counts[1]:
        raise PairDxError(
            "the price of leakage needs the same systems and seeds with and without siblings",
            where=f"with: {counts[0]}; without: {counts[1]}",
        )
    test = split[split["subset"] == "test"]
    trained_on = split.loc[split["subset"] == "train", "group"]
    rows: list[dict[str, Any]] = []
    for name, tables in with_siblings.items():
        keys, gained, right = _differences(tables, without_siblings[name], test["pair_id"])
        group = keys["pair_id"].map(test.set_index("pair_id")["group"])
        hinted = group.isin(trained_on).to_numpy()
        how: dict[str, Any] = {"resamples": resamples, "seed": seed, "level": level}
        price, low, high = mean_over_groups(gained, group, **how)
        of_these = mean_over_groups(gained[hinted], group[hinted], **how)
        values = (name, len(tables), len(keys), *right, price, low, high, int(hinted.sum()))
        rows.append(dict(zip(PRICE_COLUMNS, (*values, *of_these), strict=True)))
    return pd.DataFrame(rows, columns=PRICE_COLUMNS)


def check_equal_trainings(
    with_siblings: pd.DataFrame, without_siblings: pd.DataFrame, label: pd.Series, *, where: str
) -> tuple[int, int]:
    """Refuse two trainings where a class has more pairs in one of them.

    Args:
        with_siblings: split.parquet of the one: pair_id, subset.
        without_siblings: That of the other.
        label: The class of every pair, by pair_id.
        where: The files of both, for the message.

    Returns:
        Number of training pairs, and how many of those with siblings the other does not have.

    Raises:
        PairDxError: A class has more training pairs in one of them.
    """
    trained = [
        split.loc[split["subset"] == "train", "pair_id"]
        for split in (with_siblings, without_siblings)
    ]
    of_class = [ids.map(label).fillna("(no class)").value_counts() for ids in trained]
    counts = pd.concat(of_class, axis=1, keys=["with", "without"]).fillna(0).astype(int)
    unequal = counts[counts["with"] != counts["without"]]
    if len(unequal):
        numbers = unequal.itertuples(name=None)
        raise PairDxError(
            "training pairs with and without siblings: "
            + "; ".join(f"{name} {with_} and {without}" for name, with_, without in numbers),
            where=where,
            remedy="delete both; they are made again together",
        )
    return len(trained[0]), int((~trained[0].isin(trained[1])).sum())


def _differences(
    with_siblings: Sequence[pd.DataFrame], without: Sequence[pd.DataFrame], tested: pd.Series
) -> tuple[pd.DataFrame, Array, tuple[float, float]]:
    """Return the test pairs, what siblings changed (+1, 0, -1), [N, seeds], and both accuracies."""
    part = [table[table["pair_id"].isin(tested) & (table["subset"] == "test")] for table in without]
    rows = same_pairs([*with_siblings, *part], "test", of_what="splits")
    if len(rows[0]) != len(tested):
        raise PairDxError(
            f"{len(rows[0])} of {len(tested)} test pairs were predicted",
            remedy="predict again: the split changed in between",
        )
    right = np.stack([correctness(one) for one in rows], axis=1)
    seeds = len(with_siblings)
    accuracies = float(right[:, :seeds].mean()), float(right[:, seeds:].mean())
    return rows[0], right[:, :seeds] - right[:, seeds:], accuracies


def mean_over_groups(
    values: Array, group: pd.Series, *, resamples: int, seed: int, level: float
) -> tuple[float, float, float]:
    """Return a mean over pairs and seeds with an interval for other groups and other seeds.

    Two variances of the mean are added up. Of the groups: that of a bootstrap which draws whole
    groups. Of the seeds: that between their means beyond what their pairs add, over their number S.
    Both are estimated, the latter from few, so each has its Student's quantile, with the groups
    less one and S - 1 degrees of freedom (``few_seeds``). With one seed, only groups count. Where
    every pair has the value 0, no bootstrap differs: the bounds are then the largest shares of
    groups, to either side, of which none would show up with probability (1 - level) / 2 (after
    Clopper and Pearson).

    Args:
        values: float64 [N, S], from -1 to 1, one per pair and seed.
        group: The group of every pair.
        resamples: Number of resamples of the groups.
        seed: Seed of the draws.
        level: Coverage of the interval.

    Returns:
        The mean and its bounds; NaN without any pair, and bounds of NaN with a single group.
    """
    if not len(values):
        return math.nan, math.nan, math.nan
    mean, seeds = float(values.mean()), values.shape[1]
    of_pairs = np.column_stack([values.mean(axis=1), np.ones(len(values))])
    sums = sums_per_case(group, of_pairs)
    groups = len(sums)
    if groups < 2:
        return mean, math.nan, math.nan
    if not values.any():
        reach = 1 - ((1 - level) / 2) ** (1 / groups)
        return mean, -reach, reach
    means = bootstrap_ratios(sums[:, :1], sums[:, 1:], resamples=resamples, seed=seed)
    parts = [(float(np.var(means, ddof=1)), groups - 1)]
    if seeds > 1:
        of_group = pd.factorize(group)[0].astype(np.int64)
        parts.append((training_of(values.T, of_group, groups).own / seeds, seeds - 1))
    reach = reach_of(0.0, parts, level)
    return mean, mean - reach, mean + reach
