"""What texts know and images do not: pairs that one classifier gets right and the other wrong.

CLIP-IT's measure (Karimian et al.) is the share of pairs that the text classifier gets right and
the image classifier wrong; here with the three other shares, which add up to 1 with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import bootstrap_ratios, interval_description, sums_per_case
from pairdx.evaluation.score_intervals import pairs_if_cases_agree, score_interval
from pairdx.tasks.single_label.rows import correctness, same_pairs

# By whether text and image are right.
BOTH, TEXT_ONLY, IMAGE_ONLY, NEITHER = "both", "text_only", "image_only", "neither"
CELLS = (BOTH, TEXT_ONLY, IMAGE_ONLY, NEITHER)


def right_or_wrong(
    text: pd.DataFrame, image: pd.DataFrame, subset: str = "test"
) -> tuple[dict[str, NDArray[np.float64]], pd.DataFrame]:
    """Say of every pair who is right.

    Args:
        text: Predictions of a text classifier.
        image: Predictions of a system that reads images alone.
        subset: Which rows to compare.

    Returns:
        By cell, 1.0 for every pair that is in it, else 0.0; float64 (N,). And the pairs: pair_id,
        case_id, label.

    Raises:
        PairDxError: The two are over different pairs, cases or labels.
    """
    of_text, of_image = same_pairs([text, image], subset, of_what="systems")
    told, seen = correctness(of_text), correctness(of_image)
    cells = {
        BOTH: told * seen,
        TEXT_ONLY: told * (1 - seen),
        IMAGE_ONLY: (1 - told) * seen,
        NEITHER: (1 - told) * (1 - seen),
    }
    return cells, of_text[["pair_id", "case_id", "label"]]


def complementarity(
    texts: Sequence[pd.DataFrame],
    images: Sequence[pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, Any]:
    """Compute the four shares, means over seeds, each with a score interval over cases.

    Args:
        texts: Predictions of the text classifier, one table per seed.
        images: Predictions of the image system, of the same seeds in the same order.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: Which rows to compare.

    Returns:
        By cell ``{value, low, high}``; ``seeds``, ``pairs``, ``cases``, ``interval``.

    Raises:
        PairDxError: There are no tables, or not as many, or they are over different pairs.
    """
    if not texts or len(texts) != len(images):
        raise PairDxError(f"{len(texts)} seeds of a text classifier meet {len(images)} of a system")
    found = [right_or_wrong(text, image, subset) for text, image in zip(texts, images, strict=True)]
    keys = found[0][1]
    if not all(one[1].equals(keys) for one in found):
        raise PairDxError("the predictions of different seeds are over different pairs or labels")
    case, names = pd.factorize(keys["case_id"], sort=True)
    worth = pairs_if_cases_agree(case, len(names))
    shares: dict[str, Any] = {}
    values = np.stack([np.mean([cells[cell] for cells, _ in found], axis=0) for cell in CELLS], 1)
    sizes = np.bincount(case, minlength=len(names)).astype(np.float64)[:, None]
    sums = sums_per_case(keys["case_id"], values)
    drawn = bootstrap_ratios(sums, sizes, resamples=resamples, seed=seed)
    for at, cell in enumerate(CELLS):
        value = float(values[:, at].mean())
        low, high = score_interval(value, drawn[:, at], level, worth=worth, cases=len(names))
        shares[cell] = {"value": value, "low": low, "high": high}
    return {
        **shares,
        "seeds": len(found),
        "pairs": len(keys),
        "cases": len(names),
        "interval": interval_description(resamples, level, seed),
    }
