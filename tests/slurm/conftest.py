"""The SLURM that the tests of this folder share, and runs of the workflow to disturb on it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slurm.cluster import reason_to_skip
from slurm.faults import FragileCluster
from slurm.runs import UNDISTURBED, DisturbedRun, locally, metrics, write_tiny_configuration
from workflow.conftest import copy_of_workflow


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
    """Give a copy of the workflow in which one system was trained and evaluated, without SLURM.

    All that the others' trainings need is there. Made once for all workers.
    """
    folder = shared_folder / "prepared"
    with (shared_folder / "prepared.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir(exist_ok=True)
            copy_of_workflow(folder)
            write_tiny_configuration(folder)
            locally(folder, metrics(UNDISTURBED))
            (folder / "done").touch()
    return folder


@contextmanager
def disturbed_run(cluster: FragileCluster, prepared: Path, folder: Path) -> Iterator[DisturbedRun]:
    """Give a run that has only trainings before it; end what is left of it afterwards."""
    copied = Path(shutil.copytree(prepared, folder / "workflow", symlinks=True))
    run = DisturbedRun(cluster, copied)
    try:
        yield run
    finally:
        run.kill()
        cluster.recover()


@pytest.fixture
def run(cluster: FragileCluster, prepared: Path, tmp_path: Path) -> Iterator[DisturbedRun]:
    """Give a run to one test."""
    with disturbed_run(cluster, prepared, tmp_path) as disturbed:
        yield disturbed


@pytest.fixture(scope="module")
def shared_run(
    cluster: FragileCluster, prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DisturbedRun]:
    """Give a run to all tests of a module."""
    with disturbed_run(cluster, prepared, tmp_path_factory.mktemp("shared")) as disturbed:
        yield disturbed
