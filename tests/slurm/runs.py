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

IMPATIENT_SNAKEMAKE = Path(__file__).with_name("impatient.py")
PROFILE = "profiles/slurm/config.yaml"
# The demo trains on the CPU, and the test cluster's GPUs are counted, not real.
ON_AN_A100 = {"gpu": 1, "gpu_model": "a100", "slurm_partition": "a100"}
ON_A_NODE_OF_ITS_OWN = ON_AN_A100 | {"slurm_extra": "'--exclusive'"}

# One network under several names, each for what befalls it; an epoch takes half a second of CPU.
EPOCHS = 6
UNDISTURBED = "undisturbed"
SYSTEMS = (
    UNDISTURBED,
    *("on_a_dying_node", "preempted", "cancelled", "short_of_memory", "short_of_time"),
    *("outliving_snakemake", "abandoned", "without_controller", "without_accounting"),
    *("on_a_full_disk", "as_gpu", "as_gres", "on_no_partition", "on_no_account"),
)
DATASET = "drawn"
SMALL = {
    "source": {"cases": 80, "archives": ["PMC1", "PMC2"]},
    "curation": {"balance": {"total": 240}},
}
CONFIGURATION = ("--configfile", "config/demo.yaml", "tiny.yaml")
ON_ONE_THREAD = ("--set-threads", "train_on_cpu=1", "predict=1")


