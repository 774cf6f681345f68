"""Several processes compute what one would; torchrun starts them, gloo connects them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import tiny_models as tiny
import two_processes
from pairdx.errors import PairDxError
from pairdx.models.clip import OBJECTIVES
from pairdx.models.training_job import TrainingJob, run_training
from pairdx.training.attempt import batch_bounds
from pairdx.training.distributed import Team
from pairdx.training.launch import run_together

TESTS = Path(__file__).parents[1]


def test_two_processes_find_the_loss_and_gradients_of_one(tmp_path, monkeypatch):
    """On the joined batch, to 1e-5: negatives and repeated captions are seen across processes."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    run_together("two_processes", [str(tmp_path)], 2)
    for objective in OBJECTIVES:
        together = torch.load(tmp_path / f"{objective}.pt", weights_only=True)
        alone = two_processes.loss_and_gradients(objective, Team())
        assert together.keys() == alone.keys()
        assert len(alone) > 20
        for name, expected in alone.items():
            torch.testing.assert_close(together[name], expected, rtol=1e-5, atol=1e-5, msg=name)


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> TrainingJob:
    """Fine-tuning a tiny CLIP on files as the workflow makes them, by two processes."""
    folder = tmp_path_factory.mktemp("job")
    pairs = tiny.make_pairs(40)
    subsets = ["train"] * 29 + ["validation"] * 6 + ["test"] * 5
    pairs.table.to_parquet(folder / "pairs.parquet")
    split = pd.DataFrame({"pair_id": pairs.table["pair_id"], "subset": subsets})
    split.to_parquet(folder / "split.parquet")
    np.save(folder / "images.npy", pairs.images)
    return TrainingJob(
        family="clip",
        # Of 29 pairs: 14, 14, and one that is left out.
        settings=tiny.settings(tiny.CLIP, epochs=4, batch_size=14),
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
        folder=str(folder / "out"),
    )


@pytest.fixture(scope="module")
def undisturbed(job) -> Path:
    """The folder of the job, done by two processes."""
    folder = Path(job.folder)
    folder.mkdir()
    run_training(job)
    return folder


def test_a_job_of_two_processes_learns_what_one_would(job, undisturbed, tmp_path):
    """The same losses and accuracies but for rounding, and one passport."""
    alone = replace(job, processes=1, folder=str(tmp_path), state_folder=str(tmp_path / "state"))
    run_training(alone)
    expected, found = (pd.read_csv(folder / "training.csv") for folder in (tmp_path, undisturbed))
    for column in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(found[column], expected[column], rtol=2e-3, err_msg=column)
    assert json.loads((undisturbed / "passport.json").read_text())["processes"] == 2


def test_an_interrupted_team_goes_on_from_its_state_and_ends_the_same(job, undisturbed, tmp_path):
    """SIGTERM to the job: all processes stop at one step, and the next start finishes."""
    one = replace(job, folder=str(tmp_path), state_folder=str(tmp_path / "state"))
    _start_and_stop(one)
    assert list((tmp_path / "state").glob("*.pt"))
    assert not (tmp_path / "model.safetensors").exists()
    run_training(one)
    expected = load_file(undisturbed / "model.safetensors")
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-5, atol=1e-6)


def _start_and_stop(job: TrainingJob) -> None:
    """Run the job in a process of its own, and send it SIGTERM once a state is there."""
    file = Path(job.folder, "job.json")
    file.write_text(json.dumps(asdict(job)))
    code = (
        "import json, sys, logging; from pairdx.models.training_job import *; "
        "logging.basicConfig(level=logging.INFO); "
        f"run_training(TrainingJob(**json.load(open({str(file)!r}))))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(TESTS.parent / "workflow/scripts"), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(Path(job.state_folder).glob("*.pt")):
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "told to stop" in output


def test_a_failing_process_ends_the_job_with_its_own_words(job, tmp_path, caplog):
    """An error in one process is in the log, and the job is an error, not a hang."""
    wrong = replace(job, settings={**job.settings, "context_length": 99}, folder=str(tmp_path))
    caplog.set_level("INFO", logger="pairdx")
    with pytest.raises(PairDxError, match="2 processes ended"):
        run_training(wrong)
    assert "context_length" in caplog.text


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
