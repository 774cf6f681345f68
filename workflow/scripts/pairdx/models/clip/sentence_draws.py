"""Texts of which every epoch reads other sentences: a reconstruction.

Jang et al. (arXiv 2212.07050) sample sentences of a report at random, because each tells another
finding. How many, how often and in which order is not public: what is drawn here is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from pairdx.report_texts.sentences import sentences
from pairdx.training.randomness import mixed_seed


class DrawnSentences:
    """Tokens of N texts, of which each epoch reads some sentences (see ``TextsByEpoch``).

    How many is drawn evenly between two numbers, then which, without replacement; they keep their
    order. What an epoch reads of a text is a function of (seed, epoch, row) and of nothing else, so
    that an interrupted training, or one by several processes, reads the same. Where as many are
    drawn as there are, the text stays as it is.

    Args:
        texts: N texts.
        tokenise: Texts to int64 tokens (B, L).
        settings: ``at_least`` and ``at_most``, 1 or more: the number of sentences of a draw.
        seed: Of the draws.

    Attributes:
        ids: int64 (N,), the same number for texts with the same tokens, cut as they are: those that
            a reader of whole texts cannot tell apart.
    """

    def __init__(
        self,
        texts: Sequence[str],
        tokenise: Callable[[list[str]], Tensor],
        settings: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.texts, self.tokenise, self.seed = list(texts), tokenise, seed
        self.at_least, self.at_most = settings["at_least"], settings["at_most"]
        self.sentences = [sentences(text) for text in self.texts]
        known: dict[bytes, int] = {}
        rows = (row.tobytes() for row in tokenise(self.texts).numpy())
        self.ids = np.array([known.setdefault(row, len(known)) for row in rows], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.texts)

    def tokens(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """Return what an epoch reads of some texts, int64 (B, L); epoch 0 reads all of each."""
        read = [self.drawn(row, epoch) if epoch else self.texts[row] for row in rows.tolist()]
        return self.tokenise(read).numpy()

    def drawn(self, row: int, epoch: int) -> str:
        """Return what an epoch, from 1, reads of one text."""
        there = self.sentences[row]
        generator = np.random.default_rng(mixed_seed("sentences", self.seed, epoch, row))
        count = int(generator.integers(self.at_least, self.at_most, endpoint=True))
        if count >= len(there):
            return self.texts[row]
        chosen = np.sort(generator.choice(len(there), count, replace=False))
        return " ".join(there[place] for place in chosen)

    def counts(self) -> np.ndarray:
        """Return the number of sentences of every text, int64 (N,)."""
        return np.array([len(one) for one in self.sentences], dtype=np.int64)
