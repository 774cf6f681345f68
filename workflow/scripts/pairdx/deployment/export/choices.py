"""What a deployed system is given besides its network: chosen on validation pairs alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pairdx.deployment.answers import Array, calibrated, decide
from pairdx.evaluation.abstention import threshold_at_risk
from pairdx.evaluation.calibration import at_bound, fit_temperature
from pairdx.logs import logger
from pairdx.tasks.multi_label import rows as of_several
from pairdx.tasks.single_label.rows import read_predictions

SUBSET = "validation"


@dataclass(frozen=True)
class Choices:
    """What is done with a system's probabilities.

    Attributes:
        temperature: What log probabilities are divided by; None of several labels.
        threshold: The least calibrated confidence that is answered, in the middle between the
            validation pair that is answered by a hair and the next one, which is not; None where
            none kept the risk, and of several labels.
        coverage: Share of the validation pairs that are answered; None of several labels.
        thresholds: Of several labels, by label: from which probability on a finding counts as
            found; None where validation pairs give no ground to choose. None of one label.
        validation_pairs: On how many pairs all of it was chosen.
    """

    temperature: float | None
    threshold: float | None
    coverage: float | None
    thresholds: dict[str, float | None] | None
    validation_pairs: int

    def as_facts(self) -> dict[str, Any]:
        """Return what deployment.json says of it."""
        return {
            "temperature": self.temperature,
            "threshold": self.threshold,
            "coverage": self.coverage,
            "thresholds": self.thresholds,
            "validation_pairs": self.validation_pairs,
        }


def choose(predictions: pd.DataFrame, classes: Sequence[str], *, risk: float | None) -> Choices:
    """Choose on the validation rows of a predictions table.

    Args:
        predictions: predictions.parquet of the cell.
        classes: The C labels.
        risk: The share of wrong answers to accept; None where any number of labels can be true of
            a pair.

    Raises:
        PairDxError: The table has no validation rows, or is no predictions table.
    """
    if risk is None:
        return _of_several(predictions, classes)
    return _of_one(predictions, classes, risk)


def _of_one(predictions: pd.DataFrame, classes: Sequence[str], risk: float) -> Choices:
    read = read_predictions(predictions, classes, subset=SUBSET)
    temperature = fit_temperature(read.probabilities, read.truth)
    if at_bound(temperature):
        logger.warning("the temperature %.4g is at an end of its range", temperature)
    decided = decide(calibrated(read.probabilities, temperature), None)
    correct = (decided.predicted == read.truth).astype(np.float64)
    threshold = _threshold(decided.confidence, correct, risk, least=1 / len(classes))
    answered = ~decide(calibrated(read.probabilities, temperature), threshold).abstain
    coverage = float(answered.mean())
    above = "no confidence keeps the risk" if threshold is None else f"from {threshold:.4f} on"
    logger.info(
        "temperature %.3f; %s: %.1f %% of %d validation pairs are answered",
        *(temperature, above, 100 * coverage, len(read)),
    )
    return Choices(temperature, threshold, coverage, None, len(read))


def _threshold(confidence: Array, correct: Array, risk: float, *, least: float) -> float | None:
    """Return a threshold that keeps the risk and answers as many as can be; None where none does.

    The exported network computes in another order, and a small temperature makes much of rounding.
    In the middle between the lowest confidence that is answered and the next lower one, the
    threshold is as far from both as can be.

    Args:
        confidence: float64 (N,), calibrated.
        correct: float64 (N,), 1 where the class is the true one, else 0.
        risk: The share of wrong answers to accept.
        least: The lowest confidence that there can be; it stands for the next lower one where all
            N are answered.
    """
    found = threshold_at_risk(confidence, correct, risk)
    if not np.isfinite(found):
        return None
    lower = confidence[confidence < found]
    below = lower.max() if lower.size else min(least, found)
    middle = (found + below) / 2
    # Between two neighbouring numbers there is none.
    return float(middle if middle > below else found)


def _of_several(predictions: pd.DataFrame, classes: Sequence[str]) -> Choices:
    read = of_several.read_predictions(predictions, classes, subset=SUBSET)
    thresholds = {
        label: None if np.isnan(one) else float(one)
        for label, one in zip(classes, read.thresholds, strict=True)
    }
    undecided = [label for label, one in thresholds.items() if one is None]
    if undecided:
        logger.warning("no threshold can be chosen for %s", ", ".join(undecided))
    return Choices(None, None, None, thresholds, len(read))
