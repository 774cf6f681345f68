"""Precision and recall of the finder of identifiers, on captions labelled by hand.

python tests/labelled_captions.py              both halves of the list
python tests/labelled_captions.py CSV COLUMN   hits in a table of captions, to look at

An identifier counts as found if something of its kind that overlaps it is found.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

import pandas as pd

from pairdx.curation.identifiers import KINDS, find_identifiers

FOLDER = Path(__file__).parent / "unit/captions"
MARK = re.compile(r"\[\[(\w+)\|([^\]|]+)\]\]")
ESCAPE = re.compile(r"\\u([0-9a-f]{4})")  # characters that one cannot see, or tell from others


@dataclass(frozen=True)
class Labelled:
    """A caption and the (start, end, kind) of every identifier in it."""

    text: str
    identifiers: list[tuple[int, int, str]]


@dataclass(frozen=True)
class Score:
    """What was found, (kind, text); what was missed; and what was found and is none."""

    found: list[tuple[str, str]]
    missed: list[tuple[str, str]]
    wrong: list[tuple[str, str]]

    @property
    def precision(self) -> float:
        """Share of what was found that is an identifier."""
        return len(self.found) / (len(self.found) + len(self.wrong))

    @property
    def recall(self) -> float:
        """Share of identifiers that were found."""
        return len(self.found) / (len(self.found) + len(self.missed))


def read_labelled(half: str) -> list[Labelled]:
    """Read one half of the list, `frozen` or `development`."""
    lines = (FOLDER / f"{half}.txt").read_text(encoding="utf-8").splitlines()
    plain = [line for line in lines if line and not line.startswith("# ")]
    return [_parsed(ESCAPE.sub(lambda code: chr(int(code[1], 16)), line)) for line in plain]


def _parsed(line: str) -> Labelled:
    text, position, identifiers = "", 0, []
    for mark in MARK.finditer(line):
        text += line[position : mark.start()]
        identifiers.append((len(text), len(text) + len(mark[2]), mark[1]))
        text, position = text + mark[2], mark.end()
    return Labelled(text + line[position:], identifiers)


def score(captions: Sequence[Labelled]) -> Score:
    """Compare what is found with what is marked."""
    result = Score([], [], [])
    for caption in captions:
        left = find_identifiers(caption.text)
        for start, end, kind in caption.identifiers:
            hits = [one for one in left if one.kind == kind and one.start < end and one.end > start]
            (result.found if hits else result.missed).append((kind, caption.text[start:end]))
            left = [one for one in left if one not in hits[:1]]
        result.wrong.extend((one.kind, one.text) for one in left)
    return result


def _print_scores() -> None:
    for half in ("frozen", "development"):
        captions = read_labelled(half)
        found = score(captions)
        print(
            f"{half}: {len(captions)} captions, {len(found.found + found.missed)} identifiers, ",
            end="",
        )
        print(f"precision {found.precision:.3f}, recall {found.recall:.3f}")
        for kind in KINDS:
            counts = [
                sum(one[0] == kind for one in part)
                for part in (found.found, found.missed, found.wrong)
            ]
            print(f"  {kind:14} found {counts[0]:3}  missed {counts[1]:3}  wrong {counts[2]:3}")


def _print_hits(path: str, column: str) -> None:
    captions = pd.read_csv(path, dtype=str, keep_default_na=False)[column]
    hits = [(one, caption) for caption in captions for one in find_identifiers(caption)]
    for one, caption in hits:
        print(f"{one.kind}: {one.text!r} in {caption[:100]!r}")
    print(f"{len(hits)} hits in {len(captions)} captions")


if __name__ == "__main__":
    _print_hits(*sys.argv[1:]) if len(sys.argv) == 3 else _print_scores()
