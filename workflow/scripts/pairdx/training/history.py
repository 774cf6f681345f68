"""The columns of training.csv, one row per epoch.

``train_accuracy`` is taken while training: on augmented images, with dropout, from weights that
change from step to step. Where any number of classes can be true of an example, both accuracies
are the share of what is known of examples and classes that is decided rightly (a score above 0 says
true), and no number where nothing is known. ``learning_rate`` is that of the epoch's last step.
``seconds`` covers the epoch's training and validation passes and, in the first epoch of an attempt,
what comes before them: moving the images to the device, and what an objective looks at before
training. ``data_seconds`` is the part of the training pass, and of that before it, spent waiting
for data; ``samples_per_second`` is that of the training pass. Of an epoch that was interrupted, the
time up to the last training state counts, because that work was kept. Behind these stand the
columns of an objective that watches something of its own
(:meth:`pairdx.training.optimisation.Objective.observed`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

COLUMNS = [
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "data_seconds",
    "samples_per_second",
]


def columns_of(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the columns of these rows: the common ones, then those of the objective."""
    return [*COLUMNS, *(name for name in (rows[0] if rows else ()) if name not in COLUMNS)]


def best_epoch(rows: Sequence[Mapping[str, float]]) -> int:
    """Return the epoch, from 1, with the lowest validation loss; the earliest of equals.

    A loss that is not a number counts as infinite.
    """
    losses = [row["validation_loss"] for row in rows]
    finite = [loss if math.isfinite(loss) else math.inf for loss in losses]
    return finite.index(min(finite)) + 1


def is_over(history: Sequence[Mapping[str, float]], epochs: int, patience: int | None) -> bool:
    """Say whether a training ends after these rows.

    Args:
        history: One row per whole epoch.
        epochs: How many there are to be.
        patience: Epochs without a lower validation loss after which it ends early; None: never.
    """
    done = len(history)
    if done >= epochs or patience is None or not done:
        return done >= epochs
    return done - best_epoch(history) >= patience
