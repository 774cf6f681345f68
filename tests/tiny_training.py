"""Material for the tests of the training loop: a small module, two kinds of images, one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.training.batches import Batch, Examples
from pairdx.training.loop import train
from pairdx.training.optimisation import Objective
from pairdx.training.randomness import seeded
from pairdx.training.settings import TrainingSettings

# Networks this small are faster on one thread.
torch.set_num_threads(1)

CPU = torch.device("cpu")
SETTINGS = TrainingSettings(
    epochs=4,
    batch_size=5,
    learning_rate=0.01,
    weight_decay=0.01,
    schedule="one_cycle",
    max_grad_norm=1.0,
    augmentation={"flip": 0.5, "brightness": 0.2},
)


class KilledError(Exception):
    """Stands for whatever kills a job."""


class CrossEntropy(Objective):
    """The objective of the tests: cross-entropy of what the module makes of the images."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Loss and scores of a batch."""
        scores = self.module(batch.images)
        return F.cross_entropy(scores, batch.labels), scores


def make_module() -> nn.Module:
    """Convolution, batch normalisation and dropout: everything that carries state or randomness."""
    with seeded(CPU, "module"):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(4 * 6 * 6, 2),
        )  # fmt: skip


def make_examples(count: int) -> Examples:
    """Dark images are of class 0, bright ones of class 1."""
    generator = np.random.default_rng(count)
    labels = np.arange(count) % 2
    images = generator.integers(0, 120, (count, 8, 8, 3)) + 120 * labels[:, None, None, None]
    return Examples(images.astype(np.uint8), labels, np.zeros((count, 0), dtype=np.int64))


def run(
    *,
    count: int = 17,
    settings: TrainingSettings = SETTINGS,
    seed: int = 1,
    objective: Callable[[nn.Module], Objective] = CrossEntropy,
    **options: Any,
) -> tuple[nn.Module, pd.DataFrame]:
    """Train on ``count`` examples; returns the module and the rows."""
    module = make_module()
    rows = train(
        module,
        objective(module),
        make_examples(count),
        make_examples(6),
        settings,
        seed=seed,
        device="cpu",
        **options,
    )
    return module, rows


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules hold the same numbers, bit for bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def stop_after(epoch: int) -> Callable[[dict[str, float]], None]:
    """A callback that kills the job when the state after ``epoch`` is in place."""

    def callback(row: dict[str, float]) -> None:
        if row["epoch"] == epoch:
            raise KilledError

    return callback
