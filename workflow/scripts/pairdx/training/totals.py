"""What an epoch has come to: loss and accuracy over its examples, its times.

Losses are summed up on the device: reading a number from a GPU makes the CPU wait for it; here that
happens once per pass, not once per step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.training.device import Stopwatch
from pairdx.training.distributed import Team

_DIVERGED = (
    "lower the system's learning_rate, set max_grad_norm (1.0 is usual), or use precision: float32"
)
# The weights have not moved, and were looked at before (require_sound_start).
_BEFORE_ANY_STEP = (
    "no step was made before this one, so no setting of steps is the cause: look for numbers of "
    "extreme size in the files that the model is built from, or use precision: float32"
)


class Totals:
    """Sums over the steps of a pass.

    Args:
        steps: Number of steps of the whole pass.
        device: Where losses and scores are.
    """

    def __init__(self, steps: int, device: torch.device) -> None:
        self.losses = torch.zeros(steps, dtype=torch.float32, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self.known = torch.zeros((), dtype=torch.int64, device=device)
        self.sizes: list[int] = []

    @torch.no_grad()
    def add(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Add a step: its mean loss, its scores (B, C) and labels, (B,) or (B, C) with NaN."""
        self.losses[self.steps] = loss
        if labels.ndim == 1:
            self.correct += (scores.argmax(dim=1) == labels).sum()
            self.known += len(labels)
        else:
            # NaN is neither 0 nor 1.
            self.correct += ((scores > 0).to(labels.dtype) == labels).sum()
            self.known += (~labels.isnan()).sum()
        self.sizes.append(len(labels))

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return len(self.sizes)

    @property
    def count(self) -> int:
        """Number of examples so far."""
        return sum(self.sizes)

    @property
    def loss(self) -> float:
        """Mean loss over the examples so far."""
        losses = self.losses[: self.steps].double().cpu()
        return float((losses * torch.tensor(self.sizes)).sum() / self.count)

    @property
    def accuracy(self) -> float:
        """Share of what is known of the examples so far that scores decide rightly.

        Of one label each, it is known; not a number where nothing is.
        """
        known = int(self.known)
        return int(self.correct) / known if known else math.nan

    def require_finite(self, epoch: int) -> None:
        """Refuse losses that are not numbers.

        Raises:
            PairDxError: A loss is infinite or not a number; it names the first such step.
        """
        losses = self.losses[: self.steps].cpu()
        wrong = torch.nonzero(~torch.isfinite(losses))
        if len(wrong):
            step = int(wrong[0])
            value = "nan" if math.isnan(losses[step]) else "infinite"
            raise PairDxError(
                f"the training loss is {value} in epoch {epoch}, step {step + 1}",
                where="training",
                remedy=_BEFORE_ANY_STEP if (epoch, step) == (1, 0) else _DIVERGED,
            )

    def of(self, team: Team) -> Totals:
        """Return the sums over all processes of a team, which all call this."""
        if team.size == 1:
            return self
        joined = Totals(len(self.losses), self.losses.device)
        joined.losses = team.add_up(self.losses) / team.size
        joined.correct, joined.known = team.add_up(self.correct), team.add_up(self.known)
        joined.sizes = [team.size * size for size in self.sizes]
        return joined

    def state(self) -> dict[str, Any]:
        """Return the sums so far, for a training state."""
        return {
            "losses": self.losses,
            "correct": self.correct,
            "known": self.known,
            "sizes": list(self.sizes),
        }

    @classmethod
    def resumed(cls, state: Mapping[str, Any], device: torch.device, team: Team) -> Self:
        """Return the sums that :meth:`state` described; process 0 carries those of the team."""
        totals = cls(len(state["losses"]), device)
        totals.sizes = [size // team.size for size in state["sizes"]]
        if team.leads:
            totals.losses.copy_(state["losses"] * team.size)
            totals.correct.copy_(state["correct"])
            totals.known.copy_(state["known"])
        return totals


class EpochProgress:
    """An epoch under way.

    Attributes:
        totals: Loss and accuracy of the training steps so far.
        seconds: Of the epoch so far.
        training_seconds: Of its training pass.
        data_seconds: Spent waiting for data, on the device's own clock.
        rate: Learning rate of the last step.
    """

    def __init__(self, totals: Totals, device: torch.device) -> None:
        self.totals = totals
        self.seconds, self.training_seconds = Stopwatch(), Stopwatch()
        self.data_seconds = Stopwatch(device)
        self.rate = 0.0

    def row(self, epoch: int, team: Team) -> dict[str, float]:
        """Return what training.csv says of the training pass (see history.py), for the team."""
        totals = self.totals.of(team)
        return {
            "epoch": epoch,
            "train_loss": totals.loss,
            "train_accuracy": totals.accuracy,
            "learning_rate": self.rate,
            "data_seconds": self.data_seconds.total(),
            "samples_per_second": totals.count / self.training_seconds.total(),
        }

    def state(self, team: Team) -> dict[str, Any]:
        """Return all of it for a training state."""
        return {
            "totals": self.totals.of(team).state(),
            "seconds": self.seconds.total(),
            "training_seconds": self.training_seconds.total(),
            "data_seconds": self.data_seconds.total(),
            "rate": self.rate,
        }

    @classmethod
    def resumed(cls, state: Mapping[str, Any], device: torch.device, team: Team) -> Self:
        """Return the epoch that :meth:`state` described."""
        progress = cls(Totals.resumed(state["totals"], device, team), device)
        progress.rate = state["rate"]
        for name in ("seconds", "training_seconds", "data_seconds"):
            getattr(progress, name).add(state[name])
        return progress
