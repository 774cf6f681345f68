"""One attempt at a training: passes over the data, from wherever the last attempt came to."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.training.augmentation import augmentation
from pairdx.training.batches import Batch, BatchSource, Examples
from pairdx.training.device import Stopwatch, synchronise
from pairdx.training.distributed import Team, current_team
from pairdx.training.history import COLUMNS, best_epoch, is_over
from pairdx.training.interruption import InterruptedTrainingError, StopRequest, told_to_stop
from pairdx.training.optimisation import Objective, compiled, make_optimiser, make_schedule
from pairdx.training.randomness import epoch_order, step_randomness
from pairdx.training.settings import TrainingSettings
from pairdx.training.state.checkpoint import StateFolder
from pairdx.training.state.trained import fill, moving
from pairdx.training.state.writer import StateWriter
from pairdx.training.text_groups import TextGroups
from pairdx.training.totals import EpochProgress, Totals

Row = dict[str, float]


class Attempt:
    """One attempt at training: the module on its device with optimiser, schedule and data."""

    def __init__(
        self,
        module: nn.Module,
        objective: Objective,
        settings: TrainingSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.seed, self.device = settings, seed, device
        self.team, self.module, self.objective = current_team(), module, objective
        self.unaccounted = Stopwatch(device)
        with self.unaccounted:
            layout = torch.channels_last if settings.channels_last else torch.contiguous_format
            module.to(device).to(memory_format=layout)
        replica = Replica(module, compiled(objective, device) if settings.compile else objective)
        self.compute = self.team.replica(replica, device)
        self.augment = augmentation(settings.augmentation)
        self.optimiser = make_optimiser(module, settings)
        self.history: list[Row] = []
        self.best: dict[str, Tensor] | None = None

    def use_data(self, training: Examples, validation: Examples, workers: int) -> None:
        """Bring the examples to the device, and make what depends on their number."""
        with self.unaccounted:
            self.training, self.validation = (
                BatchSource(
                    examples,
                    self.device,
                    channels_last=self.settings.channels_last,
                    workers=workers,
                    # A compiled step is compiled anew for texts of another length.
                    group_texts=self.objective.groups_texts and not self.settings.compile,
                )
                for examples in (training, validation)
            )
        self.batches = batch_bounds(len(training), self.settings.batch_size, self.team)
        self.schedule = make_schedule(self.optimiser, self.settings, len(self.batches))

    def use_state(
        self, folder: StateFolder | None, checkpoint_minutes: float | None, stop: StopRequest
    ) -> None:
        """Take over the newest state, if any, and keep writing it from now on."""
        self.stop, self.states = stop, StateWriter(folder, checkpoint_minutes)
        self.partial: EpochProgress | None = None
        found = folder.load() if folder is not None else None
        if found is None:
            self._begin()
            return
        fill(self.module, found["module"])
        if found["optimiser"] is not None:
            self.optimiser.load_state_dict(found["optimiser"])
        if self.schedule is not None:
            self.schedule.load_state_dict(found["schedule"])
        self.history, self.best = list(found["history"]), found["best"]
        if found["partial"] is not None:
            self.partial = EpochProgress.resumed(found["partial"], self.device, self.team)
            self.objective.prepared = found["prepared"].to(self.device)
        with torch.no_grad():  # of the frozen parameters, too, which no state holds
            self.objective.after_step()
        logger.info(
            "resuming after epoch %d of %d%s",
            len(self.history),
            self.settings.epochs,
            f" and {self.partial.totals.steps} steps of the next" if self.partial else "",
        )

    def is_done(self) -> bool:
        """Say whether all epochs are done, or early stopping ends the training."""
        settings = self.settings
        return self.partial is None and is_over(
            self.history, settings.epochs, settings.early_stopping_patience
        )

    def keep_weights(self) -> None:
        """Put the weights to be kept into the module."""
        if (done := len(self.history)) < self.settings.epochs:
            since_best = done - best_epoch(self.history)
            logger.info("stopped early: no better validation loss in %d epochs", since_best)
        if self.best is not None:
            logger.info("keeping the weights of epoch %d", best_epoch(self.history))
            fill(self.module, self.best)
        self.module.eval()

    def epoch(self) -> Row:
        """Train for one epoch (or what is left of it) and validate; return its row.

        The state is saved if it is due, and after the last epoch.

        Raises:
            InterruptedTrainingError: SIGTERM came, and epochs are left.
            PairDxError: A loss is not finite, or the storage refused a state.
        """
        number = len(self.history) + 1
        progress = self._training_pass(number)
        with progress.seconds:
            row = progress.row(number, self.team)
            validated = self.team.from_leader(self._validation_pass() if self.team.leads else None)
        if validated is None:
            self._save()
            raise self._interrupted()
        row |= validated
        row["seconds"] = progress.seconds.total()
        self.history.append(row)
        if self.settings.keep_epoch == "best" and best_epoch(self.history) == number:
            self.best = {name: tensor.clone() for name, tensor in moving(self.module).items()}
        self.partial = None
        if self.states.is_due(after_epoch=True) or self.is_done():
            self._save()
        logger.info(
            "epoch %d/%d: train loss %.4f accuracy %.4f, validation loss %.4f accuracy %.4f, "
            "learning rate %.3g, data %.2f s + computation %.2f s, %.0f samples/s",
            *(number, self.settings.epochs),
            *(row[column] for column in COLUMNS[1:6]),
            *(row["data_seconds"], row["seconds"] - row["data_seconds"]),
            row["samples_per_second"],
        )
        return row

    def _training_pass(self, epoch: int) -> EpochProgress:
        order = epoch_order(len(self.training), self.seed, epoch)
        progress = self.partial
        if progress is None:
            progress = EpochProgress(Totals(len(self.batches), self.device), self.device)
            progress.data_seconds.add(self.unaccounted.total())
            progress.seconds.add(self.unaccounted.total())
            self._prepare()
        self.unaccounted = Stopwatch(self.device)
        self.partial = progress
        self.module.train()
        done = progress.totals.steps
        shares = [self.team.share(order[rows]) for rows in self.batches[done:]]
        batches = self.training.batches(shares, epoch)
        with progress.seconds, progress.training_seconds:
            for step in range(done, len(self.batches)):
                with progress.data_seconds:
                    batch = next(batches)
                progress.rate = self.optimiser.param_groups[0]["lr"]
                with step_randomness(self.device, self.seed, epoch, step, self.team.rank):
                    loss, scores = self._step(batch)
                progress.totals.add(loss, scores, batch.labels)
                if step + 1 < len(self.batches):
                    self._save_if_due(epoch, progress)
            progress.totals.require_finite(epoch)
            synchronise(self.device)
        return progress

    def _step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        self.optimiser.zero_grad(set_to_none=True)
        images = self.augment(batch.images)
        with self._precision():
            loss, scores = self.compute(
                images, batch.labels, batch.texts, batch.text_ids, batch.text_groups
            )
        loss.backward()
        if self.settings.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.max_grad_norm)
        self.optimiser.step()
        if self.schedule is not None:
            self.schedule.step()
        with torch.no_grad():
            self.objective.after_step()
        return loss.detach(), scores.detach()

    @torch.no_grad()
    def _validation_pass(self) -> Row | None:
        """Validate; None if the job is told to stop meanwhile."""
        # Not the table's own order: it may be sorted by class or case, which a contrastive loss
        # would depend on.
        order = epoch_order(len(self.validation), self.seed, 0)
        self._prepare()
        parts = np.array_split(order, math.ceil(len(order) / self.settings.batch_size))
        totals = Totals(len(parts), self.device)
        for batch in self.validation.batches(parts):
            if self.stop.made:
                return None
            with self._precision():
                loss, scores = self.objective(batch)
            totals.add(loss, scores, batch.labels)
        row = {"validation_loss": totals.loss, "validation_accuracy": totals.accuracy}
        return row | self.objective.observed()

    def _save_if_due(self, epoch: int, progress: EpochProgress) -> None:
        """Save the state if enough time has passed, or if the job is told to stop: then stop."""
        self.states.check()
        due = self.states.is_due(after_epoch=False)
        stop, due = self.team.any(self.stop.made, due)
        if stop or due:
            progress.totals.require_finite(epoch)
            self._save()
        if stop:
            raise self._interrupted()

    def _save(self) -> None:
        """Begin to write all that the rest of the training depends on."""
        self.states.restart()
        partial = None if self.partial is None else self.partial.state(self.team)
        if self.states.folder is None or not self.team.leads:
            return
        state = {
            "module": moving(self.module),
            # Most of a state; of a training that is through nobody goes on.
            "optimiser": None if self.is_done() else self.optimiser.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "history": self.history,
            "best": self.best,
            "partial": partial,
            "prepared": self.objective.prepared,
        }
        steps = 0 if self.partial is None else self.partial.totals.steps
        self.states.save(len(self.history), steps, state)

    def _interrupted(self) -> InterruptedTrainingError:
        """Wait until the state is in place, and say what came."""
        self.states.finish()
        steps = 0 if self.partial is None else self.partial.totals.steps
        return told_to_stop(len(self.history), steps, kept=self.states.folder is not None)

    @torch.no_grad()
    def _begin(self) -> None:
        """Let the objective see the training examples, in batches; most do not look."""
        rows = np.arange(len(self.training))
        parts = np.array_split(rows, math.ceil(len(rows) / self.settings.batch_size))
        with self.unaccounted:
            self.module.eval()
            with self._precision():
                self.objective.begin(self.training.batches(parts))

    @torch.no_grad()
    def _prepare(self) -> None:
        self.module.eval()
        with self._precision():
            self.objective.prepare()

    def _precision(self) -> AbstractContextManager[Any]:
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


class Replica(nn.Module):
    """A module and its objective as one module, which DistributedDataParallel can wrap."""

    def __init__(
        self, module: nn.Module, compute: Callable[[Batch], tuple[Tensor, Tensor]]
    ) -> None:
        super().__init__()
        self.module, self.compute = module, compute

    def forward(
        self,
        images: Tensor,
        labels: Tensor,
        texts: Tensor,
        text_ids: Tensor | None = None,
        text_groups: TextGroups | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss and scores of a batch; shapes as in :class:`Batch`."""
        return self.compute(Batch(images, labels, texts, text_ids, text_groups))


def batch_bounds(count: int, batch_size: int, team: Team) -> list[slice]:
    """Cut ``count`` examples into the batches of an epoch.

    Raises:
        PairDxError: A batch cannot be shared out evenly among the processes.
    """
    if team.usable(batch_size) != batch_size or batch_size < 2 * team.size:
        raise PairDxError(
            f"batches of {batch_size} pairs cannot be shared out evenly among {team.size} GPUs",
            where="systems: … settings: batch_size",
            remedy="make batch_size a multiple of gpus, at least two for each",
        )
    starts = range(0, count, batch_size)
    bounds = [slice(start, min(start + batch_size, count)) for start in starts]
    return [part for part in bounds if part.stop - part.start >= 2 * team.size]
