"""States are written while training goes on: as they were, one at a time, and no error is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
import torch

from pairdx.errors import PairDxError
from pairdx.training.interruption import InterruptedTrainingError
from pairdx.training.state.checkpoint import StateFolder
from pairdx.training.state.writer import THREAD, copied
from tiny_training import CrossEntropy, KilledError, make_module, run, same_weights

TESTS = Path(__file__).parents[1]
SECONDS = 60.0  # in which whatever is waited for has come, or never will


class Doing(CrossEntropy):
    """Calls an action at the nth step."""

    def __init__(self, module, at, action):
        super().__init__(module)
        self.at, self.action, self.steps = at, action, 0

    def after_step(self):
        """Count it."""
        self.steps += 1
        if self.steps == self.at:
            self.action(self.module)


def at_step(number, action):
    return lambda module: Doing(module, number, action)


def being_written() -> bool:
    return any(thread.name == THREAD for thread in threading.enumerate())


class Full(StateFolder):
    """A folder on a full disk."""

    def save(self, *_):
        """Fail after a while."""
        time.sleep(0.05)
        raise PairDxError("there is no room left on the disk")


def test_training_goes_on_while_a_state_is_written_as_it_was(tmp_path):
    """The first state is not written before the second step has moved the weights."""
    moved, weights = threading.Event(), {}

    class Slow(StateFolder):
        def save(self, epochs, steps, state):
            assert moved.wait(SECONDS)
            super().save(epochs, steps, state)
            if (epochs, steps) == (0, 1):
                shutil.copytree(tmp_path / "state", tmp_path / "first")

    class Noting(Doing):
        def after_step(self):
            state = self.module.state_dict()
            weights.setdefault("first", {name: value.clone() for name, value in state.items()})
            super().after_step()

    run(
        state=Slow(tmp_path / "state", "settings"),
        checkpoint_minutes=0,
        objective=lambda module: Noting(module, 2, lambda _: moved.set()),
    )
    first = StateFolder(tmp_path / "first", "settings").load()["module"]
    assert first.keys() == weights["first"].keys()
    assert all(torch.equal(first[name], weights["first"][name]) for name in first)


def test_states_are_written_one_at_a_time_from_one_copy(tmp_path):
    """A copy is gone before the next is made."""
    copies, writing = [], []

    class Watched(StateFolder):
        def save(self, epochs, steps, state):
            assert not writing
            writing.append(1)
            time.sleep(0.01)
            super().save(epochs, steps, state)
            copies.append(weakref.ref(state["module"]["0.weight"]))
            writing.pop()

    def only_the_last_is_left(_):
        assert all(copy() is None for copy in copies[:-1])

    options = {"checkpoint_minutes": 0, "after_epoch": only_the_last_is_left}
    run(state=Watched(tmp_path, "settings"), **options)
    assert len(copies) == 16
    assert all(copy() is None for copy in copies)


@pytest.mark.parametrize("step", [1, 2, 16])
def test_a_storage_that_refuses_a_state_ends_the_training_with_its_own_words(tmp_path, step):
    """In its middle as in its last step: an error of the thread is the training's."""
    folder = tmp_path / "state"

    def put_a_file_there(_):
        shutil.rmtree(folder, ignore_errors=True)
        folder.write_text("in the way", encoding="utf-8")

    with pytest.raises(PairDxError, match="a file stands where a folder belongs") as caught:
        run(
            state=StateFolder(folder, "settings"),
            checkpoint_minutes=0 if step < 16 else None,
            objective=at_step(step, put_a_file_there),
        )
    assert str(folder) in str(caught.value.where)
    assert not being_written()


def test_an_error_of_storage_is_raised_at_the_next_step(tmp_path):
    """Not when the next state is due, which may be in ten minutes."""
    steps = []

    def wait(_):
        while being_written():
            time.sleep(0.001)

    class Counting(Doing):
        def after_step(self):
            super().after_step()
            steps.append(1)

    with pytest.raises(PairDxError, match="no room left"):
        run(
            state=Full(tmp_path, "settings"),
            count=40,
            checkpoint_minutes=None,
            objective=lambda module: Counting(module, 9, wait),
        )
    assert len(steps) == 9  # the first of the second epoch


