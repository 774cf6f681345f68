"""The SLURM that the tests of this folder share, and runs of the workflow to disturb on it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurm.cluster import reason_to_skip
from slurm.faults import FragileCluster
from slurm.runs import EPOCHS, METRICS, TINY, DisturbedRun, locally
from workflow.conftest import copy_of_workflow

# What a training job of the tiny workflow reads.
BEFORE_TRAINING = (
    *("results/demo/stratified/split.parquet", "results/demo/packed/images.npy"),
    "results/demo/packed/out_of_distribution.npy",
)


@pytest.fixture(scope="session", autouse=True)
def _slurm_can_run() -> None:
    """Skip where no SLURM can run, or fail there if PAIRDX_REQUIRE_SLURM is 1."""
    reason = reason_to_skip()
    if reason and os.environ.get("PAIRDX_REQUIRE_SLURM") == "1":
        pytest.fail(f"PAIRDX_REQUIRE_SLURM is 1, but no SLURM can run here: {reason}")
    if reason:
        pytest.skip(f"no SLURM can run here: {reason}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FragileCluster]:
    """Give a running cluster, the same to all tests."""
    with FragileCluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all workers of pytest-xdist share."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return folder


@pytest.fixture(scope="session")
def prepared(shared_folder: Path) -> Path:
    """Give a copy of the workflow in which all is done but the training; made once."""
    folder = shared_folder / "prepared"
    with (shared_folder / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir()
            copy_of_workflow(folder)
            (folder / "tiny.yaml").write_text(TINY.format(epochs=EPOCHS))
            locally(folder, *BEFORE_TRAINING)
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def undisturbed(shared_folder: Path, prepared: Path) -> Path:
    """Give a copy in which the training and its evaluation ran undisturbed; made once."""
    folder = shared_folder / "undisturbed"
    with (shared_folder / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / METRICS).exists():
            shutil.copytree(prepared, folder, symlinks=True)
            locally(folder, METRICS)
    return folder


@pytest.fixture
def run(cluster: FragileCluster, prepared: Path, tmp_path: Path) -> Iterator[DisturbedRun]:
    """Give a run that has only its training before it; ends what is left of it afterwards."""
    folder = Path(shutil.copytree(prepared, tmp_path / "workflow", symlinks=True))
    disturbed = DisturbedRun(cluster, folder)
    try:
        yield disturbed
    finally:
        disturbed.kill()
        cluster.recover()
