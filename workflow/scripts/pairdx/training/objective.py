"""What the training loop minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from pairdx.training.batches import Batch


class Objective(ABC):
    """A loss over a module.

    Attributes:
        prepared: What a whole pass shares; empty unless :meth:`prepare` computes it. It is part of
            the training state: a pass that goes on after an interruption uses what it began with.
    """

    prepared: Tensor = torch.empty(0)

    @abstractmethod
    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the batch's mean loss, a scalar, and its class scores, shape (B, C).

        The class with the largest score is the prediction that counts for the accuracy.
        """

    def prepare(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Compute what a whole pass shares, and put it into ``prepared``.

        Called before every pass, in evaluation mode, without gradients.
        """

    def after_step(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Put parameters back into their allowed range.

        Called after every optimiser step, without gradients.
        """
