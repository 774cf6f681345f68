"""Intervals near 100 %: they hold the truth as often as they say, whether or not cases agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.evaluation.accuracy import accuracy_difference, accuracy_over_seeds
from pairdx.evaluation.intervals import bootstrap_mean, percentile_interval
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.score_intervals import (
    effective_pairs,
    pairs_if_cases_agree,
    score_interval,
    variance_of_mean,
    wilson,
    worth_of_average,
)
from pairdx.tasks.single_label.task import TASK

CLASSES = ("radiology", "chart")
SETS = 2000


def coverage(truth: float, cases: int, per_case: int, *, alike: bool) -> float:
    """The share of simulated test sets whose 95 % interval holds the true share.

    Args:
        truth: The true share.
        cases: Cases of every test set.
        per_case: Pairs of every case.
        alike: Whether all pairs of a case are right or wrong together.
    """
    generator = np.random.default_rng(7)
    draws = generator.random((cases, 1 if alike else per_case, SETS)) < truth
    right = np.broadcast_to(draws, (cases, per_case, SETS)).reshape(-1, SETS).astype(float)
    case = np.repeat(np.arange(cases), per_case)
    value = right.mean(axis=0)
    worth = pairs_if_cases_agree(case, cases)
    pairs = effective_pairs(value, variance_of_mean(right, case, cases), worth)
    low, high = wilson(value, pairs, 0.95)
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(("cases", "per_case"), [(232, 1), (60, 1), (100, 2), (80, 4)])
def test_intervals_hold_the_truth_as_often_as_they_say(
    cases: int, per_case: int, alike: bool
) -> None:
    """At least 94 % on average over true shares, and 91 % at each.

    Counts of a few mistakes come in steps, so that no interval holds exactly 95 %. Where the pairs
    of a case are not alike, the cautious assumption makes intervals hold more.
    """
    truths = (0.995, 0.99, 0.98, 0.95, 0.9, 0.6)
    held = [coverage(truth, cases, per_case, alike=alike) for truth in truths]
    assert min(held) >= 0.91, held
    assert np.mean(held) >= 0.94, held
    if per_case == 1 or alike:
        assert np.mean(held) <= 0.975, held


def test_percentiles_of_a_bootstrap_do_not() -> None:
    """A recall of 0.995 over 232 pairs of a case each: the fault that score intervals mend."""
    generator = np.random.default_rng(3)
    held = {"percentile": 0, "score": 0}
    case = np.arange(232)
    for number in range(200):
        right = (generator.random(232) < 0.995).astype(float)
        drawn = bootstrap_mean(right, case, 232, resamples=200, seed=number)
        intervals = {
            "percentile": percentile_interval(drawn, 0.95),
            "score": score_interval(float(right.mean()), drawn, 0.95, worth=232, cases=232),
        }
        for name, (low, high) in intervals.items():
            assert low is not None
            assert high is not None
            held[name] += low <= 0.995 <= high
    assert held["percentile"] < 0.75 * 200
    assert held["score"] >= 0.93 * 200


def test_wilson_of_an_example_worked_by_hand() -> None:
    """10 of 10: (1 + z^2/20 - z sqrt(z^2/400)) / (1 + z^2/10) = 1 / (1 + z^2/10) = 0.7225."""
    low, high = wilson(np.array([1.0, 0.0, 0.5]), np.array([10.0, 10.0, 10.0]), 0.95)
    np.testing.assert_allclose(low, [0.7225, 0, 0.2366], atol=1e-4)
    np.testing.assert_allclose(high, [1, 0.2775, 0.7634], atol=1e-4)


def test_a_case_of_equal_pairs_is_worth_one_pair() -> None:
    assert pairs_if_cases_agree(np.repeat(np.arange(20), 3), 20) == pytest.approx(20)
    assert pairs_if_cases_agree(np.arange(20), 20) == pytest.approx(20)
    # One case of nine and one of one: 100 / 82.
    assert pairs_if_cases_agree(np.repeat([0, 1], [9, 1]), 2) == pytest.approx(100 / 82)
    assert worth_of_average(np.array([50.0, 50.0])) == pytest.approx(100)


def test_the_variance_over_cases_is_the_bootstraps() -> None:
    generator = np.random.default_rng(0)
    case = np.sort(generator.integers(0, 50, 150))
    case = np.unique(case, return_inverse=True)[1]
    values = (generator.random(150) < 0.3 + 0.6 * generator.random(50)[case]).astype(float)
    cases = int(case.max()) + 1
    drawn = bootstrap_mean(values, case, cases, resamples=8000, seed=0)
    found = float(variance_of_mean(values, case, cases))
    assert found == pytest.approx(drawn.var() * cases / (cases - 1), rel=0.06)


def perfect(pairs: int, per_case: int) -> pd.DataFrame:
    """Predictions that are all right, of cases of one class each."""
    label = np.array(CLASSES, dtype=object)[np.arange(pairs) // per_case % 2]
    table = pd.DataFrame(
        {
            "pair_id": [f"pair_{row:04d}" for row in range(pairs)],
            "case_id": [f"case_{row // per_case:04d}" for row in range(pairs)],
            "subset": "test",
            "label": label,
            "predicted": label,
        }
    )
    for name in CLASSES:
        table[f"p_{name}"] = np.where(label == name, 0.9, 0.1).astype(np.float32)
    return table


def test_where_all_is_right_no_share_has_an_interval_from_one_to_one() -> None:
    """Every share of metrics.json, and all of every class; cases count, not pairs."""
    z2 = 1.959964**2
    found = evaluate(TASK, perfect(240, 3), CLASSES, resamples=50, seed=0)
    assert found["accuracy"]["low"] == pytest.approx(80 / (80 + z2))
    shares = ("balanced_accuracy", "macro_f1", "macro_auroc", "macro_average_precision")
    for name in shares:
        assert (found[name]["value"], found[name]["high"]) == (1, 1), name
        assert found[name]["low"] == pytest.approx(80 / (80 + z2)), name
    for scores in found["per_class"].values():
        for name in ("precision", "recall", "f1"):
            assert (scores[name], scores[f"{name}_high"]) == (1, 1)
            assert scores[f"{name}_low"] == pytest.approx(40 / (40 + z2))
    by_pair = evaluate(TASK, perfect(240, 1), CLASSES, resamples=50, seed=0)
    assert by_pair["accuracy"]["low"] == pytest.approx(240 / (240 + z2))
    alone = accuracy_over_seeds([perfect(240, 3)], resamples=50, seed=0)
    assert alone["low"] == pytest.approx(found["accuracy"]["low"])


def test_a_difference_of_no_pair_is_not_certain() -> None:
    """Of 100 pairs without a difference, a few in a hundred may still differ."""
    same = [perfect(100, 1)]
    found = accuracy_difference(same, same, resamples=500, seed=0)
    assert found["value"] == 0
    assert found["low"] is not None
    assert found["high"] is not None
    assert -0.06 < found["low"] < 0 < found["high"] < 0.06
