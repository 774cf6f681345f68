"""Where the parts of a figure of decisions stand: measured before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pairdx.models.explained import Explanation, WordAttention
from pairdx.reporting.format.classes import Names, title_of
from pairdx.reporting.format.glyphs import drawable, drawable_name
from pairdx.reporting.format.text_flow import Placed, flow, wrap
from pairdx.reporting.format.theme import PAGE_WIDTH, SMALL

# Geometry in inches.
MARGIN, GAP, LINE = 0.1, 0.08, 0.135
WORD_LINE = 0.175
SIDE_BESIDE_WORDS, SIDE_ALONE = 1.35, 1.55
LONGEST_WORD = 40  # characters; longer ones are cut


@dataclass(frozen=True)
class ExplainedPair:
    """A pair and what a system made of it.

    Attributes:
        pair_id: Its name.
        subset: ``train``, ``validation`` or ``test``.
        label: Its true class.
        image: uint8 of shape (S, S, 3), RGB.
        explanation: Of the predicted class.
    """

    pair_id: str
    subset: str
    label: str
    image: np.ndarray
    explanation: Explanation


@dataclass(frozen=True)
class Layout:
    """Where the parts of a pair stand, in inches from its left edge.

    Attributes:
        columns: Pairs side by side.
        width: Of one pair.
        side: Of a picture; 0 without pictures.
        words: Left edge of the words.
    """

    columns: int
    width: float
    side: float
    words: float


def layout_of(explanation: Explanation) -> Layout:
    """Choose the places by what the system has: pictures, words or both."""
    whole = PAGE_WIDTH - 2 * MARGIN
    if explanation.heat is None:
        return Layout(1, whole, 0.0, 0.0)
    if explanation.attention is None:
        return Layout(2, (whole - 2 * MARGIN) / 2, SIDE_ALONE, 0.0)
    return Layout(1, whole, SIDE_BESIDE_WORDS, 2 * (SIDE_BESIDE_WORDS + GAP) + GAP)


# Lines over a caption's words; each word's place, its attention (1: an even share), and whether it
# has a word vector.
Attended = tuple[list[str], list[tuple[Placed, float, bool]]]


@dataclass(frozen=True)
class Block:
    """One pair's texts, laid out.

    Attributes:
        pair: The pair.
        heading: Lines over it; the first ``bold`` ones say what was true and what was predicted.
        bold: How many these are.
        words: The caption's words, once for each that attends to them.
        remark: Lines under the words.
        body: Height of pictures and words in inches.
    """

    pair: ExplainedPair
    heading: list[str]
    bold: int
    words: list[Attended]
    remark: list[str]
    body: float


def block_of(pair: ExplainedPair, classes: Names, layout: Layout) -> Block:
    """Lay out the texts of one pair."""
    explanation = pair.explanation
    predicted = list(classes)[explanation.predicted]
    verdict = "right" if predicted == pair.label else "wrong"
    share = 100 * explanation.probabilities[explanation.predicted]
    heading = wrap(
        f"True: {drawable_name(title_of(pair.label, classes))}. "
        f"Predicted: {drawable_name(title_of(predicted, classes))}, {share:.1f} % ({verdict})",
        layout.width,
        SMALL,
        bold=True,
    )
    name = pair.pair_id if pair.subset == "test" else f"{pair.pair_id} ({pair.subset} pair)"
    names = wrap(name, layout.width, SMALL - 1)
    words, remark, below = _words(explanation.attention, layout)
    body = max(layout.side, below)
    return Block(pair, [*heading, *names], len(heading), words, remark, body)


def _words(
    attention: WordAttention | None, layout: Layout
) -> tuple[list[Attended], list[str], float]:
    """Place the words once for each that attends to them; return the height of it all, too."""
    if attention is None:
        return [], [], 0.0
    width = layout.width - layout.words
    shown = [
        drawable(word if len(word) <= LONGEST_WORD else f"{word[: LONGEST_WORD - 1]}…")
        for word in attention.words
    ]
    placed = flow(shown, width, SMALL)
    parts, height = [], 0.0
    for name, shares in attention.shares.items():
        relative = shares * len(shares)
        text = f"Attention of {name}{_extremes(shown, relative)}:" if shown else ""
        drawn = [(part, float(relative[part.word]), attention.known[part.word]) for part in placed]
        parts.append((wrap(text, width, SMALL - 1), drawn))
        height += LINE * len(parts[-1][0]) + WORD_LINE * line_count(placed)
    remark = []
    if not attention.words:
        remark = ["No word to read."]
    elif attention.cut:
        plural = "words are" if attention.cut > 1 else "word is"
        text = f"Cut after {len(attention.words)} words: {attention.cut} more {plural} not read."
        remark = wrap(text, width, SMALL - 1)
    return parts, remark, height + LINE * len(remark)


def _extremes(words: Sequence[str], relative: np.ndarray) -> str:
    """Say in numbers what shades may not show."""
    if len(words) < 2:
        return ""
    most, least = int(relative.argmax()), int(relative.argmin())
    highest, lowest = f"{relative[most]:.2f}", f"{relative[least]:.2f}"
    return f" (most: {words[most]}, {highest}; least: {words[least]}, {lowest})"


def line_count(words: Sequence[Placed]) -> int:
    """Count the lines that the placed words take."""
    return 1 + words[-1].line if words else 0
