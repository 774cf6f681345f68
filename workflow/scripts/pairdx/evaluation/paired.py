"""Differences between systems on the same pairs, resampled so that they do not collapse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.intervals import bootstrap_ratios

Array = NDArray[np.float64]


def bootstrap_paired_differences(sums: Array, sizes: Array, *, resamples: int, seed: int) -> Array:
    """Compute mean differences over the same pairs in the same resamples of the cases.

    Two cases of common size are added to those that are drawn from: one in which every pair speaks
    for the first side, one for the second. A bootstrap of pairs that hardly differ would else say
    that no other pairs do: its interval collapses, and its p with five differing pairs, all for
    one side, is 0.01 where that of five tosses of a coin is 0.06. Bonett and Price (2012) add as
    many to the counts of a paired table.

    Args:
        sums: float64 [cases, K], sum over the pairs of a case of each difference.
        sizes: float64 [cases], number of pairs of each case.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Returns:
        float64 [resamples, K].
    """
    common = float(np.square(sizes).sum() / sizes.sum())
    totals = np.concatenate([sizes, [common, common]])
    signs = np.zeros((2, sums.shape[1])) + np.array([[common], [-common]])
    return bootstrap_ratios(
        np.vstack([sums, signs]), totals[:, None], resamples=resamples, seed=seed
    )
