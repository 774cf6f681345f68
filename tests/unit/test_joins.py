"""Joins of our own tables: what finds no partner stops the job instead of vanishing."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pandas as pd
import pytest

from curation_samples import CLASSES, SETTINGS, candidates, curated, facts_of
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from pairdx.joins import joined, joined_where_known
from pairdx.leakage import leakage
from pairdx.reporting.format.tables import dataset_table
from pairdx.reporting.systems.explained_pairs import choose_pairs
from pairdx.usable_splits import check_subsets

FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}


@pytest.fixture
def pairs() -> pd.DataFrame:
    return curated(candidates(["chart"] * 6 + ["radiology"] * 6, [40] * 12)).pairs


def split_of(pairs: pd.DataFrame) -> pd.DataFrame:
    subsets = ["train", "train", "validation", "test"] * 3
    names = pairs["pair_id"]
    return pd.DataFrame({"pair_id": names, "subset": subsets, "group": names})


def test_rows_keep_order_and_index_and_get_their_partners() -> None:
    left = pd.DataFrame({"key": ["b", "a"]}, index=[7, 3])
    right = pd.DataFrame({"key": ["a", "b", "c"], "value": [1, 2, 3]})
    found = joined(left, right, "key", what="two tables")
    assert found.index.tolist() == [7, 3]
    assert found["value"].tolist() == [2, 1]


def test_what_is_not_stated_finds_no_partner() -> None:
    """An image without a case is of no age, also where the cases have one without a name."""
    left = pd.DataFrame({"case_id": ["", "a", " "]})
    right = pd.DataFrame({"case_id": ["", "a", " "], "age": [7, 40, 8]})
    found = joined_where_known(left, right, "case_id", where="cases", unknown="age")
    assert found["age"].fillna(-1).tolist() == [-1, 40, -1]
    alone = joined_where_known(left.head(1), right, "case_id", where="cases", unknown="age")
    assert alone["age"].isna().all()


@pytest.mark.parametrize(
    "use",
    [
        lambda pairs, split: check_subsets(pairs, split, CLASSES, "grouped"),
        lambda pairs, split: dataset_table(pairs, {"grouped": split}, CLASSES),
        lambda pairs, split: leakage(pairs, split, "grouped", FRACTIONS),
        lambda pairs, split: choose_pairs(pairs, split, CLASSES, named=[], per_class=1, seed=1),
    ],
)
def test_a_split_of_other_pairs_is_refused(
    use: Callable[[pd.DataFrame, pd.DataFrame], object], pairs: pd.DataFrame
) -> None:
    with pytest.raises(PairDxError, match="1 of 12 find no partner") as caught:
        use(pairs.drop(index=5), split_of(pairs))
    assert pairs.loc[5, "pair_id"] in str(caught.value)


def test_a_screen_that_has_nothing_to_go_by_says_so(caplog: pytest.LogCaptureFixture) -> None:
    table = candidates(["chart"] * 3, [None] * 3)
    with caplog.at_level(logging.INFO, logger="pairdx"):
        screen_tables(table, SETTINGS | {"unknown_age": "keep"}, subset=None, seed=1)
    warned = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert any("ages of 3 of 3 candidates are not known" in line for line in warned)
    assert any("no candidate is of the modality radiology" in line for line in warned)


def test_a_corpus_of_which_nothing_is_left_ends_with_the_reasons() -> None:
    table = candidates(["chart"] * 2 + ["radiology"], [40, 7, 40]).assign(caption="")
    with pytest.raises(PairDxError, match="no pair is left") as caught:
        curated(table, facts_of(table))
    assert "2 caption/empty_caption, 1 age/under_age" in str(caught.value)
