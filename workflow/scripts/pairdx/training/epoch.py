"""How far an epoch has come: its sums and its times, which a training state keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch

from pairdx.training.device import Stopwatch
from pairdx.training.distributed import Team
from pairdx.training.totals import Totals


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
