"""AdamW and the learning-rate schedules."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from pairdx.training.settings import TrainingSettings


def make_optimiser(module: nn.Module, settings: TrainingSettings) -> AdamW:
    """Build AdamW over the parameters that require gradients, in one fused kernel."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [{"params": trained, "weight_decay": settings.weight_decay}]
    if settings.weight_decay_on == "matrices":
        groups = [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
    return AdamW(groups, lr=settings.learning_rate, fused=True)


def make_schedule(
    optimiser: AdamW, settings: TrainingSettings, steps_per_epoch: int
) -> OneCycleLR | None:
    """Build the schedule that is stepped after every batch; None leaves the learning rate as it is.

    One cycle: from a 25th of the peak up to it in the first 30 % of the steps, then down to almost
    0 along a cosine, and AdamW's first beta the other way (PyTorch's defaults: the paper, Section
    3.5, names OneCycleLR and states no more).
    """
    if settings.schedule == "constant":
        return None
    total = settings.epochs * steps_per_epoch
    return OneCycleLR(optimiser, max_lr=settings.learning_rate, total_steps=total)
