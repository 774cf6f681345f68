"""What a step of training does: the objective, optimiser, learning rates, and torch.compile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from pairdx.errors import PairDxError
from pairdx.training.batches import Batch
from pairdx.training.settings import TrainingSettings

OPTIMISERS = {"adamw": AdamW, "adam": Adam}
# Of the learning rate, what the cosine schedule ends with.
LAST_SHARE = 0.1


class Objective(ABC):
    """A loss over a module.

    Attributes:
        prepared: What a whole pass shares; empty unless :meth:`prepare` computes it. It is part of
            the training state: a pass that goes on after an interruption uses what it began with.
        groups_texts: Whether it makes use of what batches say of padding (``Batch.text_groups``).
    """

    prepared: Tensor = torch.empty(0)
    groups_texts: bool = False

    @abstractmethod
    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the batch's mean loss, a scalar, and its class scores, shape (B, C).

        The class with the largest score is the prediction that counts for the accuracy; where any
        number of classes can be true, those above 0 are.
        """

    def begin(self, training: Iterable[Batch]) -> None:  # noqa: B027 - doing nothing is ordinary
        """Look at the training examples before the first step of a training.

        Called in evaluation mode, without gradients, and not where a training goes on from a state:
        what is found must be part of the module. Texts that every epoch reads anew are whole.
        """

    def prepare(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Compute what a whole pass shares, and put it into ``prepared``.

        Called before every pass, in evaluation mode, without gradients.
        """

    def after_step(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Put parameters back into their allowed range.

        Called after every optimiser step, without gradients.
        """

    def observed(self) -> dict[str, float]:
        """Return further columns of training.csv, what the validation pass that just ended showed.

        The same columns after every pass; none is the ordinary case.
        """
        return {}


def make_optimiser(module: nn.Module, settings: TrainingSettings) -> Adam:
    """Build AdamW, or Adam, over the parameters that require gradients, in one fused kernel.

    The weight decay of AdamW shrinks weights beside the step; that of Adam is part of the gradient
    (an L2 penalty), as ``torch.optim.Adam`` has it.
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [{"params": trained, "weight_decay": settings.weight_decay}]
    if settings.weight_decay_on == "matrices":
        groups = [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
    return OPTIMISERS[settings.optimiser](groups, lr=settings.learning_rate, fused=True)


def make_schedule(
    optimiser: Adam, settings: TrainingSettings, steps_per_epoch: int
) -> LRScheduler | None:
    """Build the schedule that is stepped after every batch; None leaves the learning rate as it is.

    One cycle: from a 25th of the peak up to it in the first 30 % of the steps, then down to almost
    0 along a cosine, and AdamW's first beta the other way (PyTorch's defaults: the paper, Section
    3.5, names OneCycleLR and states no more).

    Cosine: from the learning rate down to a tenth of it over all steps (the authors of CLIP-IT go
    from 1e-3 to 1e-4, in 12,500 steps).
    """
    if settings.schedule == "constant":
        return None
    total = settings.epochs * steps_per_epoch
    if settings.schedule == "cosine":
        last = LAST_SHARE * settings.learning_rate
        return CosineAnnealingLR(optimiser, T_max=total, eta_min=last)
    return OneCycleLR(optimiser, max_lr=settings.learning_rate, total_steps=total)


def compiled(
    compute: Callable[..., tuple[Tensor, Tensor]], device: torch.device
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return ``compute`` compiled by torch.compile; the work is done at its first call.

    Raises:
        PairDxError: torch.compile does not work on this machine: even a sum fails.
    """
    try:
        torch.compile(torch.add)(torch.ones(2, device=device), 1)
    except Exception as error:  # whatever the compilers and drivers below it raise
        raise PairDxError(
            f"torch.compile does not work on this machine: {_first_line(error)}",
            where="systems: … settings: compile",
            remedy="install a C++ compiler (and Python's headers), or set compile to false",
        ) from error
    # Not a bound method: PyTorch compiles functions, and the objective is one that has attributes.
    return torch.compile(lambda batch: compute(batch))


def _first_line(error: Any) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
