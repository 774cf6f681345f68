"""The pairs that were screened like the others, and whose class no system may learn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pairdx.ordering import seeded_rank


def sample_out_of_distribution(pairs: pd.DataFrame, most: int | None, *, seed: int) -> pd.DataFrame:
    """Choose at most ``most`` pairs at random; the choice of more holds the choice of fewer.

    Args:
        pairs: curated/out_of_distribution.parquet.
        most: Number of pairs to keep; None keeps all.
        seed: Seed of the choice.

    Returns:
        Rows of ``pairs`` in order of ``pair_id``, with the index 0, 1, ...
    """
    rank = seeded_rank(pairs["pair_id"], seed, "set aside").to_numpy()
    chosen = pairs.iloc[np.argsort(rank, kind="stable")[:most]]
    return chosen.sort_values("pair_id", ignore_index=True)
