"""Relaxation of the positive pairs of a contrastive loss: a reconstruction.

Jang et al. (arXiv 2212.07050) relax the loss on positive pairs, because a report tells several
findings of an image and other reports tell some of them too. The exact form of their relaxation is
not public. Three candidates stand here behind one switch, all of them ours; every one acts on the
diagonal of the matrix of cosines alone, before the temperature:

``clip``
    min(s, t): above the threshold t nothing is gained by a pair that is more similar.
``slope``
    t + a (s - t) above the threshold: less is gained.
``target``
    No threshold: the targets of the cross-entropy are 1 - epsilon for the pair, and epsilon shared
    out evenly among the others (label smoothing; a control).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Relaxation:
    """How positive pairs are relaxed.

    Attributes:
        form: ``clip``, ``slope`` or ``target``.
        threshold: A cosine, -1 to 1; None where a quantile gives it.
        quantile: Of the cosines of all training pairs with their full texts before training, 0 to
            1; the threshold is that.
        slope: What is left of a step above the threshold, 0 to 1; 0 of ``clip``.
        epsilon: Of ``target``: the share of the other texts, or images, 0 to 1.
        in_denominator: Whether a cosine is relaxed in the softmax's denominator as well, so that it
            stays a softmax, or in its numerator only.
    """

    form: str
    threshold: float | None = None
    quantile: float | None = None
    slope: float = 0.0
    epsilon: float = 0.0
    in_denominator: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> Self | None:
        """Read the setting ``relaxation``; None for one that leaves the loss as it is."""
        stated = {name: value for name, value in (settings or {}).items() if value is not None}
        form = stated.get("form", "none")
        found = cls(
            form,
            threshold=stated.get("threshold"),
            quantile=stated.get("quantile"),
            slope=stated["slope"] if form == "slope" else 0.0,
            epsilon=stated["epsilon"] if form == "target" else 0.0,
            in_denominator=stated.get("sides", "both") == "both",
        )
        return None if form == "none" or found._changes_nothing() else found

    def _changes_nothing(self) -> bool:
        """Whether the loss would be the plain one: no operation is then done at all."""
        if self.form == "target":
            return self.epsilon == 0
        return self.slope == 1 or (self.threshold is not None and self.threshold >= 1)

    @property
    def has_threshold(self) -> bool:
        """Whether pairs above some cosine are told from those below it."""
        return self.form != "target"


def relaxed_loss(
    cosines: Tensor, scale: Tensor, same: Tensor | None, how: Relaxation, threshold: Tensor
) -> Tensor:
    """Return the mean of both directions' cross-entropies, with relaxed positive pairs.

    Args:
        cosines: float32 (B, B), images by texts; row i and column i are a pair.
        scale: Factor on the cosines, 1 / temperature.
        same: bool (B, B), symmetric: pairs that are not each other's negatives; false on the
            diagonal. None for none.
        how: See :class:`Relaxation`.
        threshold: A scalar; not looked at by ``target``.
    """
    if how.form == "target":
        scores = without(scale * cosines, same)
        return (_smooth(scores, same, how.epsilon) + _smooth(scores.T, same, how.epsilon)) / 2
    positive = relaxed(cosines.diagonal(), threshold, how.slope)
    if how.in_denominator:
        cosines = torch.diagonal_scatter(cosines, positive)
    scores = without(scale * cosines, same)
    both = (scores.logsumexp(dim=1) + scores.logsumexp(dim=0)) / 2
    return (both - scale * positive).mean()


def relaxed(cosines: Tensor, threshold: Tensor, slope: float) -> Tensor:
    """Return cosines (B,), with the slope above the threshold; 0 cuts them off there."""
    above = threshold + slope * (cosines - threshold) if slope else threshold
    return torch.where(cosines > threshold, above, cosines)


def without(scores: Tensor, same: Tensor | None) -> Tensor:
    """Return scores (B, B) with minus infinity for those that are no negatives."""
    return scores if same is None else scores.masked_fill(same, -math.inf)


def _smooth(scores: Tensor, same: Tensor | None, epsilon: float) -> Tensor:
    """Return the mean cross-entropy of rows (B, B) against smoothed targets."""
    count = len(scores)
    negatives = ~torch.eye(count, dtype=torch.bool, device=scores.device)
    if same is not None:
        negatives &= ~same
    # Who has no negative has nobody to share with.
    share = epsilon * negatives.any(dim=1)
    each = share / negatives.sum(dim=1).clamp(min=1)
    # Those left out are at minus infinity, and have no share of the targets.
    logs = F.log_softmax(scores, dim=1)
    of_others = torch.where(negatives, logs, 0).sum(dim=1)
    return -((1 - share) * logs.diagonal() + each * of_others).mean()
