"""Splits: disjoint, complete, stratified or leak-free, and the same for every order of the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairdx import splits
from pairdx.errors import PairDxError

FRACTIONS = {"train": 0.70, "validation": 0.15, "test": 0.15}


def pairs(size: int, seed: int) -> pd.DataFrame:
    """Pairs whose articles have several images, and which share captions across articles."""
    generator = np.random.default_rng(seed)
    article = np.sort(generator.integers(0, max(size // 3, 1), size))
    return pd.DataFrame(
        {
            "pair_id": [f"p{number:05d}" for number in range(size)],
            "article_id": [f"PMC{number}" for number in article],
            "case_id": [f"PMC{number}_01" for number in article],
            "figure_id": [f"PMC{number}_01_f" for number in article],
            "label": generator.choice(["radiology", "chart", "endoscopy"], size, p=[0.6, 0.3, 0.1]),
            "duplicate_cluster": [f"d{number}" for number in generator.integers(0, 9 * size, size)],
            "caption_cluster": [f"c{number}" for number in generator.integers(0, 9 * size, size)],
        }
    )


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list(splits.METHODS)), st.integers(1, 200), st.integers(0, 2**31))
def test_every_pair_is_in_exactly_one_subset(method, size, seed) -> None:
    table = pairs(size, seed)
    split = splits.METHODS[method](table, FRACTIONS, seed)
    assert split["pair_id"].tolist() == table["pair_id"].tolist()
    assert split["subset"].isin(splits.SUBSETS).all()
    again = splits.METHODS[method](table.sample(frac=1, random_state=1), FRACTIONS, seed)
    assert again.sort_values("pair_id").reset_index(drop=True).equals(split)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**31))
def test_stratified_subsets_are_within_one_pair_of_the_fractions(size, seed) -> None:
    table = pairs(size, seed)
    counts = pd.crosstab(table["label"], splits.stratified(table, FRACTIONS, seed)["subset"])
    for subset, fraction in FRACTIONS.items():
        exact = table["label"].value_counts().sort_index() * fraction
        assert (counts.get(subset, 0) - exact).abs().max() < 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**31))
def test_the_grouped_split_shares_nothing(size, seed) -> None:
    table = pairs(size, seed)
    split = splits.grouped(table, FRACTIONS, seed)
    assert split.groupby("group")["subset"].nunique().max() == 1
    splits.refuse_leakage(splits.leakage(table, split, "grouped"))


def test_grouped_class_shares_are_close_to_the_fractions() -> None:
    table = pairs(3000, 7)
    split = splits.grouped(table, FRACTIONS, 1)
    shares = pd.crosstab(table["label"], split["subset"], normalize="index")
    for subset, fraction in FRACTIONS.items():
        assert (shares[subset] - fraction).abs().max() < 0.01


def test_another_seed_gives_another_split() -> None:
    table = pairs(100, 1)
    first, second = (splits.stratified(table, FRACTIONS, seed)["subset"] for seed in (1, 2))
    assert (first != second).mean() > 0.2


def test_adding_pairs_moves_few_others_in_the_stratified_split() -> None:
    table = pairs(400, 3)
    more = splits.stratified(table, FRACTIONS, 1).iloc[:360]
    fewer = splits.stratified(table.iloc[:360], FRACTIONS, 1)
    assert (more["subset"] != fewer["subset"]).mean() < 0.05


def test_leakage_counts_equal_a_hand_count() -> None:
    table = pd.DataFrame(
        {
            "pair_id": list("abcd"),
            "article_id": ["A", "A", "B", "B"],
            "case_id": ["A1", "A1", "B1", "B2"],
            "figure_id": ["f1", "f2", "f3", "f4"],
            "caption_cluster": ["c", "c", "c", "x"],
            "duplicate_cluster": list("abcd"),
        }
    )
    subsets = ["train", "test", "train", "test"]
    split = pd.DataFrame({"pair_id": list("abcd"), "subset": subsets})
    kinds = splits.leakage(table, split, "stratified")["kinds"]
    assert kinds["article"]["train-test"] == {"groups": 2, "pairs": 2, "share": 1.0}
    assert kinds["case"]["train-test"] == {"groups": 1, "pairs": 1, "share": 0.5}
    assert kinds["caption"]["train-test"] == {"groups": 1, "pairs": 1, "share": 0.5}
    assert kinds["figure"]["train-test"] == {"groups": 0, "pairs": 0, "share": 0.0}
    with pytest.raises(PairDxError, match=r"article \(train-test\)"):
        splits.refuse_leakage({"split": "grouped", "kinds": kinds})


def test_a_corpus_too_small_to_split_is_refused() -> None:
    table = pairs(2, 1)
    with pytest.raises(PairDxError, match="too small"):
        splits.check_subsets(table, splits.stratified(table, FRACTIONS, 1))
