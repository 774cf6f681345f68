"""Texts of a batch in a short and a long group, so that fewer tokens of padding are computed with.

Texts are padded with zeros to one length, and most are much shorter. Lengths are known where texts
are, on the host: nothing is asked of the device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

# Groups are as long as a multiple of this, which kernels of attention are made for.
STEP = 8
# Two groups, and so twice as many kernels, must save this share of the tokens of one.
LEAST_SAVED = 0.2


@dataclass(frozen=True)
class TextGroups:
    """How the B texts of a batch are read.

    Attributes:
        sizes: Numbers of texts, short ones first; one number where all are read alike.
        lengths: How many of a text's L tokens are read, by group; behind them is padding only.
        places: int64 (2, B): the texts in the order of the groups, and where each text is there.
    """

    sizes: tuple[int, ...]
    lengths: tuple[int, ...]
    places: Tensor

    def at(self, places: Tensor) -> TextGroups:
        """Return the same with these places, those on the device."""
        return replace(self, places=places)

    @property
    def tokens(self) -> int:
        """Number of tokens that are computed with."""
        return sum(size * length for size, length in zip(self.sizes, self.lengths, strict=True))

    def read(self, encode: Callable[[Tensor], Tensor], texts: Tensor) -> Tensor:
        """Encode texts (B, L) group by group; return their features (B, D) in their own order."""
        if len(self.sizes) == 1:
            return encode(texts[:, : self.lengths[0]])
        groups = texts.index_select(0, self.places[0]).split(self.sizes)
        parts = zip(groups, self.lengths, strict=True)
        features = torch.cat([encode(group[:, :length]) for group, length in parts])
        return features.index_select(0, self.places[1])


def lengths_of(tokens: np.ndarray) -> np.ndarray:
    """Return how many tokens there are up to the last that is not 0: (N, L) to int64 (N,)."""
    there = np.asarray(tokens) != 0
    behind = there[:, ::-1].argmax(axis=1)
    return np.where(there.any(axis=1), there.shape[1] - behind, 0).astype(np.int64)


def whole_steps(lengths: np.ndarray, whole: int) -> np.ndarray:
    """Round lengths up to the next multiple of ``STEP``, at most ``whole``."""
    return np.clip(-(-lengths // STEP) * STEP, 1, whole)


def text_groups(lengths: np.ndarray, whole: int) -> TextGroups:
    """Cut a batch where the tokens to compute with are fewest.

    Args:
        lengths: int64 (B,), of :func:`lengths_of`, B at least 1.
        whole: L, the length that texts are padded to.
    """
    order = np.argsort(lengths, kind="stable")
    longest = whole_steps(lengths[order], whole)
    count = len(order)
    short = np.arange(1, count + 1)
    tokens = short * longest + (count - short) * longest[-1]
    best = int(tokens.argmin()) + 1
    if tokens[best - 1] > (1 - LEAST_SAVED) * tokens[-1]:
        best = count
    back = np.empty_like(order)
    back[order] = np.arange(count)
    places = torch.from_numpy(np.stack([order, back]))
    if best == count:
        return TextGroups((count,), (int(longest[-1]),), places)
    cut = (int(longest[best - 1]), int(longest[-1]))
    return TextGroups((best, count - best), cut, places)
