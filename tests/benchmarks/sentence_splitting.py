"""How well splitters find the sentences of radiology reports, ours and three libraries.

    python -m venv splitting && splitting/bin/pip install pyyaml medspacy "numpy<2"
    splitting/bin/python tests/benchmarks/sentence_splitting.py

medspaCy brings pySBD, spaCy and PyRuSH, the rules of medspaCy, with it. None of them is in the
workflow's own environment; what is not installed is left out. The snippets are those of
tests/report_snippets, in two halves: our rules were made with the open one.
Each library is also run behind our rules for lines, because none of them reads lines.

A text is right if all its sentences are. A boundary is a place between two characters of a text
without its white space. A text is changed if its sentences have other characters than it has.
With --captions FILE (a CSV with a column caption), texts are listed that a splitter cuts
differently from ours, for reading; nobody has said what is right there. It is no test: versions of
libraries differ.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from pairdx.report_texts.lines import pieces  # noqa: E402
from pairdx.report_texts.sentences import sentences  # noqa: E402
from report_snippets import HALVES, snippets  # noqa: E402

Splitter = Callable[[str], list[str]]
OURS = "rules of our own"


def pysbd_splitter() -> Splitter:
    """Return pySBD's English rules."""
    segmenter = importlib.import_module("pysbd").Segmenter(language="en", clean=False)
    return lambda text: list(segmenter.segment(text)) if text.strip() else []


def spacy_splitter() -> Splitter:
    """Return spaCy's rule-based sentencizer: punctuation, with no list of abbreviations."""
    pipeline = importlib.import_module("spacy").blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [sentence.text for sentence in pipeline(text).sents]


def medspacy_splitter() -> Splitter:
    """Return PyRuSH with the rules that medspaCy has for it."""
    importlib.import_module("loguru").logger.disable("PyRuSH")  # it tells of every token
    pipeline: Any = importlib.import_module("medspacy").load(enable=["medspacy_pyrush"])
    return lambda text: [sentence.text for sentence in pipeline(text).sents]


def splitters() -> Iterator[tuple[str, Splitter]]:
    """Yield the splitters that are installed, with their names."""
    yield OURS, sentences
    yield "every period and line break", lambda text: text.replace(". ", ".\n").splitlines()
    for package, rules, make in (
        ("pysbd", "pySBD", pysbd_splitter),
        ("spacy", "spaCy's sentencizer", spacy_splitter),
        ("medspacy", "medspaCy's rules", medspacy_splitter),
    ):
        try:
            splitter = make()
        except ImportError as error:
            print(f"{rules} is left out: {error}", file=sys.stderr)
            continue
        name = f"{rules} ({package} {version(package)})"
        yield name, splitter
        yield f"{name} behind our lines", _behind_lines(splitter)


def _behind_lines(splitter: Splitter) -> Splitter:
    return lambda text: [sentence for piece in pieces(text) for sentence in splitter(piece)]


def bare(parts: Sequence[str]) -> list[str]:
    """Return texts without their white space, and none that is empty."""
    return [text for text in ("".join(part.split()) for part in parts) if text]


def boundaries(parts: Sequence[str]) -> set[int]:
    """Return the places where bare sentences end, the last left out."""
    return set(list(accumulate(map(len, parts)))[:-1])


def measure(splitter: Splitter, cases: list[dict[str, Any]], turns: int) -> list[str]:
    """Return the cells of a row: texts right, precision, recall, texts changed, milliseconds."""
    right = changed = hits = given = true = 0
    for case in cases:
        found, wanted = bare(splitter(case["text"])), bare(case["sentences"])
        same = "".join(found) == "".join(wanted)
        changed += not same
        right += found == wanted
        given += len(boundaries(found))
        true += len(boundaries(wanted))
        hits += len(boundaries(found) & boundaries(wanted)) if same else 0
    start = time.perf_counter()
    for case in cases * turns:
        splitter(case["text"])
    per_text = 1000 * (time.perf_counter() - start) / (turns * len(cases))
    shares = [f"{hits / given:.2f}" if given else "none", f"{hits / true:.2f}"]
    return [f"{right} of {len(cases)}", *shares, str(changed), f"{per_text:.3f}"]


def disagreements(splitter: Splitter, texts: Sequence[str]) -> list[str]:
    """Return a text for each of the given that a splitter cuts differently from ours."""
    found = []
    for text in texts:
        theirs, ours = splitter(text), sentences(text)
        if bare(theirs) != bare(ours):
            lines = [f"  ours    {line}" for line in ours] + [
                f"  theirs  {' '.join(line.split())}" for line in theirs
            ]
            found.append("\n".join([repr(text), *lines]))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write the disagreements where captions are given."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=5, help="times that each text is split")
    parser.add_argument("--captions", type=Path, help="CSV with a column caption")
    parser.add_argument("--into", type=Path, default=Path(), help="folder for disagreements")
    asked = parser.parse_args(arguments)
    found = list(splitters())
    for half in HALVES:
        print(f"\n| {half} half | texts right | precision | recall | changed | ms per text |")
        print("|---|---|---|---|---|---|")
        for name, splitter in found:
            cells = measure(splitter, snippets(half, "sentences"), asked.turns)
            print(f"| {name} | {' | '.join(cells)} |")
    if asked.captions:
        with asked.captions.open(encoding="utf-8", newline="") as file:
            texts = sorted({row["caption"] for row in csv.DictReader(file)})
        print(f"\n{len(texts)} captions that differ; cut differently from ours:")
        for number, (name, splitter) in enumerate(found):
            differing = disagreements(splitter, texts)
            print(f"{len(differing):6d}  {name}")
            path = asked.into / f"disagreements_{number}.txt"
            path.write_text(f"{name}\n\n" + "\n\n".join(differing), encoding="utf-8")


if __name__ == "__main__":
    main()
