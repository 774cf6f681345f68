"""Correct p-values for how many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm(p_values: Array) -> Array:
    """Correct p-values for their number by Holm's step-down method (Holm 1979).

    The smallest of m is multiplied by m, the next by m - 1 and so on; none is smaller than the
    one before it, nor above 1. Undefined p-values (NaN) are no tests: they stay so, and do not
    count.

    Args:
        p_values: float64 [m].

    Returns:
        float64 [m], in the same order.
    """
    order = np.argsort(p_values, kind="stable")[: np.isfinite(p_values).sum()]  # NaN comes last
    factors = np.arange(len(order), 0, -1)
    corrected = np.full(len(p_values), np.nan)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p_values[order] * factors))
    return corrected
