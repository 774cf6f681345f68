"""What a system gains by leaving the pairs that it is least sure of to people.

Not in the paper. A system that answers only where its confidence is at least some threshold has a
coverage (the share of pairs that it answers) and a risk (the share of wrong ones among these);
El-Yaniv and Wiener 2010. Pairs of equal confidence are answered in no order: each counts with the
mean error of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, bootstrap_ratios, case_weights
from pairdx.tasks.single_label.rows import Predictions

Array = NDArray[np.float64]


def risk_by_coverage(confidence: Array, correct: Array) -> tuple[Array, Array]:
    """Return the risk at every coverage 1/N, 2/N, ... 1: two arrays, float64 [N].

    Args:
        confidence: float64 [N]; the surest pairs are answered first.
        correct: float64 [N], 1 where the prediction is right, else 0.
    """
    answered = np.arange(1, len(confidence) + 1)
    order = np.argsort(-confidence, kind="stable")
    _, group = np.unique(-confidence[order], return_inverse=True)
    errors = np.bincount(group, weights=1 - correct[order]) / np.bincount(group)
    return answered / len(confidence), np.cumsum(errors[group]) / answered


def area_under_risk(risk: Array) -> float:
    """Return the mean risk over all coverages (Geifman et al. 2019); lower is better.

    A random order gives the error rate.
    """
    return float(risk.mean())


@dataclass(frozen=True)
class Answered:
    """What is answered of the test pairs above confidences that validation pairs chose.

    Attributes:
        coverage: Share of the pairs that are answered, mean over seeds.
        risk: Share of wrong ones among the answers of all seeds; None where nothing is answered.
        resampled: float64 [R, 2], both in every resample of the cases.
        per_case: float64 [cases], answers of each case, mean over seeds.
    """

    coverage: float
    risk: float | None
    resampled: Array
    per_case: Array


def threshold_at_risk(confidence: Array, correct: Array, most: float) -> float:
    """Return the lowest confidence above which at most the share ``most`` is wrong.

    It is chosen on validation pairs: on the test pairs, the threshold that happens to leave the
    fewest mistakes there would be rewarded for its luck.

    Args:
        confidence: float64 [N], of validation pairs.
        correct: float64 [N], 1 where the prediction is right, else 0.
        most: Share of wrong answers to accept.

    Returns:
        Pairs of at least this confidence are answered; infinite where no threshold is good enough.
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(1 - correct[order])
    # Pairs of equal confidence are answered together: only the last of them ends a choice.
    last = np.flatnonzero(np.diff(confidence[order], append=-np.inf))
    # A risk that equals the limit but for rounding is within it.
    within = last[wrong[last] <= (most + 1e-12) * (last + 1)]
    return float(confidence[order][within[-1]]) if within.size else float("inf")


def answered_above(
    reads: Sequence[Predictions], thresholds: Sequence[float], *, resamples: int, seed: int
) -> Answered:
    """Measure coverage and risk on test pairs, each seed above its own threshold.

    Args:
        reads: The same test pairs as predicted with each seed.
        thresholds: Of each seed, chosen on its validation pairs.
        resamples: Number of resamples of the cases; thresholds are held fixed.
        seed: Seed of the draws.
    """
    case, cases = reads[0].case, reads[0].cases
    answers = np.array([read.confidence >= at for read, at in zip(reads, thresholds, strict=True)])
    wrong = np.array([1 - read.correct for read in reads]) * answers
    columns = np.stack([answers.mean(axis=0), wrong.mean(axis=0), np.ones(len(case))], axis=1)
    sums = np.zeros((cases, 3))
    np.add.at(sums, case, columns)
    # Answers of pairs, and wrong ones of answers.
    resampled = bootstrap_ratios(sums[:, :2], sums[:, [2, 0]], resamples=resamples, seed=seed)
    given, mistakes, pairs = sums.sum(axis=0)
    risk = float(mistakes / given) if given else None
    return Answered(float(given / pairs), risk, resampled, sums[:, 0])


def risk_at_coverage(confidence: Array, correct: Array, weights: Array, coverage: float) -> Array:
    """Return the risk of the surest pairs that make up the share ``coverage`` of all weight.

    The last pair counts in part where the share ends within it.

    Args:
        confidence: float64 [N].
        correct: float64 [N].
        weights: float64 [R, N], weight of every pair in every resample.
        coverage: Share of the pairs that are answered, above 0 and at most 1.

    Returns:
        float64 [R].
    """
    order = np.argsort(-confidence, kind="stable")
    _, first = np.unique(-confidence[order], return_index=True)
    ordered = weights[:, order]
    errors = np.add.reduceat(ordered * (1 - correct[order]), first, axis=1)
    sizes = np.add.reduceat(ordered, first, axis=1)
    wanted = coverage * sizes.sum(axis=1, keepdims=True)
    before = np.cumsum(sizes, axis=1) - sizes
    # Of each group of equal confidence, the share that is answered.
    shares = np.divide(
        np.clip(wanted - before, 0, sizes), sizes, out=np.zeros_like(sizes), where=sizes > 0
    )
    risks: Array = (shares * errors).sum(axis=1) / wanted[:, 0]
    return risks


def bootstrap_risk_at_coverage(
    read: Predictions, coverage: float, *, resamples: int, seed: int
) -> Array:
    """Compute :func:`risk_at_coverage` in every resample of the cases: float64 [resamples]."""
    parts = [
        risk_at_coverage(read.confidence, read.correct, weights[:, read.case], coverage)
        for weights in case_weights(
            read.cases,
            resamples=resamples,
            seed=seed,
            rows_at_once=max(1, WEIGHTS_PER_CHUNK // len(read.truth)),
        )
    ]
    return np.concatenate(parts) if parts else np.empty(0)