def write_tiny_configuration(folder: Path) -> None:
    """Write tiny.yaml: a small corpus, and the paper's reading of PairDxCLIP's loss, many times."""
    entry = {"like": "pairdx_clip", "settings": {"objective": "contrastive", "epochs": EPOCHS}}
    overlay = {
        # A state after every epoch: trainings are stopped behind one, and take seconds.
        "training": {"checkpoint_minutes": None},
        "datasets": {DATASET: SMALL},
        "systems": dict.fromkeys(SYSTEMS, entry),
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")


def cell(system: str) -> str:
    """Where a system's files lie below results/, logs/ and state/."""
    return f"demo/{DATASET}/stratified/{system}/seed1"


def weights(system: str) -> str:
    """Return the path of a system's weights: a target of Snakemake."""
    return f"results/{cell(system)}/model.safetensors"


def metrics(system: str) -> str:
    """Return the path of a system's metrics: a target of Snakemake."""
    return f"results/{cell(system)}/metrics.json"


def adapt_profile(
    folder: Path, resources: Mapping[str, Mapping[str, Any]], account: str | None = ACCOUNT
) -> None:
    """Edit the profile in a copy of the workflow, as its user would for the test cluster.

    Args:
        folder: The copy.
        resources: By rule, what ``set-resources`` holds in place of what stands there.
        account: What is charged, or None for the line as it is.
    """
    path = folder / PROFILE
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    if account:
        profile["default-resources"]["slurm_account"] = account
    profile["set-resources"] |= resources
    path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")


def snakemake_command(*arguments: str) -> list[str]:
    """Return the command that runs Snakemake, with short waits between its questions to SLURM."""
    return [sys.executable, "-P", str(IMPATIENT_SNAKEMAKE), *arguments]


def snakemake_environment(cluster: SlurmCluster, folder: Path) -> dict[str, str]:
    """Return the environment in which Snakemake in a copy of the workflow finds the cluster.

    The cluster counts more CPUs than the machine has: threads that find none free sleep, instead of
    taking from others what little there is.
    """
    own = {"XDG_CACHE_HOME": str(folder / ".cache"), "OMP_WAIT_POLICY": "PASSIVE"}
    return cluster.environment() | own


def snakemake_on(
    cluster: SlurmCluster, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake to its end in a copy of the workflow, submitting to the test cluster."""
    return subprocess.run(
        snakemake_command(*arguments),
        cwd=folder,
        env=snakemake_environment(cluster, folder),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
    )


def locally(folder: Path, *targets: str) -> str:
    """Make targets in a copy of the workflow without SLURM, and return what Snakemake printed.

    A failure fails the test. Networks are trained on one thread, as in a :class:`DisturbedRun`.
    """
    options = ["--cores", "2", "--rerun-triggers", "mtime", "params", "input", "software-env"]
    return Workflow(folder).snakemake(*targets, *CONFIGURATION, *ON_ONE_THREAD, *options)


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

    def start(self, *systems: str, retries: int = 2, **resources: Mapping[str, Any]) -> None:
        """Ask for the trained weights of systems through profiles/slurm, in the background.

        Args:
            systems: Some of the above.
            retries: How often Snakemake submits a job again; 2 as in the profile.
            resources: See :func:`adapt_profile`. By default a training has a node of its own.
        """
        shutil.copy2(REPOSITORY / PROFILE, self.folder / PROFILE)
        adapt_profile(self.folder, {"train_on_cpu": ON_A_NODE_OF_ITS_OWN} | resources)
        arguments = [*map(weights, systems), *CONFIGURATION, "--profile", "profiles/slurm"]
        arguments += [*ON_ONE_THREAD, "--retries", str(retries)]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                snakemake_command(*arguments),
                cwd=self.folder,
                env=snakemake_environment(self.cluster, self.folder),
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
        return self._output.read_text(encoding="utf-8")

    def jobs(self, system: str, rule: str = "train_on_cpu") -> list[SlurmJob]:
        """Return the training jobs of a system that SLURM remembers, oldest first."""
        options = ["--states=all", "--noheader", "--sort=i", "--format=%A|%k|%T|%N|%Z"]
        rows = [line.split("|") for line in self.cluster.run("squeue", *options).splitlines()]
        wanted = f"rule_{rule}_wildcards_{DATASET}_stratified_{system}_1", str(self.folder)
        return [
            SlurmJob(number, state, node)
            for number, comment, state, node, place in rows
            if (comment, place) == wanted
        ]

    def states_of_jobs(self, system: str) -> list[str]:
        """Return the states of a system's training jobs, oldest first."""
        return [job.state for job in self.jobs(system)]

    def accounted(self, job: SlurmJob, column: str) -> str:
        """Return what the accounting holds of a job, such as its sbatch line (SubmitLine)."""
        ((content,),) = self.cluster.accounted(f"--jobs={job.number}", columns=column)
        return content

    def wait_for(self, system: str, *states: str, seconds: float = 150) -> None:
        """Wait until the training jobs of a system have these states, oldest first.

        Raises:
            TimeoutError: They did not come to them.
        """
        until(
            lambda: self.states_of_jobs(system) == [*states],
            f"the jobs of {system} to be {', '.join(states)}",
            seconds,
        )

    def time_limits(self, system: str) -> list[str]:
        """Return the time limits of a system's training jobs, such as 4:00:00, oldest first."""
        return [
            self.cluster.run(
                "squeue", "--states=all", "--noheader", f"--jobs={job.number}", "--format=%l"
            ).strip()
            for job in self.jobs(system)
        ]

    def hold(self, *systems: str) -> list[SlurmJob]:
        """Stop every training after its first epochs, as if its storage did not answer.

        Returns:
            Their jobs, in the order of the systems.

        Raises:
            AssertionError: One ended before it could be stopped.
            TimeoutError: One did not come so far.
        """
        held: dict[str, SlurmJob] = {}

        def all_held() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.output[-3000:]
            for system in set(systems) - set(held):
                if self.epochs_done(system):
                    job = self.jobs(system)[-1]
                    assert self._signal(job, signal.SIGSTOP), f"{system} trained to its end: {job}"
                    held[system] = job
            return len(held) == len(systems)

        until(all_held, f"the first epochs of {', '.join(systems)}", seconds=300)
        return [held[system] for system in systems]

    def let_go_on(self, job: SlurmJob) -> None:
        """Let a stopped training go on."""
        self._signal(job, signal.SIGCONT)

    def _signal(self, job: SlurmJob, number: signal.Signals) -> bool:
        """Send a signal to the training's own process; say whether it was there."""
        sent = False
        for process in self.cluster.processes():
            with suppress(OSError):  # it has ended meanwhile
                words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
                variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                its_own = f"SLURM_JOB_ID={job.number}".encode() in variables
                if its_own and any(word.endswith(b".train_model.py") for word in words[1:2]):
                    os.kill(process, number)
                    sent = True
        return sent

    def unlock(self) -> None:
        """Remove Snakemake's own lock, as its message says."""
        locally(self.folder, "--unlock")

    def epochs_done(self, system: str) -> int:
        """Count the epochs behind a system's newest training state."""
        names = (re.match(r"after-epoch-(\d+)", path.name) for path in self.states(system))
        return max((int(name[1]) for name in names if name), default=0)

    def states(self, system: str) -> list[Path]:
        """List a system's training states, half-written ones and leases too."""
        folder = self.folder / "state" / cell(system)
        return sorted(path for path in folder.rglob("*") if path.is_file())

    def logged(self, system: str) -> str:
        """Return the log of a system's last training job."""
        return (self.folder / f"logs/{cell(system)}/train.log").read_text(encoding="utf-8")
