"""Random subsampling against class imbalance.

The paper (Section 3.1): "yielding a balanced PairDx dataset of 22,665 unique image-caption pairs".
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pairdx.ordering import seeded_rank


def water_fill(available: Mapping[str, int], total: int) -> dict[str, int]:
    """Share ``total`` among classes as evenly as their sizes allow.

    Small classes are kept whole; the others get one common cap. What the division leaves over goes,
    one each, to the first classes in order.

    Returns:
        The number of pairs per class; their sum is ``total``, or everything where less is
        available.
    """
    left = min(total, sum(available.values()))
    sizes = sorted(available.values())
    cap = 0
    for position, size in enumerate(sizes):
        cap = left // (len(sizes) - position)
        if size > cap:
            break
        left -= size
    shares = {name: min(size, cap) for name, size in available.items()}
    cut = [name for name, size in available.items() if size > cap]
    for name in cut[: min(total, sum(available.values())) - sum(shares.values())]:
        shares[name] += 1
    return shares


def class_sizes(
    available: Mapping[str, int], *, total: int | None, per_class_cap: int | None
) -> dict[str, int]:
    """Return how many pairs of each class to keep: capped per class, then filled to the total."""
    capped = {
        name: size if per_class_cap is None else min(size, per_class_cap)
        for name, size in available.items()
    }
    return capped if total is None else water_fill(capped, total)


def chosen(pairs: pd.DataFrame, sizes: Mapping[str, int], seed: int) -> pd.Series:
    """Choose ``sizes[label]`` pairs of every class at random, whatever the order of the rows.

    Returns:
        Booleans on the index of ``pairs`` (columns pair_id and label).
    """
    rank = seeded_rank(pairs["pair_id"], seed, "balance").set_axis(pairs.index)
    position = rank.groupby(pairs["label"]).rank(method="first")
    return position <= pairs["label"].map(sizes).astype(float)
