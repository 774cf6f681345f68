"""How far probabilities are to be believed, and what one fitted temperature makes of them.

Not in the paper. Temperature scaling (Guo et al. 2017, Section 4.2) divides the scores before the
softmax by one number T > 0. Dividing log probabilities by T and normalising is the same: they are
the scores less a constant of each pair. No prediction changes, so accuracy does not either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from pairdx.tasks.single_label.metrics import (
    CALIBRATION_BINS,
    bin_of,
    expected_calibration_error,
)
from pairdx.tasks.single_label.rows import Predictions, read_predictions
from pairdx.tasks.single_label.weighed import unweighed

Array = NDArray[np.float64]

# A probability of 0 has no logarithm. It counts as the smallest normal number of single precision,
# in which predictions are kept: 1.2e-38, a loss of 87.3 for a pair of that class.
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
# No wrong validation pair would make T zero; probabilities that say nothing, infinite.
TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True)
class Calibration:
    """One system of one seed on one split.

    Attributes:
        temperature: T, fitted on the validation pairs.
        before: Its test pairs as predicted.
        after: The same with every probability scaled by T.
    """

    temperature: float
    before: Predictions
    after: Predictions


def calibrate(table: pd.DataFrame, classes: Sequence[str]) -> Calibration:
    """Fit the temperature on a predictions table's validation pairs and apply it to its test pairs.

    Raises:
        PairDxError: The table is not a predictions table (see ``read_predictions``).
    """
    validation = read_predictions(table, classes, subset="validation")
    test = read_predictions(table, classes, subset="test")
    temperature = fit_temperature(validation.probabilities, validation.truth)
    scaled = scale(test.probabilities, temperature)
    return Calibration(temperature, test, replace(test, probabilities=scaled))


def fit_temperature(probabilities: Array, truth: NDArray[np.int64]) -> float:
    """Return the T between 0.01 and 100 with the lowest mean negative log-likelihood.

    The loss is convex in 1 / T, so there is one minimum. Where T changes nothing (every class is
    equally probable, always) it is 1.

    Args:
        probabilities: float64 [N, C], of validation pairs.
        truth: int64 [N], index of the true class.
    """

    def loss(logarithm: float) -> float:
        return float(_losses(_scaled_logs(probabilities, np.exp(logarithm)), truth).mean())

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6, "maxiter": 500}
    )
    # Where the loss is as low on a whole range, T = 1 stands for it, else an end of the search.
    candidates = np.array([0.0, low, high, found.x])
    losses = np.array([loss(candidate) for candidate in candidates])
    return float(np.exp(candidates[np.argmax(losses <= losses.min() + 1e-9)]))


def at_bound(temperature: float) -> bool:
    """Tell whether the search for T ended at an end of its range."""
    return not TEMPERATURES[0] * 1.001 < temperature < TEMPERATURES[1] / 1.001


def scale(probabilities: Array, temperature: float) -> Array:
    """Divide log probabilities by T and normalise: float64 [N, C], rows add up to 1.

    Above 1, T moves every pair towards equal probabilities; below 1, towards certainty.
    """
    return np.exp(_scaled_logs(probabilities, temperature))


def negative_log_likelihood(read: Predictions) -> Array:
    """Return minus the logarithm of the true class's probability, per pair: float64 [N]."""
    return _losses(_logs(read.probabilities), read.truth)


def calibration_error(read: Predictions) -> float:
    """Return the expected calibration error, 0 to 1, over the bins that metrics.json has."""
    return float(expected_calibration_error(unweighed(read))[0])


def reliability(reads: Sequence[Predictions], *, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Compare confidence with accuracy over equal-width bins, the pairs of all seeds together.

    Args:
        reads: The same pairs as predicted with each seed.
        bins: Number of bins, those of the expected calibration error.

    Returns:
        confidence (mean), accuracy, share (of all pairs): one row per bin that has pairs.
    """
    confidence = np.concatenate([read.confidence for read in reads])
    correct = np.concatenate([read.correct for read in reads])
    place = bin_of(confidence, bins)
    table = pd.DataFrame({"confidence": confidence, "accuracy": correct}).groupby(place)
    return table.mean().assign(share=table.size() / len(confidence)).reset_index(drop=True)


def _logs(probabilities: Array) -> Array:
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))


def _scaled_logs(probabilities: Array, temperature: float) -> Array:
    scaled: Array = log_softmax(_logs(probabilities) / temperature, axis=1)
    return scaled


def _losses(logs: Array, truth: NDArray[np.int64]) -> Array:
    losses: Array = -logs[np.arange(len(truth)), truth]
    return losses
