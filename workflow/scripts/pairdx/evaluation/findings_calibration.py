"""How far the probabilities of findings are to be believed.

A probability of 0.2 is right where a fifth of such pairs have the finding. Two prompts against each
other were never fitted to how frequent a finding is, so that zero-shot probabilities mostly are not
calibrated, however well they rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pairdx.evaluation.scores import read_seeds
from pairdx.tasks.multi_label.metrics import CALIBRATION_BINS, brier, calibration_error
from pairdx.tasks.multi_label.task import TASK
from pairdx.tasks.multi_label.weighed import unweighed

CALIBRATION_COLUMNS = ("finding", "pairs", "ece", "brier", "base_rate", "mean_probability")


def finding_calibration(
    tables: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    bins: int = CALIBRATION_BINS,
    subset: str = "test",
) -> pd.DataFrame:
    """Compare the probabilities of every finding with how often it is true, means over seeds.

    Args:
        tables: One predictions table per seed, over the same pairs.
        classes: The findings.
        bins: Equal-width bins of the calibration error.
        subset: The subset to look at.

    Returns:
        finding, pairs (of which it is known), ece, brier, base_rate, mean_probability: one row per
        finding; empty where it is known of no pair.
    """
    reads = read_seeds(TASK, tables, classes, subset=subset)
    weighed = [unweighed(read) for read in reads]
    errors = np.mean([calibration_error(one, bins)[0] for one in weighed], axis=0)
    distances = np.mean([brier(one)[0] for one in weighed], axis=0)
    known = ~np.isnan(reads[0].truth)
    rates = unweighed(reads[0]).mean_of_known(reads[0].positive)[0]
    means = np.mean([one.mean_of_known(one.pairs.probabilities)[0] for one in weighed], axis=0)
    columns = (list(classes), known.sum(axis=0), errors, distances, rates, means)
    return pd.DataFrame(dict(zip(CALIBRATION_COLUMNS, columns, strict=True)))
