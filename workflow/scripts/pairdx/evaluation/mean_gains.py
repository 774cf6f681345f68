"""What ways of adapting gain on average: over several test sets, and over backbones.

Systems that are asked about several test sets have a mean over these, and so has what a way gains
over the baseline. Test sets are of different patients: their variances add up. A training is the
same on all of them: what trainings differ by is taken as if one that is better on one test set were
better on all, which is the most that it can be. Trainings of different backbones are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from pairdx.evaluation.few_seeds import p_of, reach_of
from pairdx.evaluation.method_tests import Method
from pairdx.plan.grids import ASKED

Array = NDArray[np.float64]
SIGNIFICANCE = 0.05
BASELINE, BETTER, WORSE = "baseline", "better", "worse"
NOT_TOLD_APART, ONE_SEED, NOT_TESTED = "not told apart", "one seed", "not tested"
# Stands for all backbones in the place of one, and behind the dataset that systems are trained on
# for all test sets; no name can be this.
MEAN = "(mean)"


def is_mean(datasets: pd.Series) -> pd.Series:
    """Say of test sets, as a table of a grid names them, which are means over several: bool."""
    return datasets.str.endswith(MEAN)


@dataclass(frozen=True)
class Compared:
    """A way of adapting a backbone, as measured on one test set.

    Attributes:
        row: Key of the backbone.
        dataset: Name of the test set.
        split: Name of the split.
        column: Key of the way.
        system: Name of the system.
        seeds: float64 [S], the metric with every seed.
        method: The same over resamples of the cases.
        cases: Number of cases.
        worth: Of how many independent pairs the metric is if those of a case are always alike.
    """

    row: str
    dataset: str
    split: str
    column: str
    system: str
    seeds: Array
    method: Method
    cases: int
    worth: float

    @property
    def home(self) -> str:
        """The dataset that it is trained on."""
        return self.dataset.split(ASKED)[0]


@dataclass(frozen=True)
class Combined:
    """Whether a column differs from the baseline over all rows and datasets together.

    Attributes:
        p: Of the paired two-sided t-test over their means; None of fewer than two.
        means: Number of row and dataset means that were compared.
    """

    p: float | None
    means: int


def combined_p(column: Sequence[float], baseline: Sequence[float]) -> Combined:
    """Test a column against the baseline over their (row, dataset) means.

    The paired two-sided t-test. It takes every mean as one observation, as exact as any other and
    independent of the others, although the rows of one dataset share its test pairs.

    Args:
        column: The means of a column, K of them.
        baseline: Those of the baseline, in the same order.
    """
    differences = np.asarray(column, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    count = len(differences)
    if count < 2:
        return Combined(None, count)
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    if error == 0:
        return Combined(1.0 if differences[0] == 0 else 0.0, count)
    return Combined(float(2 * stdtr(count - 1, -abs(differences.mean()) / error)), count)


def verdict_of(difference: float, p: float) -> str:
    """Say whether a way is better than the baseline, worse, or not told apart."""
    if p >= SIGNIFICANCE:
        return NOT_TOLD_APART
    return BETTER if difference > 0 else WORSE


def mean_rows(
    compared: Sequence[Compared], baseline: str, *, level: float = 0.95
) -> list[dict[str, Any]]:
    """Return the mean over test sets of every way: of each backbone, and of all together.

    Only test sets on which the way and the baseline both have a value are in a mean, and only
    backbones that have any such in the mean of all.

    Args:
        compared: What was measured, of every backbone, test set, split and way.
        baseline: The way that the others are compared with.
        level: Coverage of the intervals.

    Returns:
        Rows of the table of a grid, with ``trained on/(mean)`` as dataset, and :data:`MEAN` as row
        where they are of all. What is trained on different datasets has means of its own: its test
        sets may be the same.
    """
    found = []
    rows = list(dict.fromkeys(one.row for one in compared))
    for home, split in dict.fromkeys((one.home, one.split) for one in compared):
        own = [one for one in compared if (one.home, one.split) == (home, split)]
        ways = dict.fromkeys(one.column for one in own)
        groups = [[row] for row in rows] + ([rows] if len(rows) > 1 else [])
        for group in groups:
            of_group = [one for one in own if one.row in group]
            name = group[0] if len(group) == 1 else MEAN
            found += [
                {
                    **{"row": name, "dataset": f"{home}{ASKED}{MEAN}", "split": split},
                    **{"column": way, **gain},
                }
                for way in ways
                if (gain := _gain(of_group, way, baseline, level))
            ]
    return found


def _gain(compared: Sequence[Compared], way: str, baseline: str, level: float) -> dict[str, Any]:
    """Return mean, spread, difference, interval and verdict of a way; nothing where it is nowhere.

    The mean is over the same test sets as the baseline's, where that has any value there.
    """
    at = {(one.row, one.dataset, one.column): one for one in compared}
    pairs = [
        (one, at.get((one.row, one.dataset, baseline))) for one in compared if one.column == way
    ]
    known = [(one, base) for one, base in pairs if base is not None]
    if not known:
        return {}
    own, bases = [one for one, _ in known], [base for _, base in known]
    cases = {one.dataset: one.cases for one in own}
    result: dict[str, Any] = {
        "seeds": min(len(one.seeds) for one in own),
        "cases": sum(cases.values()),
        "mean": _mean(own),
        "standard_deviation": _spread(own),
    }
    if way == baseline:
        return {**result, "verdict": BASELINE}
    difference = _mean(own) - _mean(bases)
    result["difference"] = difference
    if not all(one.method.known for one in (*own, *bases)) or min(cases.values()) < 2:
        return {**result, "verdict": ONE_SEED}
    by_cases = _by_cases(known)
    trainings = [*_trainings(own), *_trainings(bases)]
    reach, p = reach_of(by_cases, trainings, level), p_of(difference, by_cases, trainings)
    low, high = difference - reach, difference + reach
    ends = {"difference_low": max(low, -1.0), "difference_high": min(high, 1.0)}
    return {**result, **ends, "p": p, "verdict": verdict_of(difference, p)}


def _mean(compared: Sequence[Compared]) -> float:
    """Average over the test sets of each backbone, then over backbones."""
    return float(np.mean([of_row.mean() for of_row in _by_row(compared).values()]))


def _by_row(compared: Sequence[Compared]) -> dict[str, Array]:
    rows: dict[str, list[float]] = {}
    for one in compared:
        rows.setdefault(one.row, []).append(float(one.seeds.mean()))
    return {row: np.array(values) for row, values in rows.items()}


def _spread(compared: Sequence[Compared]) -> float | None:
    """Return the standard deviation over seeds of one backbone's mean over test sets."""
    rows, seeds = {one.row for one in compared}, {len(one.seeds) for one in compared}
    if len(rows) > 1 or len(seeds) > 1 or seeds == {1}:
        return None
    return float(np.mean([one.seeds for one in compared], axis=0).std(ddof=1))


