"""torch.compile: the same training step, and a clear error where nothing can be compiled."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.training.batches import Batch
from tiny_training import SETTINGS, CrossEntropy, run

# Steps that move no weight: every step of a run starts from the same ones, compiled or not.
STANDING = replace(
    SETTINGS,
    epochs=2,
    learning_rate=1e-12,
    schedule="constant",
    weight_decay=0.0,
    max_grad_norm=None,
    augmentation=None,
)
BATCHES = [5, 2]


class Recording(CrossEntropy):
    """Keeps the gradients of every step; its loss also depends on what a pass prepares."""

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        module[4].p = 0.0  # dropout: compilation changes which random numbers it draws
        self.passes = 0
        self.gradients: list[dict[str, Tensor]] = []

    def prepare(self) -> None:
        """Scale the loss of each pass by its number."""
        self.passes += 1
        self.prepared = torch.tensor(float(self.passes))

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Loss and scores of a batch."""
        loss, scores = super().__call__(batch)
        return loss * self.prepared, scores

    def after_step(self) -> None:
        """Keep what the optimiser was given."""
        named = self.module.named_parameters()
        self.gradients.append({name: value.grad.clone() for name, value in named})


def gradients_and_rows(*, compiled: bool) -> tuple[list[dict[str, Tensor]], pd.DataFrame]:
    """What two epochs of a batch of five and one of two find."""
    made: list[Recording] = []

    def objective(module: Any) -> Recording:
        made.append(Recording(module))
        return made[0]

    settings = replace(STANDING, compile=compiled)
    _, rows = run(count=sum(BATCHES), settings=settings, objective=objective)
    return made[0].gradients, rows


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler here")
def test_a_compiled_training_step_computes_the_same():
    """Every gradient, loss and batch statistic of the training loop, but for rounding.

    Compiled code adds up the same float32 numbers in another order. The longest sums here have a
    few hundred terms of one size, so that rounding (6e-8 of each term) is about 1e-6 of the
    largest; 1e-5 leaves room for any processor's kernels. More than one step could not be compared
    that closely: the bias in front of batch normalisation has a gradient of zero but for rounding,
    and Adam moves it by the whole learning rate all the same.
    """
    expected, rows = gradients_and_rows(compiled=False)
    found, again = gradients_and_rows(compiled=True)
    assert len(found) == len(expected) == 2 * len(BATCHES)
    for step, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        largest = max(float(gradient.abs().max()) for gradient in theirs.values())
        for name, gradient in theirs.items():
            torch.testing.assert_close(
                ours[name], gradient, rtol=0, atol=1e-5 * largest, msg=f"{name}, step {step}"
            )
    for column in ("train_loss", "validation_loss"):
        assert again[column].tolist() == pytest.approx(rows[column].tolist(), rel=1e-5), column
    for column in ("train_accuracy", "validation_accuracy"):
        assert again[column].tolist() == rows[column].tolist(), column


def test_without_a_compiler_the_error_names_the_key(monkeypatch, tmp_path):
    """An unusable compiler is found before training, not in its first step."""
    torch.compiler.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # nothing compiled lies there
    monkeypatch.setenv("CXX", "/no/such/compiler")
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/no/such/compiler",))
    with pytest.raises(PairDxError, match=r"settings: compile[\s\S]*C\+\+ compiler"):
        run(settings=replace(STANDING, compile=True))
