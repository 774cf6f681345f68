"""Interrupted trainings end like undisturbed ones, whenever and however often they are stopped."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest

from pairdx.training.interruption import InterruptedTrainingError
from pairdx.training.state import writer
from pairdx.training.state.checkpoint import StateFolder
from tiny_training import CrossEntropy, KilledError, run, same_weights, stop_after

# training.csv without the times, which no two runs share
LEARNED = [
    *("epoch", "train_loss", "train_accuracy"),
    *("validation_loss", "validation_accuracy", "learning_rate"),
]
AT_EVERY_STEP = 0.0


class Interrupted(CrossEntropy):
    """Calls ``action`` at the nth call of the loss, training and validation steps alike."""

    calls = 0

    def __init__(self, module, at, action):
        super().__init__(module)
        self.at, self.action = at, action

    def __call__(self, batch):
        """Loss and scores of a batch."""
        self.calls += 1
        if self.calls == self.at:
            self.action()
        return super().__call__(batch)


def killed():
    raise KilledError


def told_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def _sigterm_as_before():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_a_training_killed_after_an_epoch_ends_with_the_same_weights(tmp_path, epoch):
    """Only the epochs that were not done yet are run again."""
    undisturbed, rows = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(state=state, after_epoch=stop_after(epoch))
    done = []
    resumed, again = run(state=state, after_epoch=lambda row: done.append(row["epoch"]))
    assert done == list(range(epoch + 1, 5))
    assert same_weights(undisturbed, resumed)
    assert rows[LEARNED].equals(again[LEARNED])


@pytest.mark.parametrize("checkpoint_minutes", [None, AT_EVERY_STEP])
def test_a_training_killed_at_random_moments_ends_with_the_same_weights(
    tmp_path, checkpoint_minutes
):
    """A dozen kills between any two steps, with states at epochs only or at every step."""
    undisturbed, rows = run()
    rng, state = np.random.default_rng(1), StateFolder(tmp_path, "settings")
    options = {"state": state, "checkpoint_minutes": checkpoint_minutes}
    kills = 0
    while True:
        at = rng.integers(1, 15) if kills < 12 else 10**6
        try:
            resumed, again = run(objective=lambda m, at=at: Interrupted(m, at, killed), **options)
        except KilledError:
            kills += 1
            continue
        break
    assert kills >= 2
    assert same_weights(undisturbed, resumed)
    assert rows[LEARNED].equals(again[LEARNED])


@pytest.mark.usefixtures("_sigterm_as_before")
@pytest.mark.parametrize("at", [2, 4, 5, 6, 9])
def test_sigterm_saves_at_the_next_step_and_nothing_is_done_twice(tmp_path, at):
    """Steps 1 to 4 of an epoch are training, 5 and 6 validation; no state was due before."""
    undisturbed, rows = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(InterruptedTrainingError, match="goes on from there"):
        run(state=state, objective=lambda module: Interrupted(module, at, told_to_stop))
    counting = []
    resumed, again = run(
        state=state,
        objective=lambda module: Interrupted(module, 1, lambda: counting.append(module)),
    )
    assert counting
    assert same_weights(undisturbed, resumed)
    assert rows[LEARNED].equals(again[LEARNED])
    assert (again["seconds"] > 0).all()


@pytest.mark.usefixtures("_sigterm_as_before")
def test_a_second_sigterm_is_ignored(tmp_path):
    """SLURM sends it twice; neither the saving nor the last words are cut short."""

    def twice():
        told_to_stop()
        told_to_stop()

    with pytest.raises(InterruptedTrainingError):
        run(
            state=StateFolder(tmp_path, "settings"),
            objective=lambda module: Interrupted(module, 2, twice),
        )
    told_to_stop()  # after the training, on the way out
    assert StateFolder(tmp_path, "settings").load()["partial"] is not None


@pytest.mark.usefixtures("_sigterm_as_before")
def test_sigterm_means_what_it_meant_before_once_a_training_is_through(tmp_path):
    """A training that was not told to stop leaves the signal's handler as it found it."""
    before = signal.getsignal(signal.SIGTERM)
    run(state=StateFolder(tmp_path, "settings"))
    assert signal.getsignal(signal.SIGTERM) is before


class Watched(StateFolder):
    """Notes where training was when a state was written."""

    written: list[tuple[int, int]]

    def save(self, epochs, steps, state):
        """Write the state."""
        self.written = [*getattr(self, "written", []), (epochs, steps)]
        super().save(epochs, steps, state)


@pytest.mark.parametrize(
    ("minutes", "written"),
    [
        # Every call of the loss takes a minute: four of an epoch's training, two of its validation.
        (3, [(0, 3), (1, 0), (1, 3), (2, 0), (2, 3), (3, 0), (3, 3), (4, 0)]),
        (7, [(1, 1), (2, 2), (3, 3), (4, 0)]),
        (12, [(2, 0), (4, 0)]),
        (60, [(4, 0)]),
        (None, [(1, 0), (2, 0), (3, 0), (4, 0)]),
    ],
)
def test_a_state_is_written_when_minutes_have_passed_and_at_the_end(
    tmp_path, monkeypatch, minutes, written
):
    """Within epochs and after them alike; without minutes after every epoch."""
    now = iter(range(1000))
    clock = SimpleNamespace(minute=0)
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: 60.0 * clock.minute))

    class Lasting(CrossEntropy):
        def __call__(self, batch):
            clock.minute = next(now) + 1
            return super().__call__(batch)

    state = Watched(tmp_path, "settings")
    run(state=state, checkpoint_minutes=minutes, objective=Lasting)
    assert state.written == written


def test_with_no_minutes_between_a_state_is_written_at_every_step(tmp_path):
    """Of the last step of an epoch after its validation."""
    state = Watched(tmp_path, "settings")
    run(state=state, checkpoint_minutes=AT_EVERY_STEP)
    every = [(epoch, step) for epoch in range(4) for step in range(4)]
    assert state.written == [*every[1:], (4, 0)]


def test_a_training_that_is_through_is_written_however_few_minutes_it_took(tmp_path):
    """Lost outputs are written again from it, and nothing is trained; also if it stopped early."""
    state, trained = StateFolder(tmp_path, "settings"), []
    weights, _ = run(state=state, checkpoint_minutes=60)
    again, _ = run(
        state=state,
        checkpoint_minutes=60,
        objective=lambda module: Interrupted(module, 1, lambda: trained.append(1)),
    )
    assert same_weights(weights, again)
    assert not trained
    assert state.load()["optimiser"] is None  # it would be two thirds of what is waited for
