"""The file that says which text goes to which image, and what it comes to.

One row per pair and rank: pair_id, rank (from 1), text_id, cosine (float32), chosen (one rank of
every pair). It holds all pairs of a split; only training and the text classifier read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.files import read_table, write_table
from pairdx.joins import joined
from pairdx.subsets import SUBSETS

COLUMNS = ["pair_id", "rank", "text_id", "cosine", "chosen"]
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
MOST_USED = 5  # texts that the summary names
# A text that goes to more than this share of the pairs, of at least so many, tells little of any.
MOST_SHARE, MANY_TEXTS = 0.5, 10
AGAIN = "delete it; it is made again"


def pairs_to_match(split: str | Path, pairs: str | Path) -> pd.DataFrame:
    """Read the pairs of a split, in its order: pair_id, subset, case_id, label.

    Args:
        split: ``split.parquet``.
        pairs: ``pairs.parquet``.

    Raises:
        PairDxError: The split is not of these pairs, or a file is damaged.
    """
    return joined(
        read_table(split)[["pair_id", "subset"]],
        read_table(pairs, ["pair_id", "case_id", "label"]),
        "pair_id",
        what="the split and the pairs",
    )


def matches_of(
    pair_ids: Sequence[str],
    text_ids: Sequence[str],
    found: NDArray[np.int64],
    cosines: NDArray[np.float32],
    rank: int,
) -> pd.DataFrame:
    """Write what was found as rows, pair by pair.

    Args:
        pair_ids: N pairs.
        text_ids: The texts that ``found`` counts.
        found: int64 (N, K), texts by rank.
        cosines: float32 (N, K), of image and text.
        rank: The one that is chosen, from 1 to K.
    """
    pairs, ranks = found.shape
    names = np.array(text_ids, dtype=object)
    places = np.tile(np.arange(1, ranks + 1), pairs)
    return pd.DataFrame(
        {
            "pair_id": np.repeat(np.array(pair_ids, dtype=object), ranks),
            "rank": places,
            "text_id": names[found.ravel()],
            "cosine": cosines.ravel().astype(np.float32),
            "chosen": places == rank,
        }
    )


def write_matches(path: str | Path, matches: pd.DataFrame) -> None:
    """Write matches that are as :func:`check_matches` wants them."""
    check_matches(matches, path)
    write_table(path, matches[COLUMNS])


def read_matches(path: str | Path) -> pd.DataFrame:
    """Read matches.

    Raises:
        PairDxError: The file is damaged, or not as :func:`check_matches` wants it.
    """
    matches = read_table(path)
    check_matches(matches, path)
    return matches


def check_matches(matches: pd.DataFrame, where: object) -> None:
    """Refuse matches in which a pair has no text, or two, or which are no numbers.

    Raises:
        PairDxError: A column is missing, not exactly one rank of a pair is chosen, ranks are not
            1, 2, 3 ..., or a cosine is no number from -1 to 1.
    """
    missing = [name for name in COLUMNS if name not in matches]
    if missing:
        raise PairDxError(
            f"the matches lack the column(s) {', '.join(missing)}", where=where, remedy=AGAIN
        )
    by_pair = matches.groupby("pair_id", sort=False)
    if len(matches) == 0 or (by_pair["chosen"].sum() != 1).any():
        raise PairDxError("not every pair has one chosen text", where=where, remedy=AGAIN)
    if not (by_pair.cumcount() + 1 == matches["rank"]).all():
        raise PairDxError("ranks of matches are not 1, 2, 3 ...", where=where, remedy=AGAIN)
    if not (matches["cosine"].abs() <= 1.001).all():
        raise PairDxError("cosines are not numbers from -1 to 1", where=where, remedy=AGAIN)


def chosen_texts(matches: pd.DataFrame, pair_ids: Iterable[str]) -> list[str]:
    """Return the text_id of every pair, in the order of the pairs.

    Raises:
        PairDxError: A pair has no text.
    """
    pairs = pd.DataFrame({"pair_id": list(pair_ids)})
    table = matches.loc[matches["chosen"], ["pair_id", "text_id"]]
    what = "the pairs and the texts that they are paired with"
    return joined(pairs, table, "pair_id", what=what)["text_id"].tolist()


def summary_of(
    matches: pd.DataFrame, split: pd.DataFrame, texts: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Sum up matches by subset.

    Args:
        matches: As they are written.
        split: pair_id, subset; all pairs of the matches.
        texts: How many could be chosen.
        settings: Of the pairing.

    Returns:
        ``settings``, ``texts``, and ``subsets``: of each that has pairs ``pairs``, ``cosine``
        (mean, sd, lowest, quantiles, highest, of the chosen texts), ``texts_used``,
        ``share_used`` (of those that could be chosen) and ``most_used`` (text_id, pairs).
    """
    chosen = matches[matches["chosen"]]
    table = joined(chosen, split[["pair_id", "subset"]], "pair_id", what="matches and split")
    subsets = {name: table[table["subset"] == name] for name in SUBSETS}
    return {
        "settings": dict(settings),
        "texts": texts,
        "subsets": {
            name: {
                "pairs": len(rows),
                "cosine": _spread(rows["cosine"].astype(float)),
                "texts_used": int(rows["text_id"].nunique()),
                "share_used": rows["text_id"].nunique() / texts if texts else 0.0,
                "most_used": [
                    {"text_id": str(text), "pairs": int(count)}
                    for text, count in rows["text_id"].value_counts().head(MOST_USED).items()
                ],
            }
            for name, rows in subsets.items()
            if len(rows)
        },
    }


def most_used(subset: Mapping[str, Any]) -> int:
    """Return how many pairs of a subset (of :func:`summary_of`) have its most frequent text."""
    return max((int(one["pairs"]) for one in subset["most_used"]), default=0)


def goes_to_most(most: int, pairs: int, texts: int, choose: str) -> bool:
    """Say whether one text goes to most pairs although there are many, as if images were one.

    Args:
        most: Pairs of the most frequent text.
        pairs: All of the subset.
        texts: How many could be chosen.
        choose: How they are. By class, the most frequent is that of the most frequent class.
    """
    return choose != "class" and texts >= MANY_TEXTS and most > MOST_SHARE * pairs


def _spread(values: pd.Series) -> dict[str, float]:
    found = {"mean": values.mean(), "sd": values.std(ddof=0), "lowest": values.min()}
    found |= {name: values.quantile(at) for name, at in QUANTILES.items()}
    return {name: float(value) for name, value in found.items()} | {"highest": float(values.max())}
