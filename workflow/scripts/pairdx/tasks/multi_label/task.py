"""The task of several labels per pair, whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.base import Task
from pairdx.tasks.multi_label import rows
from pairdx.tasks.multi_label.analyses import ANALYSES
from pairdx.tasks.multi_label.metrics import CALIBRATION_BINS, CLASS_SCORES, METRICS
from pairdx.tasks.multi_label.rows import Findings
from pairdx.tasks.multi_label.thresholds import THRESHOLDS_FROM
from pairdx.tasks.multi_label.weighed import Weighed


class MultiLabel:
    """See :class:`pairdx.tasks.base.Task`."""

    name = "multi_label"
    analyses = ANALYSES
    rows = rows
    metrics = METRICS
    class_scores = CLASS_SCORES

    def weighed(self, read: Findings, weights: NDArray[np.float64]) -> Weighed:
        """Put weights, float64 [R, N], on the pairs."""
        return Weighed(read, weights)

    def support(self, read: Findings) -> list[int]:
        """Count the pairs that each finding is true of."""
        return _counts(read.truth == 1)

    def details(self, read: Findings) -> dict[str, Any]:
        """Return, in the order of the classes, what is known of each finding, and thresholds."""
        return {
            "positives": self.support(read),
            "negatives": _counts(read.truth == 0),
            "unknown": _counts(np.isnan(read.truth)),
            "counted": int(read.counted.sum()),
            "thresholds": [None if np.isnan(one) else float(one) for one in read.thresholds],
            "thresholds_from": THRESHOLDS_FROM,
            "validation_positives": [int(one) for one in read.validation_positives],
            "calibration_bins": CALIBRATION_BINS,
        }


def _counts(states: NDArray[np.bool_]) -> list[int]:
    return [int(count) for count in states.sum(axis=0)]


TASK: Task[Findings, Weighed] = MultiLabel()
