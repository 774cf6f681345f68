"""torch.compile: the same training, and a clear error where nothing can be compiled."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pairdx.errors import PairDxError
from tiny_training import SETTINGS, CrossEntropy, run

COMPILED = replace(SETTINGS, epochs=2, compile=True, augmentation=None)


class WithoutDropout(CrossEntropy):
    """Leaves out the layer whose random numbers compilation changes."""

    def __call__(self, batch):
        """Loss and scores of a batch."""
        scores = batch.images
        for layer in self.module:
            scores = scores if isinstance(layer, nn.Dropout) else layer(scores)
        return F.cross_entropy(scores, batch.labels), scores


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler here")
def test_a_compiled_training_step_computes_the_same():
    """Losses and accuracies of every epoch agree but for rounding."""
    expected = run(settings=replace(COMPILED, compile=False), objective=WithoutDropout)[1]
    found = run(settings=COMPILED, objective=WithoutDropout)[1]
    for column in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(found[column], expected[column], rtol=5e-3, err_msg=column)


def test_without_a_compiler_the_error_names_the_key(monkeypatch):
    """An unusable compiler is found before training, not in its first step."""
    torch.compiler.reset()
    torch._inductor.codecache.FxGraphCache.clear()
    monkeypatch.setenv("CXX", "/no/such/compiler")
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/no/such/compiler",))
    monkeypatch.setattr("torch._inductor.config.force_disable_caches", True)
    with pytest.raises(PairDxError, match=r"settings: compile[\s\S]*C\+\+ compiler"):
        run(settings=COMPILED)
