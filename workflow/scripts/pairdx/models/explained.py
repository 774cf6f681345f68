"""What an explanation of one decision holds; knows nothing of the networks that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WordAttention:
    """Which words of a caption attention mixes, and in what shares.

    Attributes:
        words: The n words that are read, as they are read.
        known: Whether each of them has a word vector.
        cut: Number of words after these, which are not read.
        shares: By what attends (such as the caption's own words): float32 of shape (n,), which
            adds up to 1.
    """

    words: tuple[str, ...]
    known: tuple[bool, ...]
    cut: int
    shares: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Explanation:
    """What the decision about one pair rests on.

    Attributes:
        probabilities: float32 of shape (C,).
        heat: float32 of shape (S, S) in [0, 1], for the predicted class: where the image speaks for
            it. All 0 if it does so nowhere. None if the system reads no image.
        positions: Rows and columns of the map that ``heat`` enlarges; None without one.
        attention: None if the system has no attention over the caption's words.
    """

    probabilities: np.ndarray
    heat: np.ndarray | None
    positions: tuple[int, int] | None
    attention: WordAttention | None

    @property
    def predicted(self) -> int:
        """Position of the predicted class."""
        return int(self.probabilities.argmax())
