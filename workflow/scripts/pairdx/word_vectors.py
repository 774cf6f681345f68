"""Word vectors from a file in GloVe's text format, for the words that captions are read as."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.words import (
    FIRST_WORD_ID,
    OUT_OF_VOCABULARY_ID,
    PADDING_ID,
    piece_counts,
    possible_pieces,
    word_numbers,
)

# No number of a word vector is as large; those of GloVe and word2vec lie within ten or so.
LARGEST_NUMBER = 1000.0
NAMED_IN_AN_ERROR = 3
_AS_RELEASED = "use glove.6B.300d.txt (one word and 300 numbers per line, no header line)"


def glove_vectors(path: Path, counts: pd.Series, dimension: int) -> tuple[list[str], np.ndarray]:
    """Read the vectors of words, and of the parts that stand for words without one.

    Args:
        path: As for :func:`read_word_vectors`.
        counts: The words wanted, as from :func:`pairdx.words.word_counts`.
        dimension: The length that the vectors must have.

    Returns:
        What is read of the words and has a vector, most frequent first, and its matrix, as from
        :func:`read_word_vectors`.

    Raises:
        PairDxError: None has one; or see :func:`read_word_vectors`.
    """
    if counts.empty:
        raise PairDxError(
            "no word of the captions is so frequent that its vector is read",
            where="word_vectors: min_count",
            remedy="lower it; 1 reads all",
        )
    wanted = {piece for word in counts.index for piece in possible_pieces(str(word))}
    found, matrix = read_word_vectors(path, sorted(wanted), dimension)
    rows = word_numbers(found)
    vocabulary = [word for word in piece_counts(counts, rows).index if word in rows]
    if not vocabulary:
        raise PairDxError(
            f"none of the {len(counts)} different words of the captions has a vector in this file",
            where=path,
            remedy="use glove.6B.300d.txt, whose words are English and in lower case",
        )
    kept = [PADDING_ID, OUT_OF_VOCABULARY_ID, *(rows[word] for word in vocabulary)]
    return vocabulary, matrix[kept]


def read_word_vectors(
    path: Path, words: Sequence[str], dimension: int
) -> tuple[list[str], np.ndarray]:
    """Read the vectors of ``words`` from a text file in GloVe's format (no header line).

    Of a word that the file has twice, the first vector counts, and the log says so.

    Args:
        path: A text file, one word and its vector per line, separated by single spaces.
        words: The words wanted; those that the file lacks are left out.
        dimension: The length that the vectors must have.

    Returns:
        The words found, in the order of ``words``, and a float32 matrix of shape (2 + found, d),
        whose rows 0 (padding) and 1 (out of vocabulary) are zero.

    Raises:
        PairDxError: The file is missing, not in GloVe's format, of another dimension, or holds
            vectors that are not numbers or far too large, whether they are wanted or not.
    """
    from gensim.models import KeyedVectors

    if not path.is_file():
        raise PairDxError(
            "the word-vector file is missing",
            where=path,
            remedy=f"set downloads.glove.path to the unpacked file; {_AS_RELEASED}",
        )
    # First: gensim takes a line with a single number for a whole vector of that number.
    lines = _require_dimension(path, dimension)
    try:
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=True)
    except (ValueError, TypeError, UnicodeDecodeError, EOFError) as error:
        raise PairDxError(
            f"this is not a word-vector file in GloVe's text format: {error}",
            where=path,
            remedy=_AS_RELEASED,
        ) from error
    _require_sensible(vectors.vectors, vectors.index_to_key, path)
    if twice := lines - len(vectors.key_to_index):
        logger.warning("%d lines repeat words of this file and are left out: %s", twice, path)
    found = [word for word in words if word in vectors.key_to_index]
    matrix = np.zeros((FIRST_WORD_ID + len(found), vectors.vector_size), dtype=np.float32)
    if found:
        matrix[FIRST_WORD_ID:] = vectors[found]
    return found, matrix


def _require_sensible(vectors: np.ndarray, words: Sequence[str], path: Path) -> None:
    # Compared so that what is not a number fails, too.
    wrong = np.flatnonzero(~(np.abs(vectors) <= LARGEST_NUMBER).all(axis=1))
    if len(wrong):
        named = ", ".join(repr(words[row]) for row in wrong[:NAMED_IN_AN_ERROR])
        more = len(wrong) - NAMED_IN_AN_ERROR
        raise PairDxError(
            f"word vectors hold what is not a number, or one beyond {LARGEST_NUMBER:g}: those of "
            f"{named}{f' and {more} more' if more > 0 else ''}",
            where=path,
            remedy="use glove.6B.300d.txt as it is released, or mend these lines",
        )


def _require_dimension(path: Path, dimension: int) -> int:
    """Refuse lines of more or fewer numbers than ``dimension``; return the number of lines."""
    count = 0
    with path.open("rb") as file:
        for count, line in enumerate(file, start=1):
            if count == 1 and line.startswith(BOM_UTF8):  # it would be read as of the word
                raise PairDxError(
                    "this file of word vectors begins with a mark of UTF-8, so that its first word "
                    "would not be found",
                    where=path,
                    remedy="save it in UTF-8 without the mark (also called BOM), or "
                    f"{_AS_RELEASED}",
                )
            numbers = line.rstrip().count(b" ")
            if numbers == dimension:
                continue
            if count == 1 and numbers > 1:
                raise PairDxError(
                    f"the word vectors have {numbers} dimensions, the config says {dimension}",
                    where=path,
                    remedy="set word_vectors.dimension, or use the file of that dimension",
                )
            raise PairDxError(
                f"line {count} of this file has {numbers} numbers instead of {dimension}",
                where=path,
                remedy=_AS_RELEASED,
            )
    if not count:
        raise PairDxError("this file of word vectors is empty", where=path, remedy=_AS_RELEASED)
    return count
