"""Early stopping and the choice of the epoch whose weights are kept."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from pairdx.training.history import best_epoch
from pairdx.training.state.checkpoint import StateFolder
from tiny_training import SETTINGS, CrossEntropy, KilledError, run, same_weights, stop_after

# Validation losses of the epochs; the third is the best.
LOSSES = [0.9, 0.7, 0.5, 0.8, 0.6]
FIVE = replace(SETTINGS, epochs=5)


class Scripted(CrossEntropy):
    """Trains as usual; its validation losses are LOSSES, epoch by epoch."""

    def __init__(self, module, done=0):
        super().__init__(module)
        self.epochs = done

    def prepare(self):
        """Count the passes."""
        self.passes = getattr(self, "passes", 0) + 1

    def __call__(self, batch):
        """Loss and scores of a batch."""
        loss, scores = super().__call__(batch)
        if self.module.training:
            return loss, scores
        value = LOSSES[self.epochs + self.passes // 2 - 1]
        return torch.full_like(loss, value), scores


def test_by_default_the_last_epochs_weights_are_kept():
    """The paper states a number of epochs and no rule for an earlier one."""
    last, rows = run(settings=FIVE, objective=Scripted)
    assert len(rows) == 5
    assert rows["validation_loss"].tolist() == pytest.approx(LOSSES)
    assert same_weights(last, run(settings=FIVE)[0])


def test_the_best_epochs_weights_are_those_it_ended_with():
    """keep_epoch: best gives the weights of the third epoch, and the rows of all five."""
    weights = {}

    class Remembering(Scripted):
        def prepare(self):
            super().prepare()
            if self.passes % 2 == 0:  # before a validation pass
                state = self.module.state_dict()
                weights[self.passes // 2] = {name: value.clone() for name, value in state.items()}

    kept, rows = run(settings=replace(FIVE, keep_epoch="best"), objective=Remembering)
    assert len(rows) == 5
    for name, value in kept.state_dict().items():
        assert torch.equal(value, weights[3][name])
    assert not same_weights(kept, run(settings=FIVE)[0])


def test_the_best_weights_survive_an_interruption(tmp_path):
    """Killed after the fourth epoch, when the best is one behind, and run again."""
    settings = replace(FIVE, keep_epoch="best")
    undisturbed, _ = run(settings=settings, objective=Scripted)
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(settings=settings, objective=Scripted, state=state, after_epoch=stop_after(4))
    resumed, _ = run(settings=settings, objective=lambda m: Scripted(m, done=4), state=state)
    assert same_weights(undisturbed, resumed)


@pytest.mark.parametrize(("patience", "epochs"), [(1, 4), (2, 5), (None, 5)])
def test_early_stopping_waits_as_long_as_its_patience(patience, epochs):
    """The third epoch is the best: one worse epoch ends a patience of one."""
    settings = replace(FIVE, early_stopping_patience=patience)
    assert len(run(settings=settings, objective=Scripted)[1]) == epochs


def test_a_training_that_stopped_early_stays_so_when_it_is_resumed(tmp_path):
    """Killed after the epoch that ended it, with one state in all: nothing more is trained."""
    settings = replace(FIVE, early_stopping_patience=1)
    options = {"state": StateFolder(tmp_path, "settings"), "checkpoint_minutes": 60}
    with pytest.raises(KilledError):
        run(settings=settings, objective=Scripted, after_epoch=stop_after(4), **options)
    trained = []
    rows = run(settings=settings, after_epoch=trained.append, **options)[1]
    assert len(rows) == 4
    assert not trained


def test_the_best_epoch_is_the_earliest_of_equals_and_never_one_without_a_number():
    """A validation loss that is not a number is worse than any other."""
    rows = [{"validation_loss": loss} for loss in (math.nan, 0.5, 0.5, math.inf)]
    assert best_epoch(rows) == 2
