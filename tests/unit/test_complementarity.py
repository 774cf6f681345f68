"""Who is right, text or image: against hand-computed cells."""

from __future__ import annotations

import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.evaluation.complementarity import complementarity, right_or_wrong

LABELS = [*"aabbab"]


def predictions(said: str) -> pd.DataFrame:
    pairs = [f"p{row}" for row in range(len(LABELS))]
    return pd.DataFrame(
        {
            "pair_id": pairs,
            "case_id": pairs,
            "subset": "test",
            "label": LABELS,
            "predicted": [*said],
        }
    )


def shares(texts: list[str], images: list[str]) -> dict[str, float]:
    found = complementarity(
        [predictions(one) for one in texts],
        [predictions(one) for one in images],
        resamples=50,
        seed=0,
    )
    assert all(found[cell]["low"] <= found[cell]["value"] <= found[cell]["high"] for cell in CELLS)
    return {cell: found[cell]["value"] * 6 for cell in CELLS}


CELLS = ("both", "text_only", "image_only", "neither")


def test_cells_are_those_counted_by_hand() -> None:
    # labels  a a b b a b;   text right: yes yes no yes no no;   image right: yes no yes no no no
    found = shares(["aaabba"], ["abbaba"])
    assert found == pytest.approx({"both": 1, "text_only": 2, "image_only": 1, "neither": 2})


def test_seeds_count_equally_and_meet_their_own() -> None:
    always, never = "aabbab", "bbaaba"
    found = shares([always, never], [never, never])
    assert found == pytest.approx({"both": 0, "text_only": 3, "image_only": 0, "neither": 3})


def test_other_pairs_or_seeds_are_refused() -> None:
    one = predictions("aabbab")
    with pytest.raises(PairDxError, match="different pairs"):
        right_or_wrong(one, one.iloc[:-1])
    with pytest.raises(PairDxError, match="2 seeds of a text classifier meet 1"):
        complementarity([one, one], [one], resamples=10, seed=0)
