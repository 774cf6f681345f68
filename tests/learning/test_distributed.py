"""Several processes compute what one would; torchrun starts them, gloo connects them."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import tiny_models as tiny
import two_processes
from pairdx.errors import PairDxError
from pairdx.models.training_job import TrainingJob, run_training
from pairdx.training import launch
from pairdx.training.attempt import batch_bounds
from pairdx.training.distributed import Team
from pairdx.training.launch import run_together

# What the two processes do is done once, for all of these tests.
pytestmark = pytest.mark.xdist_group("two processes")

TESTS = Path(__file__).parents[1]


def make_job(folder: Path) -> TrainingJob:
    """Fine-tuning a tiny CLIP on files as the workflow makes them, by two processes."""
    pairs = tiny.make_pairs(40)
    subsets = ["train"] * 29 + ["validation"] * 6 + ["test"] * 5
    pairs.table.to_parquet(folder / "pairs.parquet")
    split = pd.DataFrame({"pair_id": pairs.table["pair_id"], "subset": subsets})
    split.to_parquet(folder / "split.parquet")
    tiny.write_packed(folder / "images.npy", pairs)
    return TrainingJob(
        family="clip",
        # Of 29 pairs: 14, 14, and one that is left out.
        settings=tiny.settings(tiny.CLIP, epochs=2, batch_size=14),
        classes=tiny.CLASSES,
        stand_in=True,
        seed=1,
        device="cpu",
        processes=2,
        threads=1,
        loader_workers=0,
        checkpoint_minutes=1e-9,
        pairs=str(folder / "pairs.parquet"),
        split=str(folder / "split.parquet"),
        images=str(folder / "images.npy"),
        resources={},
        state_folder=str(folder / "state"),
        folder=str(folder),
    )


def own_folder(job: TrainingJob, folder: Path) -> TrainingJob:
    """The same job with results and states of its own."""
    folder.mkdir(exist_ok=True)
    return replace(job, folder=str(folder), state_folder=str(folder / "state"))


@dataclass(frozen=True)
class Done:
    """What two processes were asked for, in as few starts as there can be.

    Attributes:
        gradients: Folder of their losses and gradients, a file per objective.
        undisturbed: A training done in one go.
        stopped: The same one, stopped by SIGTERM in a start before, and gone on with in this one.
        standing: One epoch that moves no weight.
        log: What the start that was stopped logged.
        left: Names of the files that it left.
    """

    gradients: Path
    undisturbed: TrainingJob
    stopped: TrainingJob
    standing: TrainingJob
    log: str
    left: list[str]


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Done:
    """Two starts of two processes: one that is told to stop, one that does all the rest."""
    folder = tmp_path_factory.mktemp("two_processes")
    job = make_job(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        stopped = own_folder(job, folder / "stopped")
        log = start_and_stop(stopped, patch)
        left = [path.name for path in Path(stopped.folder).rglob("*.*")]
        standing = {"learning_rate": 1e-12, "weight_decay": 0.0, "epochs": 1}
        still = replace(job, settings={**job.settings, **standing})
        jobs = [
            own_folder(job, folder / "undisturbed"),
            stopped,
            own_folder(still, folder / "standing"),
        ]
        (folder / "jobs.json").write_text(
            json.dumps([asdict(one) for one in jobs]), encoding="utf-8"
        )
        run_together("two_processes", [str(folder)], 2)
    return Done(folder, *jobs, log, left)


def start_and_stop(job: TrainingJob, patch: pytest.MonkeyPatch) -> str:
    """Run the job, and send this process SIGTERM once a state is there; return the log."""
    ended, lines = threading.Event(), []
    states = Path(job.state_folder)

    def tell_to_stop() -> None:
        while not ended.wait(0.01):
            if list(states.glob("*.pt")):
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def waiting(module: str, arguments: list[str], processes: int) -> None:
        assert module == "pairdx.models.training_job"
        run_together("waiting_training", arguments, processes)

    before = signal.getsignal(signal.SIGTERM)
    patch.setattr(launch, "run_together", waiting)
    patch.setattr(launch.logger, "info", lambda text, *values: lines.append(text % values))
    watching = threading.Thread(target=tell_to_stop)
    watching.start()
    try:
        with pytest.raises(PairDxError, match="2 processes ended"):
            run_training(job)
    finally:
        ended.set()
        watching.join()
        signal.signal(signal.SIGTERM, before)
    return "\n".join(lines)


def test_two_processes_find_the_loss_and_gradients_of_one(done):
    """On the joined batch, to 1e-5: negatives and repeated captions are seen across processes.

    So are relaxed pairs, and sentences are drawn as one process would draw them.
    """
    for variant in two_processes.VARIANTS:
        together = torch.load(done.gradients / f"{variant}.pt", weights_only=True)
        alone = two_processes.loss_and_gradients(variant, Team())
        assert together.keys() == alone.keys()
        assert len(alone) > 20
        for name, expected in alone.items():
            torch.testing.assert_close(together[name], expected, rtol=1e-5, atol=1e-5, msg=name)


def test_a_job_of_two_processes_computes_what_one_would(done, tmp_path):
    """From the same weights, losses but for rounding, the accuracies, and one passport.

    The weights stand still: in moving them Adam makes much of rounding, wherever a gradient is
    zero but for it.
    """
    run_training(own_folder(replace(done.standing, processes=1), tmp_path))
    two = Path(done.standing.folder)
    expected, found = (pd.read_csv(folder / "training.csv") for folder in (tmp_path, two))
    for column in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-5, err_msg=column)
    assert json.loads((two / "passport.json").read_text(encoding="utf-8"))["processes"] == 2


def test_a_team_that_is_told_to_stop_stops_at_one_step_and_keeps_its_state(done):
    """SIGTERM to the job reaches all processes; its end is an error that says why."""
    assert "Error: the job was told to stop (SIGTERM)" in done.log
    assert "it goes on from there" in done.log
    assert done.left
    assert all(name.startswith("after-epoch-") for name in done.left)


def test_an_interrupted_team_goes_on_from_its_state_and_ends_the_same(done):
    """The next start ends with the weights and rows of an undisturbed training, bit for bit."""
    undisturbed, stopped = Path(done.undisturbed.folder), Path(done.stopped.folder)
    expected, found = (load_file(one / "model.safetensors") for one in (undisturbed, stopped))
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    learned = ["epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    rows, again = (pd.read_csv(one / "training.csv") for one in (undisturbed, stopped))
    assert again[learned].equals(rows[learned])


def test_a_failing_process_ends_the_job_with_its_own_words(monkeypatch, caplog):
    """An error in one process is in the log, and the job is an error, not a hang."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    caplog.set_level("INFO", logger="pairdx")
    with pytest.raises(PairDxError, match="2 processes ended"):
        run_together("one_fails", [], 2)
    assert "Error: the words of the second process" in caplog.text


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(20, 8, [8, 8, 4]), (17, 8, [8, 8]), (21, 8, [8, 8, 5])]
)
def test_every_process_has_as_many_examples_of_a_batch(count, size, sizes):
    """What cannot be shared out evenly is left out; no example is seen twice."""
    order = np.random.default_rng(1).permutation(count)
    teams = [Team(rank, 2) for rank in range(2)]
    bounds = batch_bounds(count, size, teams[0])
    assert [part.stop - part.start for part in bounds] == sizes
    for part in bounds:
        shares = [team.share(order[part]) for team in teams]
        assert len(shares[0]) == len(shares[1])
        assert set(shares[0]).isdisjoint(shares[1])
        assert set(np.concatenate(shares)) <= set(order[part])


def test_batches_that_cannot_be_shared_are_refused():
    """128 pairs among three GPUs: the error names both keys."""
    with pytest.raises(PairDxError, match="128 pairs cannot be shared out evenly among 3"):
        batch_bounds(1000, 128, Team(0, 3))
