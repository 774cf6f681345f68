"""What is made of a system's probabilities: calibrated ones, a class, whether to leave it open.

NumPy alone, because it runs wherever a deployed system does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# A probability of 0 has no logarithm. It counts as the smallest normal number of single precision.
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)


def calibrated(probabilities: ArrayLike, temperature: float | None) -> Array:
    """Divide log probabilities by the temperature and normalise: float64 (B, C).

    The same as :func:`pairdx.evaluation.calibration.scale`, which fitted the temperature. The most
    probable class stays the most probable.

    Args:
        probabilities: (B, C), as the network gives them.
        temperature: Above 0; None where there is none, as of several labels: as they are.
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if temperature is None:
        return given
    scores = np.log(np.maximum(given, LEAST_PROBABILITY)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Array = powers / powers.sum(axis=1, keepdims=True)
    return found


@dataclass(frozen=True)
class Decisions:
    """What B pairs are decided to be, where one class is true of each.

    Attributes:
        predicted: int64 (B,), number of the most probable class; of equals the first.
        confidence: float64 (B,), its calibrated probability.
        abstain: bool (B,), whether the decision is left to a person.
    """

    predicted: NDArray[np.int64]
    confidence: Array
    abstain: NDArray[np.bool_]


def decide(probabilities: Array, threshold: float | None) -> Decisions:
    """Decide by calibrated probabilities.

    Args:
        probabilities: float64 (B, C), calibrated.
        threshold: The least confidence that is answered. None: no confidence is enough, because
            none kept the risk that was asked for; every pair is left to a person.
    """
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    confidence = probabilities[np.arange(len(predicted)), predicted]
    least = np.inf if threshold is None else threshold
    return Decisions(predicted, confidence, confidence < least)


def found(probabilities: Array, thresholds: Sequence[float | None]) -> NDArray[np.bool_]:
    """Say which findings of B images are found, where any number can be true: bool (B, C).

    Args:
        probabilities: float64 (B, C).
        thresholds: Of every finding, the least probability that counts; None: none does, because
            validation pairs gave no ground to choose one.
    """
    least = np.array([np.inf if one is None else one for one in thresholds], dtype=np.float64)
    return np.asarray(probabilities >= least)
