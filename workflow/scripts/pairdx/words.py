"""Captions as words: the tokens of PairDxFusion and the word vectors behind them.

The paper (Section 3.2) lower-cases captions, splits them at white space, strips punctuation, keeps
stop words, abbreviations and negations, and truncates or zero-pads to 32 tokens. It strips
punctuation and also says that "don't"
stays in its original form; here punctuation is stripped at both ends of a token only, so that
"don't", "x-ray" and "1.5" stay whole.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError

PADDING_ID = 0
OUT_OF_VOCABULARY_ID = 1
FIRST_WORD_ID = 2
LENGTH = 5.0  # of random vectors


def tokenise(caption: str) -> list[str]:
    """Split a caption into lower-case words without outer punctuation (paper, Section 3.2)."""
    stripped = (_without_outer_punctuation(token) for token in caption.lower().split())
    return [token for token in stripped if token]


def _without_outer_punctuation(token: str) -> str:
    def is_word(character: str) -> bool:
        return unicodedata.category(character)[0] in "LN"

    inner = [index for index, character in enumerate(token) if is_word(character)]
    return token[inner[0] : inner[-1] + 1] if inner else ""


def word_numbers(vocabulary: Sequence[str]) -> dict[str, int]:
    """Number the words in the order of the word-vector matrix, from :data:`FIRST_WORD_ID` on."""
    return {word: number for number, word in enumerate(vocabulary, start=FIRST_WORD_ID)}


def word_ids(captions: Sequence[str], numbers: Mapping[str, int], tokens: int) -> np.ndarray:
    """Turn captions into rows of word numbers.

    Args:
        captions: N captions.
        numbers: As from :func:`word_numbers`.
        tokens: Length of every row; longer captions are truncated, shorter ones padded at the end.

    Returns:
        int64 array of shape (N, tokens): 0 is padding, 1 a word outside the vocabulary.
    """
    ids = np.full((len(captions), tokens), PADDING_ID, dtype=np.int64)
    for row, caption in enumerate(captions):
        found = [numbers.get(word, OUT_OF_VOCABULARY_ID) for word in tokenise(caption)[:tokens]]
        ids[row, : len(found)] = found
    return ids


def word_counts(captions: Iterable[str]) -> pd.Series:
    """Count every word of the captions, most frequent first, ties in alphabetical order."""
    counts = Counter(word for caption in captions for word in tokenise(caption))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return pd.Series(dict(ordered), dtype="int64")


def out_of_vocabulary_rate(counts: pd.Series, vocabulary: Sequence[str]) -> float:
    """Return the share of all word occurrences whose word the vocabulary lacks, from 0 to 1.

    Args:
        counts: As from :func:`word_counts`.
        vocabulary: The words that have a vector.
    """
    total = int(counts.sum())
    known = int(counts.reindex(list(vocabulary)).sum())
    return (total - known) / total if total else 0.0


def read_word_vectors(
    path: Path, words: Sequence[str], dimension: int
) -> tuple[list[str], np.ndarray]:
    """Read the vectors of ``words`` from a text file in GloVe's format (no header line).

    Args:
        path: A text file, one word and its vector per line, separated by single spaces.
        words: The words wanted; those that the file lacks are left out.
        dimension: The length that the vectors must have.

    Returns:
        The words found, in the order of ``words``, and a float32 matrix of shape (2 + found, d),
        whose rows 0 (padding) and 1 (out of vocabulary) are zero.

    Raises:
        PairDxError: The file is missing, not in GloVe's format, or of another dimension.
    """
    from gensim.models import KeyedVectors

    if not path.is_file():
        raise PairDxError("the word-vector file is missing", where=path)
    try:
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=True)
    except (ValueError, TypeError, UnicodeDecodeError, EOFError) as error:
        raise PairDxError(
            f"this is not a word-vector file in GloVe's text format: {error}",
            where=path,
            remedy="use glove.6B.300d.txt (one word and 300 numbers per line, no header line)",
        ) from error
    if vectors.vector_size != dimension:
        raise PairDxError(
            f"the word vectors have {vectors.vector_size} dimensions, the config says {dimension}",
            where=path,
            remedy="set word_vectors.dimension, or use the file of that dimension",
        )
    found = [word for word in words if word in vectors.key_to_index]
    matrix = np.zeros((FIRST_WORD_ID + len(found), vectors.vector_size), dtype=np.float32)
    if found:
        matrix[FIRST_WORD_ID:] = vectors[found]
    return found, matrix


def random_word_vectors(words: Sequence[str], dimension: int, seed: int) -> np.ndarray:
    """Draw one normally distributed vector per word: the demo's stand-in for GloVe.

    Vectors are about as long as those of GloVe's common words (:data:`LENGTH`): much shorter ones
    would hardly be heard beside an image.

    Returns float32 of shape (2 + len(words), d). Rows 0 and 1 are zero.
    """
    generator = np.random.default_rng(seed)
    matrix = np.zeros((FIRST_WORD_ID + len(words), dimension), dtype=np.float32)
    drawn = generator.standard_normal((len(words), dimension))
    matrix[FIRST_WORD_ID:] = drawn * (LENGTH / np.sqrt(dimension))
    return matrix
