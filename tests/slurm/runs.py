"""The workflow on the test cluster, in the background, so that a test may disturb it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slurm.cluster import SlurmCluster, until
from slurm.configuration import ACCOUNT
from slurm.faults import FragileCluster
from workflow.conftest import REPOSITORY, Workflow

# A small corpus, and one network: the paper's reading of the loss; 30 epochs are half a minute.
EPOCHS = 30
TINY = """
demo: {{cases: 80, archives: [PMC1, PMC2]}}
curation: {{balance: {{total: 240}}}}
models: {{pairdx_clip: {{settings: {{objective: contrastive, epochs: {epochs}}}}}}}
"""
CELL = "demo/stratified/pairdx_clip/seed1"
WEIGHTS = f"results/{CELL}/model.safetensors"
METRICS = f"results/{CELL}/metrics.json"
CONFIGURATION = ("--configfile", "config/demo.yaml", "tiny.yaml")
TRAINS_ON_ONE_THREAD = ("--set-threads", "train_on_cpu=1", "predict=1")
PROFILE = "profiles/slurm/config.yaml"
# The demo trains on the CPU, and the test cluster's GPUs are counted, not real.
ON_AN_A100 = {"gpu": 1, "gpu_model": "a100", "slurm_partition": "a100"}


def adapt_profile(
    folder: Path, account: str | None = ACCOUNT, **resources: Mapping[str, Any]
) -> None:
    """Edit the profile in a copy of the workflow, as its user would for the test cluster.

    A job's state is asked for sooner, because jobs are short.

    Args:
        folder: The copy.
        account: What is charged, or None for the line as it is.
        resources: By rule, what ``set-resources`` holds in place of what stands there.
    """
    path = folder / PROFILE
    profile = yaml.safe_load(path.read_text())
    if account:
        profile["default-resources"]["slurm_account"] = account
    profile["set-resources"] |= {"train_on_cpu": ON_AN_A100} | resources
    profile |= {"slurm-init-seconds-before-status-checks": 4, "latency-wait": 20}
    path.write_text(yaml.safe_dump(profile, sort_keys=False))


def snakemake_on(
    cluster: SlurmCluster, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake to its end in a copy of the workflow, submitting to the test cluster."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=cluster.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


@dataclass(frozen=True)
class SlurmJob:
    """One line of squeue: a job of any state that the controller still remembers."""

    number: str
    state: str
    node: str


class DisturbedRun:
    """Snakemake in a copy of the workflow, submitting to the test cluster.

    Args:
        cluster: Where jobs go.
        folder: The copy of the workflow.
    """

    def __init__(self, cluster: FragileCluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._output = folder / "snakemake.out"

    def start(
        self, *arguments: str, account: str | None = ACCOUNT, **resources: Mapping[str, Any]
    ) -> None:
        """Ask for the trained weights through profiles/slurm, in the background.

        Args:
            arguments: Further options; the last one wins.
            account: See :func:`adapt_profile`.
            resources: Likewise.
        """
        shutil.copy2(REPOSITORY / PROFILE, self.folder / PROFILE)
        adapt_profile(self.folder, account, **resources)
        command = [sys.executable, "-m", "snakemake", WEIGHTS, *CONFIGURATION]
        command += ["--profile", "profiles/slurm", *TRAINS_ON_ONE_THREAD, *arguments]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.cluster.environment() | {"XDG_CACHE_HOME": str(self.folder / ".cache")},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self, seconds: float = 600) -> int:
        """Wait for Snakemake's end and return its exit status.

        Raises:
            AssertionError: It did not end in time; the message shows its output.
        """
        assert self._process is not None
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not done in {seconds} s:\n{self.output[-3000:]}") from None

    def kill(self) -> None:
        """Kill Snakemake and its children here; SLURM's jobs live on."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)

    @property
    def output(self) -> str:
        """What Snakemake has printed since the last start."""
        return self._output.read_text()

    def jobs(self, rule: str = "train_on_cpu") -> list[SlurmJob]:
        """Return this copy's jobs of a rule that SLURM remembers, oldest first."""
        options = ["--states=all", "--noheader", "--sort=i", "--format=%A|%k|%T|%N|%Z"]
        rows = [line.split("|") for line in self.cluster.run("squeue", *options).splitlines()]
        return [
            SlurmJob(number, state, node)
            for number, comment, state, node, place in rows
            if place == str(self.folder) and rule in comment
        ]

    def accounted(self, job: SlurmJob, column: str) -> str:
        """Return what the accounting holds of a job, such as its sbatch line (SubmitLine)."""
        ((content,),) = self.cluster.accounted(f"--jobs={job.number}", columns=column)
        return content

    def wait_for(self, job: SlurmJob, state: str, seconds: float = 150) -> None:
        """Wait until a training job has a state.

        Raises:
            TimeoutError: It did not come to it.
        """
        until(
            lambda: (job.number, state) in [(found.number, found.state) for found in self.jobs()],
            f"SLURM job {job.number} to be {state}",
            seconds,
        )

    def time_limit(self, job: SlurmJob) -> str:
        """Return a job's time limit, such as 1:00 for a minute."""
        return self.cluster.run(
            "squeue", "--states=all", "--noheader", f"--jobs={job.number}", "--format=%l"
        ).strip()

    def pause(self) -> None:
        """Stop the training's process for a while, as if its storage did not answer."""
        self._signal_training(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a stopped training go on."""
        self._signal_training(signal.SIGCONT)

    def _signal_training(self, number: signal.Signals) -> None:
        for process in self.cluster.processes():
            with suppress(OSError):  # it has ended meanwhile
                if b"train_model.py" in Path(f"/proc/{process}/cmdline").read_bytes():
                    os.kill(process, number)

    def unlock(self) -> None:
        """Remove Snakemake's own lock, as its message says."""
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--unlock", *CONFIGURATION],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def training_job(self, epochs: int = 3) -> SlurmJob:
        """Wait until a training has so many epochs behind it, and return its job."""
        until(lambda: self.epochs_done() >= epochs, f"{epochs} epochs", seconds=300)
        return next(job for job in reversed(self.jobs()) if job.state == "RUNNING")

    def epochs_done(self) -> int:
        """Count the epochs behind the newest training state."""
        names = (re.match(r"after-epoch-(\d+)", path.name) for path in self.states())
        return max((int(name[1]) for name in names if name), default=0)

    def states(self) -> list[Path]:
        """List the training states, half-written ones too."""
        return [path for path in (self.folder / "state").rglob("*") if path.is_file()]

    def logged(self) -> str:
        """Return the log of the last training job."""
        return (self.folder / f"logs/{CELL}/train.log").read_text()


def locally(folder: Path, *targets: str) -> None:
    """Make targets in a copy of the workflow without SLURM, as the training job does: one thread.

    A failure fails the test.
    """
    options = ["--cores", "2", "--rerun-triggers", "mtime", "params", "input", "software-env"]
    Workflow(folder).snakemake(*targets, *CONFIGURATION, *TRAINS_ON_ONE_THREAD, *options)
