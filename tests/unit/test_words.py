"""Captions as words: where they are split, and what stands for a word without a vector."""

from __future__ import annotations

import html
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest

from pairdx import words

# Words as GloVe has them: from texts cut as in the Penn Treebank ("do", "n't").
_KNOWN = """the a do n't patient 's ca wo ct pet scan axial figure showing weighted t1 t2 and or
x-ray 1.5 t e.g. i.e. ph.d. contrast enhanced h e 10 mm left right follow up follow-up"""
GLOVE = frozenset(_KNOWN.split())


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("T1/T2-weighted", ["t1", "t2-weighted"]),
        ("CT/PET", ["ct", "pet"]),
        ("scan—axial", ["scan", "axial"]),
        ("contrast\u2013enhanced scan", ["contrast", "enhanced", "scan"]),
        ("the figure.Showing a", ["the", "figure", "showing", "a"]),
        ("(a)axial;CT:scan,left…right", ["a", "axial", "ct", "scan", "left", "right"]),
        ("and/or", ["and", "or"]),
        ("scan--axial, CT)/(PET", ["scan", "axial", "ct", "pet"]),
        ("mass_left TE=30ms 50%of", ["mass", "left", "te", "30ms", "50", "of"]),
    ],
)
def test_words_are_split_between_letters(caption: str, expected: list[str]) -> None:
    assert words.tokenise(caption) == expected


@pytest.mark.parametrize(
    "caption",
    ["x-ray", "don't", "h&e", "1.5-t", "10:30", "120/80", "2\u20133", "1,000", "e.g", "ph.d"],
)
def test_hyphens_apostrophes_abbreviations_and_numbers_stay_whole(caption: str) -> None:
    assert words.tokenise(f"({caption}).") == [caption]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("don\u2019t", ["don't"]),  # curly apostrophe
        ("don\u00b4t isn`t isn\u2032t", ["don't", "isn't", "isn't"]),  # accents and a prime for it
        ("H&amp;E", ["h&e"]),
        ("x\u2010ray x\u2011ray x\u2212ray", ["x-ray"] * 3),  # hyphens and a minus sign
        ("T\u2082", ["t2"]),
        ("\uff23\uff34", ["ct"]),  # full-width letters
        ("\ufb01gure", ["figure"]),  # a ligature
        ("sc\u00adan sc\u200ban", ["scan", "scan"]),  # a soft hyphen, a space without a width
        ("cafe\u0301", ["caf\u00e9"]),  # an accent of its own
        ("Lipiodol\u2122", ["lipiodol"]),
        ("left\u00a0scan", ["left", "scan"]),
    ],
)
def test_forms_of_one_character_are_one_word(caption: str, expected: list[str]) -> None:
    assert words.tokenise(caption) == expected


@pytest.mark.parametrize("caption", ["", " ", "—", "... (!)", "'"])
def test_without_letters_there_are_no_words(caption: str) -> None:
    assert words.tokenise(caption) == []


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("x-ray", ["x-ray"]),
        ("follow-up", ["follow-up"]),
        ("don't", ["do", "n't"]),
        ("can't", ["ca", "n't"]),
        ("patient's", ["patient", "'s"]),
        ("t2-weighted", ["t2", "weighted"]),
        ("contrast-enhanced", ["contrast", "enhanced"]),
        ("non-enhanced", ["non", "enhanced"]),
        ("1.5-t", ["1.5", "t"]),
        ("e.g", ["e.g."]),
        ("h&e", ["h", "e"]),
        ("10mm", ["10", "mm"]),
        ("1.5mm", ["1.5", "mm"]),
        ("1.5t", ["1.5", "t"]),
        ("9.9mm", ["9.9", "mm"]),  # whatever of it has one
        ("zzz", ["zzz"]),
        ("zz-yy", ["zz-yy"]),
        ("zz's", ["zz", "'s"]),
    ],
)
def test_a_word_without_a_vector_is_read_as_its_parts(word: str, expected: list[str]) -> None:
    """The whole, where it has one; the whole too, where no part has one."""
    assert words.pieces(word, GLOVE) == expected
    assert set(expected) <= words.possible_pieces(word)


def test_words_with_vectors_are_never_cut() -> None:
    assert words.pieces("don't", {"don't", "do", "n't"}) == ["don't"]


def test_words_that_matter_are_no_zeros_any_more() -> None:
    """The words of the captions that were seen to have no vector, all of them with one now."""
    numbers = words.word_numbers(sorted(GLOVE))
    caption = "T1/T2-weighted CT/PET scan—axial figure.Showing; don't"
    assert words.OUT_OF_VOCABULARY_ID not in words.word_ids([caption], numbers, tokens=11)
    assert words.PADDING_ID not in words.word_ids([caption], numbers, tokens=11)
    expected = "t1 t2 weighted ct pet scan axial figure showing do n't".split()  # noqa: SIM905 - shorter
    assert words.read_words(caption, numbers) == expected
    assert words.out_of_vocabulary_rate(words.word_counts([caption]), sorted(GLOVE)) == 0


