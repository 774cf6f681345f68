"""Copies of the workflow to run: tests may edit files in them and leave results behind."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from .forked_jobs import ForkedJobs
from .forked_snakemake import ForkedSnakemake

REPOSITORY = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "CITATION.cff",
    "config",
    "workflow",
    "envs",
    "profiles",
    "Makefile",
    "requirements.lock",
)
# A corpus of real images in MultiCaRe's layout, where the environment says where real data lie.
REAL_DATA = os.environ.get("PAIRDX_REAL_DATA")
REAL_CORPUS = str(Path(REAL_DATA, "real_corpus")) if REAL_DATA else None
DEMO = ("--profile", "profiles/local", "--configfile", "config/demo.yaml")


@dataclass(frozen=True)
class Workflow:
    """A copy of the workflow in a folder of its own.

    Attributes:
        folder: The folder.
        forks_jobs: Whether jobs are forked, so that none imports PyTorch anew.
    """

    folder: Path
    forks_jobs: bool = False

    def snakemake(self, *arguments: str, check: bool = True) -> str:
        """Run Snakemake and return what it printed: dry runs forked, all others as the command.

        With ``check`` a failure fails the test and shows the end of the output.
        """
        # XDG_CACHE_HOME: Snakemake's source cache of one copy is of no use to another.
        environment = os.environ | {"XDG_CACHE_HOME": str(self.folder / ".cache")}
        if "-n" in arguments:
            status, output = forked_snakemake().run(arguments, self.folder, environment)
        else:
            command = [sys.executable, "-m", "snakemake", *arguments]
            done = subprocess.run(
                forked_jobs().command(arguments) if self.forks_jobs else command,
                cwd=self.folder,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                encoding="utf-8",
            )
            status, output = done.returncode, done.stdout
        if check and status:
            pytest.fail(f"{' '.join(arguments)} failed:\n{output[-4000:]}")
        return output

    def plan(self, *arguments: str) -> dict[str, int]:
        """Return the number of jobs per rule that a dry run plans; empty if there is none."""
        return read_plan(self.snakemake(*arguments, "-n"))

    def refuses(self, named: str, *arguments: str) -> None:
        """Assert that a dry run of ``all`` ends before the DAG is built, and names a key."""
        output = self.snakemake("all", "-n", *arguments, check=False)
        assert "Job stats" not in output
        assert named in output
        assert "Traceback" not in output


@cache
def forked_snakemake() -> ForkedSnakemake:
    """Make dry runs cheap: the one process of this test process that has Snakemake imported."""
    forked = ForkedSnakemake().__enter__()
    atexit.register(forked.__exit__)
    return forked


@cache
def forked_jobs() -> ForkedJobs:
    """Make jobs cheap: the one server of this test process that has imported what they import."""
    forked = ForkedJobs().__enter__()
    atexit.register(forked.__exit__)
    return forked


def overlay_file(folder: Path, **content: Any) -> str:
    """Write a configuration overlay and return its path."""
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def read_plan(output: str) -> dict[str, int]:
    """Read the job statistics that a dry run prints."""
    if "Job stats:" not in output:
        return {}
    lines = output.split("Job stats:")[1].strip().splitlines()[2:]
    stats = {}
    for line in lines:
        name, count = line.split()
        if name == "total":
            break
        stats[name] = int(count)
    return stats


def copy_of_workflow(
    folder: Path, repository: Path = REPOSITORY, *, forks_jobs: bool = False
) -> Workflow:
    """Copy the workflow into a folder, with the bytecode of its library, which stays valid."""
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        elif source.exists():
            shutil.copy2(source, folder / part)
    return Workflow(folder, forks_jobs)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which nothing was ever run: for dry runs."""
    return copy_of_workflow(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def all_of_demo(fresh: Workflow) -> str:
    """What a dry run of the whole demo prints, once for all tests that only read it."""
    return fresh.snakemake("all", "-n", *DEMO)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which the whole demo was run, once for all tests of the session.

    Its jobs are forked; what tests run in the copy afterwards is started as users start it.
    """
    folder = tmp_path_factory.mktemp("demo")
    copy_of_workflow(folder, forks_jobs=True).snakemake("all", *DEMO)
    return Workflow(folder)
