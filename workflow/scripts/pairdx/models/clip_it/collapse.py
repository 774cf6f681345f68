"""How far features of texts differ from one another: whether predicted ones still tell anything.

A predictor that gives every image the same features has collapsed; so has an encoder, trained to be
predictable, that gives every text the same.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from pairdx.training.history import best_epoch

# Columns of training.csv.
OBSERVED = (
    "distillation_loss",
    "predicted_text_spread",
    "predicted_text_cosine",
    "real_text_spread",
)
# Predicted features whose spread is below this share of that of the bank's texts have collapsed.
COLLAPSED_SHARE = 0.1
WARNING = (
    "the predicted text features are nearly the same for all images: their spread is {spread:.4f}, "
    "below {share:.0%} of that of the bank's texts ({reference:.4f}). What they add to the image "
    "is next to nothing"
)


class Spread:
    """Sums over rows, from which their spread follows; nothing is kept of single rows."""

    def __init__(self) -> None:
        self._count = 0
        self._sum: Tensor | None = None
        self._squares: Tensor | None = None

    @torch.no_grad()
    def add(self, rows: Tensor) -> None:
        """Add rows (B, T), each made one of length 1."""
        self.add_plain(F.normalize(rows.double(), dim=1))

    @torch.no_grad()
    def add_plain(self, rows: Tensor) -> None:
        """Add rows (B, T), or B numbers, as they are."""
        rows = rows.double()
        total, squares = rows.sum(dim=0), rows.square().sum(dim=0)
        self._sum = total if self._sum is None else self._sum + total
        self._squares = squares if self._squares is None else self._squares + squares
        self._count += len(rows)

    @property
    def mean(self) -> float:
        """Mean over rows and dimensions."""
        return math.nan if self._sum is None else float(self._sum.mean()) / self._count

    @property
    def spread(self) -> float:
        """Mean over dimensions of the standard deviation over rows; 0 if all are the same."""
        if self._sum is None or self._squares is None:
            return math.nan
        means = self._sum / self._count
        variances = (self._squares / self._count - means.square()).clamp(min=0)
        return float(variances.sqrt().mean())

    @property
    def cosine(self) -> float:
        """Mean cosine of two different rows; 1 if all are the same, or there is only one."""
        if self._sum is None or self._count < 2:
            return 1.0
        return (float(self._sum.square().sum()) - self._count) / (self._count * (self._count - 1))


def spread_of(rows: Tensor) -> float:
    """Return the spread of rows (N, T), each made one of length 1."""
    spread = Spread()
    spread.add(rows)
    return spread.spread


def is_collapsed(spread: float, reference: float) -> bool:
    """Say whether features of a spread tell next to nothing, where a bank's own have another."""
    return spread < COLLAPSED_SHARE * reference


def warning_of(spread: float, reference: float) -> str | None:
    """Say what a collapse means; None where there is none."""
    if not is_collapsed(spread, reference):
        return None
    return WARNING.format(spread=spread, share=COLLAPSED_SHARE, reference=reference)


def observed_of(rows: pd.DataFrame, reference: float, *, keep_best: bool) -> dict[str, Any]:
    """Return what the kept epoch says of the predicted texts; nothing without any.

    Args:
        rows: training.csv.
        reference: Spread of the frozen features of all texts of the bank, each once.
        keep_best: Whether the best epoch is kept; otherwise the last.

    Returns:
        :data:`OBSERVED`; ``bank_text_spread``, the reference; and ``warning``, if they collapsed.
    """
    if OBSERVED[0] not in rows:
        return {}
    losses = [{"validation_loss": float(loss)} for loss in rows["validation_loss"]]
    kept = best_epoch(losses) if keep_best else len(losses)
    found = {name: float(rows[name].iloc[kept - 1]) for name in OBSERVED}
    warning = warning_of(found["predicted_text_spread"], reference)
    return {**found, "bank_text_spread": reference, **({"warning": warning} if warning else {})}