@pytest.fixture
def _sigterm_as_before():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_sigterm_as_before")
def test_the_state_of_a_job_that_is_told_to_stop_is_in_place_when_it_ends(tmp_path):
    """However long the storage takes, and whatever was being written when SIGTERM came."""

    class Slow(StateFolder):
        def save(self, epochs, steps, state):
            time.sleep(0.2)
            super().save(epochs, steps, state)

    state = Slow(tmp_path, "settings")
    with pytest.raises(InterruptedTrainingError, match="goes on from there"):
        run(
            state=state,
            checkpoint_minutes=0,
            objective=at_step(2, lambda _: os.kill(os.getpid(), signal.SIGTERM)),
        )
    assert not being_written()
    assert state.load()["partial"]["totals"]["sizes"] == [5, 5]
    assert same_weights(run(state=state)[0], run()[0])


@pytest.mark.usefixtures("_sigterm_as_before")
def test_a_job_whose_last_state_is_refused_does_not_say_that_it_goes_on_from_there(tmp_path):
    """SIGTERM, and a full disk: the storage's words are the last ones."""
    with pytest.raises(PairDxError, match="no room left"):
        run(
            state=Full(tmp_path, "settings"),
            objective=at_step(2, lambda _: os.kill(os.getpid(), signal.SIGTERM)),
        )


def test_another_error_is_not_hidden_by_the_storages(tmp_path, caplog):
    """It is raised as it is, and what the storage said is logged."""

    def kill(_):
        raise KilledError

    with pytest.raises(KilledError):
        run(state=Full(tmp_path, "settings"), after_epoch=kill)
    assert "no room left on the disk" in caplog.text


def test_a_copy_is_apart_from_what_goes_on_changing():
    """Tensors, lists and dictionaries within one another; plain values are as they are."""
    state = {"a": [torch.ones(2), {"b": torch.zeros(3)}], "history": [{"loss": 1.0}], "best": None}
    copy, is_there = copied(state)
    state["a"][0].add_(1)
    state["a"][1]["b"].add_(1)
    state["history"][0]["loss"] = 2.0
    state["history"].append({})
    is_there()
    assert torch.equal(copy["a"][0], torch.ones(2))
    assert torch.equal(copy["a"][1]["b"], torch.zeros(3))
    assert copy["history"] == [{"loss": 1.0}]
    assert copy["best"] is None


def test_a_copy_keeps_the_layout_of_its_tensors():
    """Of weights in channels_last, too: what is written is what would have been."""
    weight = make_module()[0].weight.detach().to(memory_format=torch.channels_last)
    copy, _ = copied({"weight": weight})
    assert copy["weight"].stride() == weight.stride()
    assert torch.equal(copy["weight"], weight)


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from pairdx.training.state import checkpoint
from tiny_training import run

seal, states = checkpoint.append_seal, []

def seal_or_be_killed(path):
    states.append(path)
    if len(states) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    seal(path)

checkpoint.append_seal = seal_or_be_killed
run(state=checkpoint.StateFolder(Path(sys.argv[1]), "settings"), checkpoint_minutes=0)
"""


@pytest.mark.slow
def test_a_job_killed_while_it_writes_goes_on_from_the_state_before(tmp_path):
    """SIGKILL between a state's last byte and its checksum: half a file, which is not taken up."""
    paths = f"{TESTS}{os.pathsep}{os.pathsep.join(sys.path)}"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path), "3"],
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    state = StateFolder(tmp_path, "settings")
    assert len([path for path in tmp_path.iterdir() if path.name.startswith(".")]) == 1
    assert len(state.load()["partial"]["totals"]["sizes"]) == 2
    assert same_weights(run(state=state)[0], run()[0])
