"""What the split does to accuracy, as a number per system.

The stratified split lets pairs of one case, article or duplicate image stand on two sides; the
grouped split does not. A system that profits from that is more accurate on the stratified one. The
test pairs are others, too, so this is not the price of leakage: see
:mod:`pairdx.evaluation.leakage_price`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import bootstrap_ratios, interval_around, sums_per_case
from pairdx.tasks.single_label.rows import correctness, same_pairs

Array = NDArray[np.float64]

EFFECT_COLUMNS = (
    *("system", "seeds", "stratified_accuracy", "grouped_accuracy"),
    *("difference", "difference_low", "difference_high"),
    *("stratified_pairs", "grouped_pairs", "shared_pairs"),
)


def effect_of_the_split(
    stratified: Mapping[str, Sequence[pd.DataFrame]],
    grouped: Mapping[str, Sequence[pd.DataFrame]],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> pd.DataFrame:
    """Compute how much more accurate each system is on the stratified split than on the grouped.

    The test sets of the two splits are drawn from the same cases and share some pairs. So the
    cases of both are resampled together: a case brings its pairs of either test set. (Where no
    case is in both, this is a bootstrap of each test set over its own cases.)

    Args:
        stratified: Per system, one predictions table per seed, on the stratified split.
        grouped: The same systems on the grouped split.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: The subset to compare on.

    Returns:
        One row per system: system, seeds, stratified_accuracy, grouped_accuracy (means over seeds,
        fractions of 1), difference (stratified minus grouped), difference_low, difference_high,
        stratified_pairs, grouped_pairs, shared_pairs (pairs that are in both test sets).

    Raises:
        PairDxError: There is no system, the splits hold different systems, or the tables of one
            split are over different pairs.
    """
    if not stratified or list(stratified) != list(grouped):
        raise PairDxError("two splits can be compared only over the same systems")
    names = list(stratified)
    sides = [_mean_correctness(side, subset) for side in (stratified, grouped)]
    keys, right = zip(*sides, strict=True)
    sums, sizes = _sums_per_case_of_either(keys, right)
    means = bootstrap_ratios(sums, sizes, resamples=resamples, seed=seed)
    differences = means[:, : len(names)] - means[:, len(names) :]
    accuracy = [side.mean(axis=0) for side in right]
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        difference = float(accuracy[0][place] - accuracy[1][place])
        low, high = interval_around(difference, differences[:, place], level, len(sums))
        rows.append(
            {
                "system": name,
                "seeds": len(stratified[name]),
                "stratified_accuracy": accuracy[0][place],
                "grouped_accuracy": accuracy[1][place],
                "difference": difference,
                "difference_low": low,
                "difference_high": high,
                "stratified_pairs": len(keys[0]),
                "grouped_pairs": len(keys[1]),
                "shared_pairs": int(keys[0]["pair_id"].isin(keys[1]["pair_id"]).sum()),
            }
        )
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def _mean_correctness(
    systems: Mapping[str, Sequence[pd.DataFrame]], subset: str
) -> tuple[pd.DataFrame, Array]:
    """Return the pairs, and per system each one's mean correctness over seeds: [N, systems]."""
    tables = [table for of_seeds in systems.values() for table in of_seeds]
    rows = same_pairs(tables, subset, of_what="systems")
    right = iter([correctness(one) for one in rows])
    means = [np.mean([next(right) for _ in of_seeds], axis=0) for of_seeds in systems.values()]
    return rows[0], np.stack(means, axis=1)


def _sums_per_case_of_either(
    keys: Sequence[pd.DataFrame], right: Sequence[Array]
) -> tuple[Array, Array]:
    """Add up both sides' correctness per case of either side.

    Returns:
        Sums [cases, 2 x systems], first side first, and the pairs that each is over, same shape.
    """
    case_ids = pd.concat([one["case_id"] for one in keys], ignore_index=True)
    first, systems = len(keys[0]), right[0].shape[1]
    values = np.zeros((len(case_ids), 2 * systems))
    values[:first, :systems], values[first:, systems:] = right
    counted = np.zeros(values.shape)
    counted[:first, :systems], counted[first:, systems:] = 1, 1
    sums = sums_per_case(case_ids, np.hstack([values, counted]))
    return sums[:, : 2 * systems], sums[:, 2 * systems :]
