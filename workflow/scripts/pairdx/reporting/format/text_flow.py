"""Texts of unknown length in a given width: measured, so that nothing is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from pairdx.reporting.format.glyphs import families

PADDING, SPACE = 0.03, 0.03  # inches: within a word's box, and between boxes
# Letters on a screen are rounded to whole pixels; a line may come out this much wider.
TOLERANCE = 1.03


@dataclass(frozen=True)
class Placed:
    """A word, or a part of one that is longer than a line, in its box.

    Attributes:
        word: Position of the word in the text.
        text: What is written.
        line: Number of the line, from 0.
        left: Left edge of the box in inches.
        width: Width of the box in inches.
    """

    word: int
    text: str
    line: int
    left: float
    width: float


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in inches of one line of text; ``size`` is in points."""
    font = FontProperties(family=families(), size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return TOLERANCE * float(width) / 72


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines of at most ``width`` inches, within words only where it must be."""
    lines: list[str] = []
    for word in text.split():
        for part in _parts(word, width, size, bold=bold):
            longer = f"{lines[-1]} {part}" if lines else part
            if lines and text_width(longer, size, bold=bold) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def flow(words: Sequence[str], width: float, size: float) -> list[Placed]:
    """Place words in boxes, line by line, in at most ``width`` inches."""
    placed: list[Placed] = []
    line, left = 0, 0.0
    for number, word in enumerate(words):
        for part in _parts(word, width - 2 * PADDING, size):
            wide = text_width(part, size) + 2 * PADDING
            if left and left + wide > width:
                line, left = line + 1, 0.0
            placed.append(Placed(number, part, line, left, wide))
            left += wide + SPACE
    return placed


def _parts(word: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Cut a word into parts that fit; control characters, which no file may hold, are replaced."""
    word = "".join(letter if letter.isprintable() else "\ufffd" for letter in word)
    if text_width(word, size, bold=bold) <= width:
        return [word]
    parts = [word[:1]]
    for letter in word[1:]:
        if text_width(parts[-1] + letter, size, bold=bold) > width:
            parts.append("")
        parts[-1] += letter
    return parts
