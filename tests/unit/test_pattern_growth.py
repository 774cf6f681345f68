"""No pattern that reads captions takes time out of proportion to their length.

Captions come from outside, and one of some thousand characters once held a job for seconds: a
pattern for names took time cubed. Every compiled pattern of the modules that read captions is tried
on runs of what it is made of; a module or a pattern that is added later is found by itself.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import regex

from pairdx import curation, words
from pairdx.curation import captions, identifiers, readings
from pairdx.evaluation import caption_changes


def compiles_patterns(module: ModuleType) -> bool:
    """Whether it calls a function `compile` anywhere, also inside functions."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.Attribute) and node.attr == "compile" for node in ast.walk(tree)
    )


OF_CURATION = [
    importlib.import_module(f"{curation.__name__}.{found.name}")
    for found in pkgutil.iter_modules(curation.__path__)
]
MODULES = [one for one in [*OF_CURATION, words, caption_changes] if compiles_patterns(one)]
LONG, TIMES_LONGER = 2_400, 4  # characters
# What grows with the length takes 4 times as long; with its square, 16 times.
MOST_GROWTH = 8.0
TOO_SHORT_TO_TELL = 0.002  # seconds, for the long text
# Pieces of names, numbers, dates, addresses, tags and entities, none of which ends a match.
PIECES = (
    *("A", "a", "Aa", "aA", "A.", "A. ", "A.A", "Aa ", "Aa-", "Aa-Aa ", "A'a", "AA ", "AA^", "AA-"),
    *("1", "1 ", "12 ", "123 ", "1-", "1/", "1.", "12-34-", "12.34.", "(1", "+1 ", "1(", "555-"),
    *(" ", "\n", "  \t", ". ", ", ", ";", ":", "'", "\u2019", '"', "- ", "\u2013", "#", "/", "_"),
    *("Dr. ", "Dr. Aa ", "Dr. A. ", "Dr. de ", "Prof. Dr. ", "MRS. AAA ", "de la ", "van Aa "),
    *("courtesy of ", "Courtesy of Aa ", "seen a a a ", "seen a by ", "signed ", "photo: ", "by "),
    *(
        "patient ",
        "patient A. ",
        "Patient's name is ",
        "name: ",
        "Name: Aa, ",
        "NAME: AA ",
        "PATIENT NAMED ",
        "case 1: AA ",
        "MD, ",
    ),
    *("Aa, MD, ", "Aa Aa MD ", "who ", "A.B., ", "AB, ", "AB (", "aged ", "12 years "),
    *("tel ", "tel. no ", "call us at ", "phone 1-", "fax: +(1", "MRN ", "MRN: ", "hosp. no. "),
    *("patient id A-", "MR No: A", "record number is ", "GenBank ", "catalog ", "catalogcatalog"),
    *("March ", "March 1 ", "1 March ", "2019 ", "2019-", "2019/03/", "on ", "date ", "in the "),
    *("12 of ", "1st of ", "1 de ", "Jan. ", "JAN ", "mid-", "12Jan", "20190", "PMID "),
    *("a@", "a.a@", "a@a.", "a@a-", "a at ", "(at)", "http://", "www.", "www.a", "a.", "a.com/"),
    *(
        "10.1234/",
        "doi.org/",
        "https://10.1",
        "<",
        "</",
        "<a ",
        "<a b=",
        "<a b='",
        "<!-",
        "<p",
        "< ",
    ),
    *(
        "&",
        "&a",
        "&amp;",
        "&amp;amp;",
        "&#",
        "&#1",
        "&#x1f",
        "&nbsp;",
        "&nbsp",
        "&amp;nbsp",
        "&#74",
        "\0",
        "\x92",
        "e\u0301",
        "\u0301",
        "\u200b",
    ),
    *("a\u00ad", "\uff21", "\u00a0", "\u2011", "ct", "ct-", "x-ray ", "CT SCAN ", "O'A", "A'"),
)

# A run of one and then of the other: one repetition inside another takes the cube.
IN_A_ROW = ("A.", "A. ", "Aa ", "Aa-", "a ", "A", " ", "1-")
RUNS = [*((piece, "") for piece in PIECES), *itertools.permutations(IN_A_ROW, 2)]


def patterns() -> Iterator[tuple[str, re.Pattern[str] | regex.Pattern[str]]]:
    """Every compiled pattern at the top of a module, alone or among several, by its name."""
    yielded = set()
    for module in MODULES:
        for name, value in vars(module).items():
            values = value.values() if isinstance(value, Mapping) else value
            several = values if isinstance(value, tuple | list | Mapping) else (value,)
            for number, one in enumerate(several):
                if isinstance(one, re.Pattern | regex.Pattern) and one not in yielded:
                    yielded.add(one)
                    yield f"{module.__name__.rpartition('.')[2]}.{name}[{number}]", one
    of_classes = ["*graph*", "ct", "x-ray", "computed tomography", "endoscop*"]
    made = caption_changes.word_pattern(of_classes)
    assert made is not None
    yield MADE, made


MADE = "caption_changes.word_pattern"
PATTERNS = dict(patterns())


def seconds(work: Callable[[str], object], text: str, tries: int) -> float:
    """The least CPU time of some tries."""
    taken = []
    for _ in range(tries):
        start = time.process_time()
        work(text)
        taken.append(time.process_time() - start)
    return min(taken)


def run(pieces: tuple[str, str], length: int) -> str:
    half = length // (2 if pieces[1] else 1)
    return "".join(piece * (half // len(piece)) for piece in pieces if piece) + "!"


def growing_out_of_proportion(work: Callable[[str], object], length: int = LONG) -> list[str]:
    """Name the pieces of which a long run takes much more than its share of time."""
    found = []
    for pieces in RUNS:
        short, long = run(pieces, length // TIMES_LONGER), run(pieces, length)
        for tries in (1, 5):  # again only where it looks bad: the machine may have been busy
            taken = seconds(work, long, tries)
            growth = taken / max(seconds(work, short, tries), 1e-6)
            if taken < TOO_SHORT_TO_TELL or growth < MOST_GROWTH:
                break
        else:
            found.append(f"{pieces}: {growth:.0f} times in {TIMES_LONGER} times the length")
    return found


def test_every_module_has_its_patterns_tried() -> None:
    tried = {name.partition(".")[0] for name in PATTERNS}
    assert tried == {module.__name__.rpartition(".")[2] for module in MODULES}
    assert {"dates", "identifiers", "names", "readings", "words"} <= tried
    assert len(PATTERNS) > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion_to_the_length(name: str) -> None:
    pattern = PATTERNS[name]
    assert growing_out_of_proportion(lambda text: list(pattern.finditer(text))) == []


WHOLE: dict[str, Callable[[str], object]] = {
    "find_identifiers": identifiers.find_identifiers,
    "readings": readings.readings,
    "as_in_a_sentence": readings.as_in_a_sentence,
    "caption_problem": captions.caption_problem,
    "mask_words": lambda text: caption_changes.mask_words(text, PATTERNS[MADE]),
    "tokenise": words.tokenise,
    "caption_cluster": lambda text: captions.caption_cluster(pd.Series([text])),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_reading_a_caption_takes_time_in_proportion_to_its_length(name: str) -> None:
    assert growing_out_of_proportion(WHOLE[name], LONG // 2) == []


@pytest.mark.slow
def test_the_measure_finds_what_grows_with_the_square_and_the_cube() -> None:
    assert growing_out_of_proportion(re.compile(r"[A1.-]+c").findall)
    assert growing_out_of_proportion(re.compile(r"A*A*A*c").match, 800)
