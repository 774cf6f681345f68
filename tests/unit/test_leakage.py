"""Leakage: what subsets share is counted as a count of all pairs by hand would find it."""

from __future__ import annotations

import json
from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairdx import leakage, splits
from pairdx.errors import PairDxError
from pairdx.subsets import LEAKAGE_KINDS, SUBSETS
from properties import examples

FRACTIONS = {"train": 0.70, "validation": 0.15, "test": 0.15}


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Up to 25 pairs that share values freely (some are unknown), and any split of them."""
    size = draw(st.integers(1, 25))

    def column(values: list[str]) -> list[str]:
        return draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    names = [f"p{number:02d}" for number in range(size)]
    pairs = pd.DataFrame(
        {name: column(["", *"abcdefgh"]) for name in LEAKAGE_KINDS.values()}
    ).assign(pair_id=names, label=column(list("xyz")))
    split = pd.DataFrame({"pair_id": names, "subset": column([*SUBSETS]), "group": names})
    return pairs, split.sample(frac=1, random_state=size)


@examples(10)
@given(tables())
def test_counts_equal_those_of_a_loop_over_all_two_pairs(drawn) -> None:
    pairs, split = drawn
    report = leakage.leakage(pairs, split, "any", FRACTIONS)
    subset = split.set_index("pair_id")["subset"].to_dict()
    rows = pairs.to_dict("records")
    for kind, column in LEAKAGE_KINDS.items():
        assert report["unknown"][kind] == sum(row[column] == "" for row in rows)
        for first, second in combinations(SUBSETS, 2):
            groups, hit = set(), set()
            for one in rows:
                for other in rows:
                    sides = subset[one["pair_id"]], subset[other["pair_id"]]
                    if sides == (first, second) and one[column] == other[column] != "":
                        groups.add(one[column])
                        hit.add(other["pair_id"])
            size = list(subset.values()).count(second)
            assert report["pairs"][second] == size
            expected = {
                "groups": len(groups),
                "pairs": len(hit),
                "share": round(len(hit) / max(size, 1), 6),
            }
            assert report["kinds"][kind][f"{first}-{second}"] == expected


@examples(5)
@given(tables(), st.integers(0, 2**31))
def test_the_grouped_split_shares_nothing(drawn, seed) -> None:
    pairs, _ = drawn
    split = splits.grouped(pairs, FRACTIONS, seed)
    leakage.refuse_leakage(leakage.leakage(pairs, split, "grouped", FRACTIONS))


@examples(8)
@given(tables())
def test_a_split_is_refused_exactly_if_a_known_value_is_on_two_sides(drawn) -> None:
    pairs, split = drawn
    table = pairs.merge(split, on="pair_id")
    torn = [
        table.loc[table[column] != ""].groupby(column)["subset"].nunique().gt(1).any()
        for column in LEAKAGE_KINDS.values()
    ]
    report = leakage.leakage(pairs, split, "grouped", FRACTIONS)
    if any(torn):
        with pytest.raises(PairDxError, match="shares between its subsets"):
            leakage.refuse_leakage(report)
    else:
        leakage.refuse_leakage(report)


def sample() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two articles, one pair of each in training and in test; a caption all but one share."""
    pairs = pd.DataFrame(
        {
            "pair_id": list("abcd"),
            "label": ["x", "x", "x", "y"],
            "article_id": ["A", "A", "B", "B"],
            "case_id": ["A1", "A1", "B1", "B2"],
            "figure_id": ["f1", "f2", "", ""],
            "caption_cluster": ["c", "c", "c", "z"],
            "duplicate_cluster": list("abcd"),
        }
    )
    subsets = ["train", "test", "train", "test"]
    groups = ["a", "a", "c", "c"]
    return pairs, pd.DataFrame({"pair_id": list("abcd"), "subset": subsets, "group": groups})


def test_a_small_table_is_measured_as_counted_by_hand() -> None:
    report = leakage.leakage(*sample(), "stratified", FRACTIONS)
    kinds = report["kinds"]
    assert report["pairs"] == {"train": 2, "validation": 0, "test": 2}
    assert kinds["article"]["train-test"] == {"groups": 2, "pairs": 2, "share": 1.0}
    assert kinds["case"]["train-test"] == {"groups": 1, "pairs": 1, "share": 0.5}
    assert kinds["caption"]["train-test"] == {"groups": 1, "pairs": 1, "share": 0.5}
    assert kinds["figure"]["train-test"] == {"groups": 0, "pairs": 0, "share": 0.0}
    assert report["unknown"]["figure"] == 2
    assert all(len(between) == 3 for between in kinds.values())
    with pytest.raises(PairDxError, match=r"grouped shares .*article \(train-test\), case"):
        leakage.refuse_leakage({**report, "split": "grouped"})


def test_class_shares_and_their_largest_deviation_are_those_of_the_split() -> None:
    report = leakage.leakage(*sample(), "stratified", FRACTIONS)
    assert report["class_shares"] == {
        "x": {"train": 0.666667, "validation": 0.0, "test": 0.333333},
        "y": {"train": 0.0, "validation": 0.0, "test": 1.0},
    }
    assert report["largest_deviation"] == 0.85


def test_groups_are_counted_and_so_are_large_ones() -> None:
    """Of three pairs of class x, group a has two: more than half of what a test set should have."""
    report = leakage.leakage(*sample(), "stratified", FRACTIONS)
    assert report["groups"] == {"all": 2, "largest": 2, "large": 1, "pairs_in_large": 2}


def test_a_report_is_json_and_unknown_values_may_be_missing_ones() -> None:
    pairs, split = sample()
    known = leakage.leakage(pairs, split, "stratified", FRACTIONS)
    pairs["figure_id"] = pairs["figure_id"].replace("", pd.NA)
    report = leakage.leakage(pairs, split, "stratified", FRACTIONS)
    assert json.loads(json.dumps(report, allow_nan=False)) == known
