"""Captions as words: the tokens of PairDxFusion and the word vectors behind them.

The paper (Section 3.2) lower-cases captions, splits them at white space, strips punctuation, keeps
stop words, abbreviations and negations, and truncates or zero-pads to 32 tokens. Captions lack
spaces, though ("CT/PET", "scan—axial", "figure.Showing"), and what is not split has no word vector.
So words are also split at most signs between letters. It strips punctuation and also says that
"don't" stays in its original form; here "don't", "x-ray" and "1.5" stay whole, and are read as
their parts only where they have no vector (see :func:`pieces`): GloVe was made of texts cut as in
the Penn Treebank, and knows "do" and "n't".
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # deployed systems read captions where there is no pandas
    import pandas as pd

PADDING_ID = 0
OUT_OF_VOCABULARY_ID = 1
FIRST_WORD_ID = 2
LENGTH = 5.0  # of random vectors
# Longer ones are addresses, sequences and the like; they are not cut, which bounds the time.
LONGEST_CUT_WORD = 60
# Characters that are looked at together, at most so many without a blank, and of a caption: what is
# longer is no text, and to put accents in order may take the square of their number.
_PIECE, LONGEST_RUN, LONGEST_CAPTION = 4_000, 10_000, 1_000_000

_BLANK = re.compile(r"[ \t\n]")
_RUN = re.compile(r"[^\W_]+")
# Signs that belong to a word: x-ray, don't, h&e.
_JOINING = "-'&"
# Written for the hyphen and the apostrophe; trade marks, which NFKC would make letters of.
_SAME_SIGN = str.maketrans(
    "\u2010\u2011\u2212\u2019\u02bc\u00b4`\u2032", "---'''''", "\u2122\u2120"
)
_CLITICS = ("n't", "'s", "'re", "'ve", "'ll", "'d", "'m")
_CLITIC = re.compile(rf"\A(.+)({'|'.join(_CLITICS)})\Z")
_NUMBER_AND_UNIT = re.compile(r"\A(?:(\d+(?:[.,]\d+)*)([^\W\d_]{2,})|(\d+[.,]\d+)([^\W\d_]))\Z")
# From the weakest bond to the strongest: signs between numbers, hyphens, what joins abbreviations.
_SEPARATORS = (re.compile(r"[^\w.'&-]+"), re.compile(r"-+"), re.compile(r"[&.']+"))


def tokenise(caption: str) -> list[str]:
    """Split a caption into lower-case words without outer punctuation (paper, Section 3.2).

    Words are split at white space and at signs between letters, except hyphens, apostrophes, "&"
    and the dots of abbreviations; between digits all signs stay ("1.5", "10:30"). Compatible forms
    of one character (lowered digits, full-width letters, curly apostrophes, entities of HTML) are
    one, and characters without a width are left out. Of more than :data:`LONGEST_RUN` characters
    without a blank, and of more than :data:`LONGEST_CAPTION`, the first are looked at.
    """
    return list(_words(caption))


def _words(caption: str) -> Iterator[str]:
    """Yield words piece by piece: whoever needs the first few does not wait for the last.

    Pieces end where a blank begins, and nothing that is done to a text looks across one: neither
    entities nor accents, the lower case of a letter nor words.
    """
    start, end = 0, min(len(caption), LONGEST_CAPTION)
    while start < end:
        most = min(start + LONGEST_RUN, end)
        found = _BLANK.search(caption, start + _PIECE, most)
        yield from _words_of(caption[start : found.start() if found else most])
        found = found or _BLANK.search(caption, most, end)
        start = found.start() if found else end


def _words_of(caption: str) -> Iterator[str]:
    if "&" in caption:
        caption = html.unescape(caption)
    text = unicodedata.normalize("NFKC", caption.translate(_SAME_SIGN)).translate(_SAME_SIGN)
    if not text.isascii():
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    for token in text.lower().split():
        yield from _split(token)


def _split(token: str) -> Iterator[str]:
    start = end = 0
    for run in _RUN.finditer(token):
        between = token[end : run.start()]
        if not end:
            start = run.start()
        elif not _joined(token[max(start, end - 3) : end], between, run[0][:3]):
            yield token[start:end]
            start = run.start()
        end = run.end()
    if end:
        yield token[start:end]


def _joined(before: str, between: str, after: str) -> bool:
    """Say whether what stands between up to three signs before and after is part of one word."""
    if all(unicodedata.category(sign)[0] == "M" for sign in between):
        return True
    if len(between) != 1:
        return False
    if between in _JOINING or (before[-1].isdigit() and after[0].isdigit()):
        return True
    # An abbreviation's letters stand alone or in twos: e.g., i.v., ph.d.
    longer = any(len(letters) == 3 and letters.isalpha() for letters in (before, after))
    return between == "." and not longer


def pieces(word: str, known: Collection[str]) -> list[str]:
    """Return what a word is read as: itself if it is known, or else its parts.

    An abbreviation may be known with its last dot, a word with "n't" or "'s" as the two pieces of
    the Penn Treebank, a compound by its parts, a number with its unit as two. Parts that are not
    known either stay, if another is; a word without any known part stays whole.

    Args:
        word: As :func:`tokenise` gives it.
        known: The words that have a vector.
    """
    if word in known or word in _CLITICS:
        return [word]
    if f"{word}." in known:
        return [f"{word}."]
    for parts in _readings(word):
        found = [piece for part in parts for piece in pieces(part, known)]
        if any(piece in known for piece in found):
            return found
    return [word]


def possible_pieces(word: str) -> set[str]:
    """Return all that :func:`pieces` may make of a word, whatever is known."""
    if word in _CLITICS:
        return {word}
    parts = {part for reading in _readings(word) for part in reading}
    return {word, f"{word}."}.union(*(possible_pieces(part) for part in parts))


def _readings(word: str) -> Iterator[list[str]]:
    """Yield the ways to cut a word into shorter parts."""
    if len(word) > LONGEST_CUT_WORD:
        return
    if clitic := _CLITIC.fullmatch(word):
        yield [clitic[1], clitic[2]]
    if unit := _NUMBER_AND_UNIT.fullmatch(word):
        yield [part for part in unit.groups() if part]
    for separator in _SEPARATORS:
        parts = [part for part in separator.split(word) if part]
        if parts and parts != [word]:
            yield parts


def read_words(caption: str, known: Collection[str]) -> list[str]:
    """Return the words of a caption as they are read: those without a vector by their parts."""
    return list(_read(caption, known))


def _read(caption: str, known: Collection[str]) -> Iterator[str]:
    for word in _words(caption):
        yield from pieces(word, known)


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
        read = islice(_read(caption, numbers), tokens)
        found = [numbers.get(word, OUT_OF_VOCABULARY_ID) for word in read]
        ids[row, : len(found)] = found
    return ids


def word_counts(captions: Iterable[str]) -> pd.Series:
    """Count every word of the captions, most frequent first, ties in alphabetical order."""
    import pandas as pd  # see TYPE_CHECKING above

    counts = Counter(word for caption in captions for word in tokenise(caption))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return pd.Series(dict(ordered), dtype="int64")


def piece_counts(counts: pd.Series, known: Collection[str]) -> pd.Series:
    """Count what the words are read as (see :func:`pieces`), ordered as :func:`word_counts` does.

    Args:
        counts: As from :func:`word_counts`.
        known: The words that have a vector.
    """
    import pandas as pd  # see TYPE_CHECKING above

    found: Counter[str] = Counter()
    for word, count in counts.items():
        for piece in pieces(str(word), known):
            found[piece] += int(count)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return pd.Series(dict(ordered), dtype="int64")


def out_of_vocabulary_rate(counts: pd.Series, vocabulary: Sequence[str]) -> float:
    """Return the share of all that is read whose word the vocabulary lacks, from 0 to 1.

    Args:
        counts: As from :func:`word_counts`.
        vocabulary: The words that have a vector.
    """
    known = set(vocabulary)
    read = piece_counts(counts, known)
    unknown = int(read[[word not in known for word in read.index]].sum())
    return unknown / int(read.sum()) if len(read) else 0.0


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


def further_word_vectors(words: Sequence[str], dimension: int) -> np.ndarray:
    """Draw a vector per word that depends on the word alone, as long as the stand-ins above.

    Those depend on a word's place in its list, so that one of another list would be, number by
    number, some other word's of this one.

    Returns float32 of shape (len(words), d).
    """
    drawn = np.zeros((len(words), dimension), dtype=np.float32)
    for row, word in enumerate(words):
        generator = np.random.default_rng(list(word.encode("utf-8")))
        drawn[row] = generator.standard_normal(dimension) * (LENGTH / np.sqrt(dimension))
    return drawn
