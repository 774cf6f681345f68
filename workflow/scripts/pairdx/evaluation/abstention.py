"""What a system gains by leaving the pairs that it is least sure of to people.

Not in the paper. A system that answers only where its confidence is at least some threshold has a
coverage (the share of pairs that it answers) and a risk (the share of wrong ones among these);
El-Yaniv and Wiener 2010. Pairs of equal confidence are answered in no order: each counts with the
mean error of all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, case_weights
from pairdx.evaluation.predictions import Predictions

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


def coverage_at_risk(coverage: Array, risk: Array, most: float) -> float:
    """Return the largest coverage whose risk is at most ``most``; 0 where there is none."""
    # A risk that equals the limit but for rounding is within it.
    within = np.flatnonzero(risk <= most + 1e-12)
    return float(coverage[within[-1]]) if within.size else 0.0


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
