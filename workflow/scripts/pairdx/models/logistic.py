"""What scikit-learn's logistic regression says, with a column for every class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


def class_probabilities(model: LogisticRegression, inputs: Any, classes: int) -> np.ndarray:
    """Return ``predict_proba`` as float32 of shape (B, classes); arguments as below.

    A class without training pairs has no column of its own: its probability is 0.
    """
    given = model.predict_proba(inputs)
    found = np.zeros((len(given), classes), dtype=np.float32)
    found[:, model.classes_] = given
    return found


def class_scores(model: LogisticRegression, inputs: Any, classes: int) -> np.ndarray:
    """Return what ``predict_proba`` takes the softmax of: float32 of shape (B, classes).

    Two classes have one decision value d in scikit-learn; their scores are -d / 2 and d / 2. A
    class without training pairs has the score minus infinity: its probability is 0.

    Args:
        model: A fitted model whose ``classes_`` are positions among the C classes.
        inputs: Features of B pairs, as ``predict_proba`` takes them.
        classes: Number C of classes.
    """
    decision = model.decision_function(inputs)
    if decision.ndim == 1:
        decision = np.stack([-decision / 2, decision / 2], axis=1)
    found = np.full((len(decision), classes), -np.inf, dtype=np.float32)
    found[:, model.classes_] = decision
    return found
