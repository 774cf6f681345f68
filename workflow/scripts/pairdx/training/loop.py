"""The training loop: epochs of steps over batches, one table row per epoch, resumable at any step.

It knows a module, an objective and batches; which system is trained, it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from torch import nn

from pairdx.errors import PairDxError
from pairdx.training.attempt import Attempt
from pairdx.training.batches import Examples
from pairdx.training.device import reproducible, torch_device
from pairdx.training.history import columns_of
from pairdx.training.interruption import sigterm_noted
from pairdx.training.optimisation import Objective
from pairdx.training.settings import TrainingSettings
from pairdx.training.state.checkpoint import StateFolder


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
    loader_workers: int = 0,
    state: StateFolder | None = None,
    checkpoint_minutes: float | None = None,
    after_epoch: Callable[[Mapping[str, float]], None] | None = None,
) -> pd.DataFrame:
    """Train ``module`` in place and return one row per epoch (:mod:`~pairdx.training.history`).

    The order of an epoch is a function of (seed, epoch), augmentation and dropout of (seed, epoch,
    step): on a CPU with the same number of threads, the same arguments give the same weights bit
    for bit, interrupted or not, whatever ``loader_workers`` is. The module is left on the device,
    in evaluation mode, with the weights of the last epoch or, if so set, of the best.

    An incomplete last batch is used, except one of a single example, which batch normalisation
    cannot train on: it is dropped, and as the order changes from epoch to epoch it is another
    example each time.

    In a team of processes (:mod:`pairdx.training.distributed`) every process calls this; each
    trains on its share of every batch, and what cannot be shared out evenly of a last batch is
    dropped.

    Args:
        module: All parameters that require gradients are trained.
        objective: The loss over ``module``; it is called inside the loop's precision.
        training: At least 2 examples.
        validation: At least 1 example; visited in one order in all epochs.
        settings: Epochs, optimiser, schedule, augmentation, precision.
        seed: Of the order, augmentation and dropout.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.
        loader_workers: Processes that gather batches ahead where images are read from main memory.
        state: Where the state is written and looked for at the start; None for neither.
        checkpoint_minutes: The state is written when so many minutes have passed since the last
            time, or since the start, and besides at the first step after SIGTERM and when the
            training ends. 0: at every step. None: after every epoch and not in between.
        after_epoch: Called with the epoch's row.

    Raises:
        InterruptedTrainingError: SIGTERM came; the state, if any, was written.
        PairDxError: Too few examples, no such device, a number of the module, before or after, or a
            loss that is not finite, or a state that the storage refused.
    """
    if len(training) < 2 or len(validation) < 1:
        raise PairDxError(
            f"{len(training)} training and {len(validation)} validation pairs are too few",
            where="the split",
            remedy="use a larger corpus or larger shares; at least 2 and 1 are needed",
        )
    target = torch_device(device)
    require_sound_start(module)
    deterministic = reproducible(target, threads, cudnn_benchmark=settings.cudnn_benchmark)
    with deterministic, sigterm_noted() as stop:
        attempt = Attempt(module, objective, settings, seed, target)
        attempt.use_data(training, validation, loader_workers)
        attempt.use_state(state, checkpoint_minutes, stop)
        with attempt.states:  # whatever ends the block, its last state is in place
            while not attempt.is_done():
                row = attempt.epoch()
                if after_epoch is not None:
                    after_epoch(row)
            attempt.keep_weights()
            require_sound_end(module)
        return pd.DataFrame(attempt.history, columns=columns_of(attempt.history)).astype(
            {"epoch": "int64"}
        )


NAMED_IN_AN_ERROR = 3


def require_sound_start(module: nn.Module) -> None:
    """Refuse to train from what is infinite or not a number: no loss could be one.

    Raises:
        PairDxError: A parameter or a buffer (frozen word vectors, means of colours, running
            statistics) is; the first few are named.
    """
    if strange := _not_finite(module):
        raise PairDxError(
            f"before any training, numbers of the module are infinite or not numbers: {strange}",
            where="training",
            remedy="look at the files that the model is built from: its weights, its word vectors",
        )


def require_sound_end(module: nn.Module) -> None:
    """Refuse weights that the last step made infinite or not numbers, after losses that were.

    Raises:
        PairDxError: Some are; the first few are named.
    """
    if strange := _not_finite(module):
        raise PairDxError(
            f"after training, weights are infinite or not numbers: {strange}",
            where="training",
            remedy="lower the system's learning_rate, set max_grad_norm (1.0 is usual), "
            "or use precision: float32",
        )


def _not_finite(module: nn.Module) -> str:
    # Buffers that are not saved may be infinite by design: masks of attention are.
    saved = module.state_dict()
    names = [name for name, tensor in saved.items() if not bool(tensor.isfinite().all())]
    others = {name: tensor for name, tensor in module.named_buffers() if name not in saved}
    names += [name for name, tensor in others.items() if bool(tensor.isnan().any())]
    return ", ".join(names[:NAMED_IN_AN_ERROR])
