"""The training loop: epochs of steps over batches, one table row per epoch, resumable after each.

It knows a module, an objective and batches; which system is trained, it does not know. The weights
after the last epoch are the result: the paper states fixed numbers of epochs (Sections 3.4 and 3.5)
and no rule for picking an earlier one.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.training.augmentation import augmentation
from pairdx.training.batches import Batch, BatchSource, Examples
from pairdx.training.checkpoint import StateFolder
from pairdx.training.device import reproducible, synchronise, torch_device
from pairdx.training.history import COLUMNS
from pairdx.training.optimisation import make_optimiser, make_schedule
from pairdx.training.randomness import epoch_order, step_randomness
from pairdx.training.settings import TrainingSettings

Row = dict[str, float]


class Objective(ABC):
    """What the loop minimises."""

    @abstractmethod
    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the batch's mean loss, a scalar, and its class scores, shape (B, C).

        The class with the largest score is the prediction that counts for the accuracy.
        """

    def prepare(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Compute what a whole pass shares.

        Called before every pass, in evaluation mode, without gradients.
        """

    def after_step(self) -> None:  # noqa: B027 - doing nothing is the ordinary case
        """Put parameters back into their allowed range.

        Called after every optimiser step, without gradients.
        """


def train(
    module: nn.Module,
    objective: Objective,
    training: Examples,
    validation: Examples,
    settings: TrainingSettings,
    *,
    seed: int,
    device: str,
    threads: int = 1,
    state: StateFolder | None = None,
    after_epoch: Callable[[Mapping[str, float]], None] | None = None,
) -> pd.DataFrame:
    """Train ``module`` in place and return one row per epoch (:data:`COLUMNS`).

    The order of an epoch is a function of (seed, epoch), augmentation and dropout of (seed, epoch,
    step): on a CPU with the same number of threads, the same arguments give the same weights bit
    for bit, interrupted or not. The module is left on the device, in evaluation mode.

    An incomplete last batch is used, except one of a single example, which batch normalisation
    cannot train on: it is dropped, and as the order changes from epoch to epoch it is another
    example each time.

    Args:
        module: All parameters that require gradients are trained.
        objective: The loss over ``module``; it is called inside the loop's precision.
        training: At least 2 examples.
        validation: At least 1 example; visited in one order in all epochs.
        settings: Epochs, optimiser, schedule, augmentation, precision.
        seed: Of the order, augmentation and dropout.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.
        state: Where the state is written after each epoch and looked for at the start; None for
            neither.
        after_epoch: Called with the epoch's row when its state is in place.

    Raises:
        PairDxError: Too few examples, no such device, or a loss that is not finite.
    """
    if len(training) < 2 or len(validation) < 1:
        raise PairDxError(
            f"{len(training)} training and {len(validation)} validation pairs are too few",
            where="the split",
            remedy="use a larger corpus or larger shares; at least 2 and 1 are needed",
        )
    target = torch_device(device)
    with reproducible(target, threads):
        run = _Run(module, objective, training, validation, settings, seed, target)
        history = run.resume(state)
        for epoch in range(len(history) + 1, settings.epochs + 1):
            row = run.epoch(epoch)
            history.append(row)
            if state is not None:
                state.save(epoch, run.state(history))
            if after_epoch is not None:
                after_epoch(row)
        module.eval()
    return pd.DataFrame(history, columns=COLUMNS).astype({"epoch": "int64"})


class _Run:
    """One attempt at training: the module on its device with optimiser, schedule and data."""

    def __init__(
        self,
        module: nn.Module,
        objective: Objective,
        training: Examples,
        validation: Examples,
        settings: TrainingSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.seed, self.device = settings, seed, device
        self.module, self.objective = module, objective
        started = time.perf_counter()
        layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        module.to(device).to(memory_format=layout)
        self.training = BatchSource(training, device, channels_last=settings.channels_last)
        self.validation = BatchSource(validation, device, channels_last=settings.channels_last)
        synchronise(device)
        self.unaccounted_seconds = time.perf_counter() - started
        self.augment = augmentation(settings.augmentation)
        self.optimiser = make_optimiser(module, settings)
        self.steps = _steps_per_epoch(len(training), settings.batch_size)
        self.schedule = make_schedule(self.optimiser, settings, self.steps)

    def resume(self, state: StateFolder | None) -> list[Row]:
        """Take over the newest state, if any, and return the rows of the epochs already done."""
        found = state.load() if state is not None else None
        if found is None:
            return []
        self.module.load_state_dict(found["module"])
        self.optimiser.load_state_dict(found["optimiser"])
        if self.schedule is not None:
            self.schedule.load_state_dict(found["schedule"])
        logger.info("resuming after epoch %d of %d", found["epoch"], self.settings.epochs)
        return list(found["history"])

    def state(self, history: list[Row]) -> dict[str, Any]:
        """Return all that the next epoch depends on."""
        return {
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "history": history,
        }

    def epoch(self, epoch: int) -> Row:
        """Train for one epoch, validate, log one line and return its row."""
        started = time.perf_counter() - self.unaccounted_seconds
        row = self._training_pass(epoch)
        row["data_seconds"] += self.unaccounted_seconds
        self.unaccounted_seconds = 0.0
        row |= self._validation_pass()
        row["seconds"] = time.perf_counter() - started
        logger.info(
            "epoch %d/%d: train loss %.4f accuracy %.4f, validation loss %.4f accuracy %.4f, "
            "learning rate %.3g, %.2f s (%.2f s waiting for data), %.0f samples/s",
            epoch,
            self.settings.epochs,
            *(row[column] for column in COLUMNS[1:]),
        )
        return row

    def _training_pass(self, epoch: int) -> Row:
        order = epoch_order(len(self.training), self.seed, epoch)
        self._prepare()
        self.module.train()
        totals = _Totals()
        data_seconds = 0.0
        started = time.perf_counter()
        for step in range(self.steps):
            asked = time.perf_counter()
            rows = order[step * self.settings.batch_size : (step + 1) * self.settings.batch_size]
            batch = self.training.batch(rows)
            synchronise(self.device)
            data_seconds += time.perf_counter() - asked
            rate = self.optimiser.param_groups[0]["lr"]
            with step_randomness(self.device, self.seed, epoch, step):
                self._step(batch, epoch, step, totals)
        synchronise(self.device)
        seconds = time.perf_counter() - started
        return {
            "epoch": epoch,
            "train_loss": totals.loss,
            "train_accuracy": totals.accuracy,
            "learning_rate": rate,
            "data_seconds": data_seconds,
            "samples_per_second": totals.count / seconds,
        }

    def _step(self, batch: Batch, epoch: int, step: int, totals: _Totals) -> None:
        batch = Batch(self.augment(batch.images), batch.labels, batch.texts)
        self.optimiser.zero_grad(set_to_none=True)
        with self._precision():
            loss, scores = self.objective(batch)
        _require_finite(loss.item(), epoch, step)
        loss.backward()
        if self.settings.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.max_grad_norm)
        self.optimiser.step()
        if self.schedule is not None:
            self.schedule.step()
        with torch.no_grad():
            self.objective.after_step()
        totals.add(loss, scores, batch.labels)

    @torch.no_grad()
    def _validation_pass(self) -> Row:
        # Not the table's own order: it may be sorted by class or case, which a contrastive loss
        # would depend on.
        order = epoch_order(len(self.validation), self.seed, 0)
        self._prepare()
        totals = _Totals()
        for rows in np.array_split(order, math.ceil(len(order) / self.settings.batch_size)):
            batch = self.validation.batch(rows)
            with self._precision():
                loss, scores = self.objective(batch)
            totals.add(loss, scores, batch.labels)
        return {"validation_loss": totals.loss, "validation_accuracy": totals.accuracy}

    @torch.no_grad()
    def _prepare(self) -> None:
        self.module.eval()
        with self._precision():
            self.objective.prepare()

    def _precision(self) -> AbstractContextManager[Any]:
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


class _Totals:
    """Loss and accuracy over the examples of a pass."""

    def __init__(self) -> None:
        self.count, self.correct, self.loss_sum = 0, 0, 0.0

    def add(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        self.count += len(labels)
        self.correct += int((scores.argmax(dim=1) == labels).sum())
        self.loss_sum += loss.item() * len(labels)

    @property
    def loss(self) -> float:
        return self.loss_sum / self.count

    @property
    def accuracy(self) -> float:
        return self.correct / self.count


def _steps_per_epoch(examples: int, batch_size: int) -> int:
    full, rest = divmod(examples, batch_size)
    return full + (rest > 1)


def _require_finite(loss: float, epoch: int, step: int) -> None:
    if not math.isfinite(loss):
        raise PairDxError(
            f"the training loss is {loss} in epoch {epoch}, step {step + 1}",
            where="training",
            remedy="lower the model's learning_rate, set max_grad_norm (1.0 is usual), "
            "or use precision: float32",
        )
