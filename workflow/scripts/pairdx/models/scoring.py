"""How sure a system is of images, of known classes or not: highest probability and energy.

The pairs need no label among the classes: they may be of a class that no system was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp, softmax

from pairdx.errors import PairDxError
from pairdx.models.answers import Answers
from pairdx.models.base import NO_NUMBERS_REMEDY

# What the column `subset` of out_of_distribution.parquet says.
VALIDATION, KNOWN, OUT_OF_DISTRIBUTION = "validation", "test", "out_of_distribution"
# A table of pairs with the columns pair_id, case_id and label, and what a system makes of them.
Asked = tuple[pd.DataFrame, Answers]


@dataclass(frozen=True)
class Sureness:
    """How sure a system is of N pairs.

    Attributes:
        predicted: int64 [N], position of the most probable class.
        max_probability: float64 [N], its probability (Hendrycks and Gimpel 2017).
        energy: float64 [N], minus the logarithm of the sum of exp(score) over the classes (Liu et
            al. 2020, Equation 4 with temperature 1); NaN for a system without scores. High where
            no class scores high.
    """

    predicted: np.ndarray
    max_probability: np.ndarray
    energy: np.ndarray


def sureness(answers: Answers) -> Sureness:
    """Compute how sure a system is of every pair.

    The probabilities of a system with scores are their softmax in double precision: single
    precision would make all of the surest pairs equal.

    Args:
        answers: Of any system.

    Raises:
        PairDxError: A value is not a number.
    """
    if answers.scores is None:
        probabilities = answers.probabilities.astype(np.float64)
        energy = np.full(len(probabilities), np.nan)
    else:
        scores = answers.scores.astype(np.float64)
        probabilities, energy = softmax(scores, axis=1), -logsumexp(scores, axis=1)
    highest = probabilities.max(axis=1)
    if not np.isfinite(highest).all() or np.isinf(energy).any():
        raise PairDxError("the model's scores are not finite numbers", remedy=NO_NUMBERS_REMEDY)
    return Sureness(probabilities.argmax(axis=1), highest, energy)


def known_and_out_of_distribution(
    validation: Asked, known: Asked, outside: Asked, classes: Sequence[str]
) -> pd.DataFrame:
    """Say what a system takes pairs of classes for that it was not trained on, and known ones.

    Args:
        validation: The validation pairs, which choose from where on a pair passes for known.
        known: The test pairs.
        outside: Pairs of other classes.
        classes: The system's C labels.

    Returns:
        out_of_distribution.parquet: one row per pair, with pair_id, case_id, label, subset
        (``validation``, ``test`` or ``out_of_distribution``), predicted (what it is taken for),
        max_probability and energy. No rows where there are no pairs of other classes: there is
        nothing to tell the known ones from.

    Raises:
        PairDxError: A score is not a number.
    """
    asked = [(OUT_OF_DISTRIBUTION, outside)]
    if len(outside[0]):
        asked[:0] = [(VALIDATION, validation), (KNOWN, known)]
    tables = []
    for subset, (pairs, answers) in asked:
        found = sureness(answers)
        tables.append(
            pairs[["pair_id", "case_id", "label"]].assign(
                subset=subset,
                predicted=np.array(classes, dtype=object)[found.predicted],
                max_probability=found.max_probability,
                energy=found.energy,
            )
        )
    return pd.concat(tables, ignore_index=True)
