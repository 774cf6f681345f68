"""What systems read of captions: counted by hand on a few, in words that a reader can follow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.models.texts import Reading, read_captions, used_for
from pairdx.reporting.dataset.text_tables import COLUMNS, NOTES, OF_SENTENCES, notes_of, text_table

CAPTIONS = ["Axial CT scan.", "ECG", "A b c d e f", "..."]
FUSION = {"tokeniser": "words", "trained": True, "reads": ["image", "caption"]}


def system(**changes: object) -> dict:
    return {**FUSION, "settings": {"tokens": 4}, **changes}


def table_of(**readings: Reading) -> pd.DataFrame:
    return text_table(readings).set_index("system")


def test_shares_of_captions_and_of_tokens_are_those_counted_by_hand() -> None:
    """Of 2, 4, 5 and 9 tokens, a context of 4 cuts two texts, and 6 tokens of 20."""
    counts = np.array([2, 4, 5, 9])
    row = table_of(a=Reading("Words", "prompts only", 4, counts)).loc["a"]
    assert (row["captions"], row["context_tokens"]) == (4, 4)
    assert row["truncated_share"] == 0.5
    assert row["cut_tokens_share"] == pytest.approx(6 / 20)
    assert row["median_tokens"] == 4.5
    assert row["p95_tokens"] == 9


def test_a_system_without_a_limit_cuts_nothing_and_has_an_empty_context() -> None:
    row = table_of(a=Reading("Words", "…", None, np.array([3, 4000]))).loc["a"]
    assert pd.isna(row["context_tokens"])
    assert (row["truncated_share"], row["cut_tokens_share"]) == (0, 0)


def test_cells_that_do_not_apply_are_empty() -> None:
    """No vectors, no rate; a tokeniser that is not known, no numbers; and never a 0 instead."""
    table = table_of(
        vectors=Reading("Words", "…", 4, np.array([1]), 0.0),
        none=Reading("Words", "…", 4, np.array([1])),
        unknown=Reading("Not known", "…", None, None),
    )
    assert table["out_of_vocabulary_share"].isna().tolist() == [False, True, True]
    numbers = table.loc["unknown"].drop(["tokeniser", "used_for"])
    assert numbers.isna().all()


def test_rows_stand_in_the_order_given_with_the_columns_that_are_promised() -> None:
    table = text_table({"b": Reading("x", "y", 1, np.ones(1)), "a": Reading("x", "y", 1, None)})
    assert table["system"].tolist() == ["b", "a"]
    assert list(table.columns) == list(COLUMNS)


def test_sentences_are_counted_where_a_system_draws_them_and_else_have_no_columns() -> None:
    """Of 1, 2, 3 and 6 sentences the median is 2.5, and one caption of four has one."""
    counts = np.array([2, 4, 5, 9])
    plain = Reading("Words", "\u2026", 4, counts)
    drawn = Reading("Words", "\u2026", 4, counts, sentence_counts=np.array([1, 2, 3, 6]))
    table = table_of(plain=plain, drawn=drawn)
    assert table.loc["drawn", list(OF_SENTENCES)].tolist() == [2.5, 0.25]
    assert table.loc["plain", list(OF_SENTENCES)].isna().all()
    assert len(notes_of(table)) == len(NOTES) + 1
    assert not set(OF_SENTENCES) & set(table_of(plain=plain))
    assert notes_of(table_of(plain=plain)) == [*NOTES]


def test_words_are_those_that_pairdxfusion_reads() -> None:
    """Punctuation alone is no word; the rate is the one of the packed vocabulary."""
    vocabulary = {"out_of_vocabulary_rate": 0.25, "words": ["axial"]}
    reading = read_captions(system(), CAPTIONS, None, vocabulary)
    assert reading.token_counts is not None
    assert reading.token_counts.tolist() == [3, 1, 6, 0]
    assert (reading.context, reading.out_of_vocabulary) == (4, 0.25)
    words = {"settings": {}, "reads": ["caption"]}
    reading = read_captions(system(**words), CAPTIONS, None, None)
    assert (reading.context, reading.out_of_vocabulary) == (None, None)


def test_a_word_without_a_vector_counts_as_its_parts() -> None:
    """As PairDxFusion numbers them; for TF-IDF, which has no vectors, it is one word."""
    captions = ["T2-weighted", "x-ray", "don't"]
    words = ["t2", "weighted", "do", "n't", "x-ray"]
    vocabulary = {"out_of_vocabulary_rate": 0.0, "words": words}
    reading = read_captions(system(), captions, None, vocabulary)
    assert reading.token_counts is not None
    assert reading.token_counts.tolist() == [2, 1, 2]
    linear = {"settings": {}, "reads": ["caption"]}
    reading = read_captions(system(**linear), captions, None, None)
    assert reading.token_counts is not None
    assert reading.token_counts.tolist() == [1, 1, 1]


def test_a_tokeniser_that_is_not_known_has_a_row_and_no_counts() -> None:
    reading = read_captions(system(tokeniser=None, settings={}), CAPTIONS, None, None)
    assert reading.token_counts is None
    assert reading.used_for == "captions in training and at test time"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "captions in training and at test time"),
        ({"trained": False}, "captions at test time"),
        (
            {"reads": ["image"], "settings": {"objective": "contrastive"}},
            "captions in training, prompts at test time",
        ),
        ({"reads": ["image"], "settings": {"objective": "prompts"}}, "prompts only"),
        ({"reads": ["image"], "trained": False}, "prompts only"),
    ],
)
def test_what_a_tokeniser_is_used_for(changes: dict, expected: str) -> None:
    assert used_for(system(**changes)) == expected
