"""Word vectors from a file: numbers only, of words that the captions have."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.word_vectors import glove_vectors, read_word_vectors
from pairdx.words import word_counts

LINES = ["the 0.1 0.2", "ct 1 2", "scan -3 4", "do 5 6", "n't 7 8", ", 0 1", "e.g. 2 2"]


def written(folder: Path, *lines: str) -> Path:
    """As GloVe is released: no header, one space between, a line feed at the end."""
    path = folder / "glove.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("number", ["nan", "NaN", "inf", "-inf", "1e30", "-1001", "1e999"])
def test_what_is_no_number_or_too_large_is_refused_with_its_word(
    tmp_path: Path, number: str
) -> None:
    """Even if no caption has the word: the file is damaged."""
    path = written(tmp_path, *LINES, f"polyp 0.1 {number}")
    with pytest.raises(PairDxError, match=r"those of 'polyp'\n[\s\S]*glove\.txt"):
        read_word_vectors(path, ["ct"], dimension=2)


@pytest.mark.parametrize("line", ["mass 5", "mass 1 2 3", "mass", ""])
def test_lines_of_another_length_are_refused_with_their_number(tmp_path: Path, line: str) -> None:
    """One number alone would be taken for two of them, as a file that is cut short may end."""
    with pytest.raises(PairDxError, match=r"line 8 of this file has \d numbers instead of 2"):
        read_word_vectors(written(tmp_path, *LINES, line), ["ct"], dimension=2)


def test_a_header_line_is_refused(tmp_path: Path) -> None:
    """As word2vec's own files have one: so many words, of so many numbers."""
    with pytest.raises(PairDxError, match=r"line 1 of this file[\s\S]*no header line"):
        read_word_vectors(written(tmp_path, "7 2", *LINES), ["ct"], dimension=2)


def test_a_mark_at_the_start_is_refused_and_not_read_as_of_the_first_word(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(PairDxError, match=r"mark of UTF-8[\s\S]*without the mark"):
        read_word_vectors(path, ["the", "ct"], dimension=2)


def test_of_many_damaged_vectors_the_first_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES, *(f"w{number} nan 1" for number in range(9)))
    with pytest.raises(PairDxError, match=r"those of 'w0', 'w1', 'w2' and 6 more"):
        read_word_vectors(path, ["ct"], dimension=2)


def test_the_first_of_two_vectors_of_a_word_counts_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, *LINES, "ct 9 9", "ct 8 8")
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        _, matrix = read_word_vectors(path, ["ct"], dimension=2)
    np.testing.assert_array_equal(matrix[2:], [[1, 2]])
    assert "2 lines repeat words" in caplog.text


def test_a_file_without_repetitions_is_read_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        read_word_vectors(written(tmp_path, *LINES), ["ct"], dimension=2)
    assert caplog.text == ""


def test_words_are_looked_for_whole_and_then_in_parts(tmp_path: Path) -> None:
    """The vocabulary is what the captions are read as, most frequent first, and no more."""
    counts = word_counts(["CT scan: don't, e.g. zzz", "ct/the ct"])
    found, matrix = glove_vectors(written(tmp_path, *LINES), counts, dimension=2)
    assert found == ["ct", "do", "e.g.", "n't", "scan", "the"]
    expected = [[0, 0], [0, 0], [1, 2], [5, 6], [2, 2], [7, 8], [-3, 4], [0.1, 0.2]]
    np.testing.assert_allclose(matrix, expected)


def test_vectors_of_none_of_the_words_are_an_error(tmp_path: Path) -> None:
    """A German file, say, or one in capitals: every caption would be zeros."""
    path = written(tmp_path, "CT 1 2", "der 3 4")
    with pytest.raises(PairDxError, match=r"none of the 2 different words[\s\S]*glove\.txt"):
        glove_vectors(path, word_counts(["ct scan"]), dimension=2)


def test_a_least_count_that_no_word_reaches_is_named(tmp_path: Path) -> None:
    counts = word_counts(["ct scan"])
    with pytest.raises(PairDxError, match=r"min_count"):
        glove_vectors(written(tmp_path, *LINES), counts[counts > 1], dimension=2)


def test_words_with_unusual_signs_are_read(tmp_path: Path) -> None:
    """GloVe has words with spaces of other kinds in them, and a space is no end of a line."""
    path = written(tmp_path, "a\u00a0b 1 2", "\u0085 3 4", "# 5 6", "caf\u00e9 7 8")
    found, matrix = read_word_vectors(path, ["caf\u00e9", "#"], dimension=2)
    assert found == ["caf\u00e9", "#"]
    np.testing.assert_array_equal(matrix[2:], [[7, 8], [5, 6]])