def _weights(known: Sequence[tuple[Compared, Compared]]) -> list[float]:
    """Return the share of each test set of each backbone in the mean of all."""
    rows = [one.row for one, _ in known]
    return [1 / (len(set(rows)) * rows.count(row)) for row in rows]


def _by_cases(known: Sequence[tuple[Compared, Compared]]) -> float:
    """Return the variance of a mean difference by the choice of cases.

    Backbones are asked about the same cases, test sets are of others. As for one test set, two
    pairs that differ are added to each (:func:`pairdx.evaluation.method_tests.method_difference`).
    """
    total = 0.0
    weights = _weights(known)
    for dataset in dict.fromkeys(one.dataset for one, _ in known):
        here = [
            (weight, one, base)
            for weight, (one, base) in zip(weights, known, strict=True)
            if one.dataset == dataset
        ]
        drawn = np.sum(
            [w * (one.method.resampled - base.method.resampled) for w, one, base in here], axis=0
        )
        cases = here[0][1].cases
        share, least = sum(weight for weight, *_ in here), min(one.worth for _, one, _ in here)
        total += float(drawn.var(ddof=1)) * cases / (cases - 1) + 2 * (share / least) ** 2
    return total


def _trainings(compared: Sequence[Compared]) -> list[tuple[float, int]]:
    """Return what trainings add to the variance of a mean, and degrees of freedom, by backbone."""
    found = []
    rows = list(dict.fromkeys(one.row for one in compared))
    for row in rows:
        own = [one for one in compared if one.row == row]
        deviation = np.mean([math.sqrt(one.method.variance) for one in own]) / len(rows)
        if deviation > 0:
            found.append((float(deviation) ** 2, min(one.method.seeds for one in own) - 1))
    return found
