"""The task of one label per pair, whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.base import Task
from pairdx.tasks.single_label import rows
from pairdx.tasks.single_label.analyses import ANALYSES
from pairdx.tasks.single_label.metrics import CALIBRATION_BINS, CLASS_SCORES, METRICS
from pairdx.tasks.single_label.rows import Predictions
from pairdx.tasks.single_label.weighed import Weighed


class SingleLabel:
    """See :class:`pairdx.tasks.base.Task`."""

    name = "single_label"
    analyses = ANALYSES
    rows = rows
    metrics = METRICS
    class_scores = CLASS_SCORES

    def weighed(self, read: Predictions, weights: NDArray[np.float64]) -> Weighed:
        """Put weights, float64 [R, N], on the pairs."""
        return Weighed(read, weights)

    def support(self, read: Predictions) -> list[int]:
        """Count the pairs that each class is true of."""
        counts = np.bincount(read.truth, minlength=read.probabilities.shape[1])
        return [int(count) for count in counts]

    def details(self, read: Predictions) -> dict[str, Any]:
        """Return the confusion matrix (rows = true classes) and the number of calibration bins."""
        classes = read.probabilities.shape[1]
        cells = np.bincount(read.truth * classes + read.predicted, minlength=classes**2)
        confusion = cells.reshape(classes, classes)
        return {"confusion": confusion.tolist(), "calibration_bins": CALIBRATION_BINS}


TASK: Task[Predictions, Weighed] = SingleLabel()
