"""A split that no system can be trained on is refused with its name, its numbers and what helps."""

from __future__ import annotations

import pandas as pd
import pytest

from pairdx import splits
from pairdx.errors import PairDxError
from pairdx.subsets import SUBSETS
from pairdx.usable_splits import check_subsets

FRACTIONS = {"train": 0.70, "validation": 0.15, "test": 0.15}


def documents(labels: str, **columns: object) -> pd.DataFrame:
    """One document per letter of labels; each is a group of its own unless a column says so."""
    names = [f"d{number:02}" for number in range(len(labels))]
    table = pd.DataFrame({"pair_id": names, "label": list(labels)})
    return table.assign(
        **dict.fromkeys(splits.GROUPING_COLUMNS, table["pair_id"]) | columns, published_subset=""
    )


def refused(table: pd.DataFrame, name: str, classes: str = "ab") -> str:
    split = splits.METHODS[name](table, FRACTIONS, 1)
    with pytest.raises(PairDxError) as caught:
        check_subsets(table, split, list(classes), name)
    assert f"where: split {name}" in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def test_a_class_smaller_than_the_subsets_is_named_with_its_size() -> None:
    said = refused(documents("a" * 6 + "bb"), "stratified")
    assert "'b' (2)" in said
    assert "take the class out of" in said


def test_a_class_of_which_nothing_is_left_is_not_trained_in_silence() -> None:
    said = refused(documents("a" * 9 + "b" * 9), "stratified", "abc")
    assert "'c' (0)" in said
    assert "check_documents" in said


def test_one_class_alone_is_refused() -> None:
    assert "all 20 pairs are of one class, ['a']" in refused(documents("a" * 20), "grouped")


def test_a_class_of_three_is_enough_of_one() -> None:
    table = documents("a" * 30 + "b" * 3)
    split = splits.stratified(table, FRACTIONS, 1)
    assert set(split["subset"].iloc[-3:]) == set(SUBSETS)
    check_subsets(table, split, ["a", "b"], "stratified")


@pytest.mark.parametrize(
    ("column", "by", "remedy"),
    [
        ("caption_cluster", "joined by the same caption", "`source.columns.caption`"),
        ("article_id", "first column of groups (`source.columns.group`)", "not sites or batches"),
        ("duplicate_cluster", "joined by near-duplicate images", "`stratified` in the place of"),
    ],
)
def test_one_group_of_all_is_told_by_what_joins_it(column: str, by: str, remedy: str) -> None:
    said = refused(documents("ab" * 20, **{column: "same"}), "grouped")
    assert "the largest of 1 groups of what belongs together has 40 of 40 pairs" in said
    assert by in said
    assert remedy in said


def test_the_datas_own_split_without_test_pairs_is_the_tables_to_correct() -> None:
    table = documents("ab" * 20).assign(published_subset=["train"] * 30 + ["validation"] * 10)
    said = refused(table, "published")
    assert "it has no pairs in test" in said
    assert "`source.subsets`" in said


@pytest.mark.parametrize("there", [["train"], ["test"], ["train", "validation"]])
def test_of_findings_the_key_of_official_subsets_is_named(there: list[str]) -> None:
    """Their readers have no columns to name, and nothing to translate."""
    parts = [there[at % len(there)] for at in range(40)]
    table = documents("ab" * 20).assign(published_subset=parts, findings="a")
    said = refused(table, "published")
    assert "it has no pairs in " in said
    assert said.count("`source.subsets`") == 1
    assert "columns" not in said
    part = table.assign(published_subset=[*SUBSETS, *[""] * 37])
    assert "columns" not in refused(part, "published")
    with pytest.raises(PairDxError, match="40 of 40 pairs state none of the subsets") as caught:
        splits.published(table.assign(published_subset=""), FRACTIONS, 1)
    assert "columns" not in str(caught.value.remedy)


def test_a_class_without_training_pairs_is_refused() -> None:
    table = documents("aaabbb").assign(published_subset=[*SUBSETS, *["test"] * 3])
    assert "no training pairs of 'b'" in refused(table, "published")


def test_rows_that_state_no_subset_are_in_no_part_and_the_split_is_refused() -> None:
    table = documents("ab" * 20).assign(published_subset=[*["train"] * 30, *["test"] * 9, ""])
    split = splits.published(table, FRACTIONS, 1)
    assert len(split) == 39
    said = refused(table, "published")
    assert "1 of 40 pairs state no subset: their cells are empty, such as that of 'd39'" in said
    assert "`splits: [published]` alone" in said
    with pytest.raises(PairDxError, match="40 of 40 pairs state none of the subsets"):
        splits.published(table.assign(published_subset=""), FRACTIONS, 1)
