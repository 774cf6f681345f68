"""The SLURM that the tests of this folder share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from slurm.cluster import SlurmCluster, reason_to_skip


@pytest.fixture(scope="session", autouse=True)
def _slurm_can_run() -> None:
    """Skip where no SLURM can run, or fail there if PAIRDX_REQUIRE_SLURM is 1."""
    reason = reason_to_skip()
    if reason and os.environ.get("PAIRDX_REQUIRE_SLURM") == "1":
        pytest.fail(f"PAIRDX_REQUIRE_SLURM is 1, but no SLURM can run here: {reason}")
    if reason:
        pytest.skip(f"no SLURM can run here: {reason}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """Give a running cluster, the same to all tests."""
    with SlurmCluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