def test_the_rate_counts_what_is_read() -> None:
    """Of "non", "enhanced", "ct" and "zzz" two have no vector."""
    counts = words.word_counts(["Non-enhanced CT zzz"])
    assert words.out_of_vocabulary_rate(counts, sorted(GLOVE)) == pytest.approx(0.5)
    assert words.out_of_vocabulary_rate(pd.Series(dtype="int64"), ["ct"]) == 0


@pytest.mark.parametrize(
    "sign", ["a", "a-", "a/", "a.", "'s", "a's", "1", "1,", "1mm-", "\u0301", "-", "a_"]
)
def test_time_grows_with_the_length_of_a_text_and_no_faster(sign: str) -> None:
    """A caption without a space, of 8,000 and of 64,000 characters; none is near a second."""

    def seconds(length: int) -> float:
        text = (sign * length)[:length]
        started = time.process_time()
        words.read_words(text, GLOVE)
        return time.process_time() - started

    assert seconds(64_000) < 40 * max(seconds(8_000), 0.002)


def all_at_once(caption: str) -> list[str]:
    """Cut a caption into words as a whole, as it was done before it was done piece by piece."""
    signs = str.maketrans(
        dict(zip("\u2010\u2011\u2212\u2019\u02bc\u00b4`\u2032", "---'''''", strict=True))
        | dict.fromkeys("\u2122\u2120")
    )
    text = html.unescape(caption).translate(signs)
    text = unicodedata.normalize("NFKC", text).translate(signs)
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return [word for token in text.lower().split() for word in words._split(token)]


STRANGE = [
    *("&amp;", "&#8217;", "&nbsp;", "&lt", "&notit;", "&", "&#x301;", "&hearts ", "don\u2019t "),
    *("patient's", "wo n't", "can`t", "\u0301", "\u0308\u0301", "e\u0301", "\u00a8", "\u00b4"),
    *("\u03a3", "\u0391\u03a3", "\u03a3 ", "\u0391\u03a3\u00ad ", "\u1100\u1161", "\u11a8"),
    *("\u00a0", "\u3000", "\u2028", "\r\n", "\x0b", "\x1c", "\x85", "\u200b", "\u00ad", "\ufdfa"),
    *(
        "x-ray",
        "1.5T",
        "10 mm",
        "T1/T2",
        "e.g.",
        "_",
        "-",
        "...",
        "<",
        "\u0338",
        "\udcff",
        "\U0001f9ec",
    ),
    *(" ", " ", " ", "\t", "\n", "scan", "CT", "\u0130", "\ufb01", "\u2122", "zzz", "1", "2"),
]


def test_words_of_long_texts_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few characters here, so that they end at every sort of sign."""
    generator = np.random.default_rng(3)
    texts = [
        "".join(STRANGE[at] for at in generator.integers(0, len(STRANGE), generator.integers(120)))
        for _ in range(150)
    ]
    numbers = words.word_numbers(sorted(GLOVE))
    for size in (1, 7, 4_000):
        monkeypatch.setattr(words, "_PIECE", size)
        for text in texts:
            expected = all_at_once(text)
            assert words.tokenise(text) == expected
        ids = words.word_ids(texts, numbers, tokens=12)
        for text, row in zip(texts, ids.tolist(), strict=True):
            read = [piece for word in all_at_once(text) for piece in words.pieces(word, numbers)]
            found = [numbers.get(word, words.OUT_OF_VOCABULARY_ID) for word in read[:12]]
            assert row == found + [words.PADDING_ID] * (12 - len(found))


@pytest.mark.parametrize(
    "long",
    [
        "a scan of the ct " * 300_000,
        "\u0301\u0316" * 2_000_000,  # to put accents in order takes the square of their number
        "a-" * 2_000_000,
        " " * 4_000_000,
        "&" * 4_000_000,
    ],
    ids=["words", "accents", "one word", "blanks", "entities"],
)
def test_of_long_captions_the_first_words_are_looked_at(long: str) -> None:
    numbers = words.word_numbers(sorted(GLOVE))
    started = time.process_time()
    ids = words.word_ids([f"ct scan axial {long}"], numbers, tokens=3)
    assert time.process_time() - started < 1
    assert ids.tolist() == words.word_ids(["ct scan axial"], numbers, tokens=3).tolist()


def test_words_after_blanks_of_any_number_are_read() -> None:
    numbers = words.word_numbers(sorted(GLOVE))
    text = f"ct{' ' * 250_000}scan {'x' * 250_000} axial"
    expected = [numbers["ct"], numbers["scan"], words.OUT_OF_VOCABULARY_ID, numbers["axial"], 0]
    assert words.word_ids([text], numbers, tokens=5).tolist() == [expected]
