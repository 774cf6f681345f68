"""Two jobs never work on one training state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pairdx.errors import PairDxError
from pairdx.training import lease as leases
from pairdx.training.lease import lease

SCRIPTS = Path(leases.__file__).parents[2]
HOLD = "import sys, time; from pathlib import Path; from pairdx.training.lease import lease\n"
HOLD += "with lease(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"


@pytest.fixture
def other_process(tmp_path):
    """Another process that holds the lease on the folder ``state``."""
    running = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "state")],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert running.stdout.readline() == "held\n"
    yield running
    running.kill()
    running.wait()


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Put a program in place of squeue that answers as the test says, and log what it is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def answer(*states: str, error: str = "") -> None:
        script = folder / "squeue"
        lines = "\n".join(
            f'[ "$n" = {turn} ] && echo {state} && exit 0' for turn, state in enumerate(states)
        )
        script.write_text(
            f"#!/bin/sh\nn=$(cat {folder}/n); echo $((n + 1)) > {folder}/n\n{lines}\n"
            f'echo "{error}" >&2; exit {1 if error else 0}\n',
            encoding="utf-8",
        )
        (folder / "n").write_text("0", encoding="utf-8")
        script.chmod(0o755)

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return answer


def left_by(folder: Path, **holder: object) -> Path:
    """A state folder with the lease of a job that did not remove it."""
    state = folder / "state"
    state.mkdir()
    (state / leases.FILE).write_text(json.dumps(holder), encoding="utf-8")
    return state


def test_a_lease_names_its_holder_and_goes_with_the_block(tmp_path, monkeypatch):
    """The file says who trains here: SLURM job, host, process."""
    monkeypatch.setenv("SLURM_JOB_ID", "41")
    with lease(tmp_path / "state"):
        holder = json.loads((tmp_path / "state" / leases.FILE).read_text(encoding="utf-8"))
        assert holder["slurm_job_id"] == "41"
        assert holder["process"] == os.getpid()
    assert not (tmp_path / "state" / leases.FILE).exists()


def test_a_second_process_is_refused_and_told_whom_to_wait_for(tmp_path, other_process):
    """The error names the process, and how to end it."""
    with (
        pytest.raises(PairDxError, match=rf"process {other_process.pid}[\s\S]*kill"),
        lease(tmp_path / "state"),
    ):
        pytest.fail("two processes hold one lease")


def test_the_lease_of_a_killed_process_is_taken_over(tmp_path, other_process):
    """SIGKILL leaves the file; the operating system's lock is gone, and that decides."""
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert (tmp_path / "state" / leases.FILE).exists()
    with lease(tmp_path / "state"):
        pass


def test_a_slurm_job_that_runs_keeps_its_lease(tmp_path, squeue):
    """Locks may not reach other nodes: SLURM is asked, and the error says what to cancel."""
    squeue("RUNNING")
    with (
        pytest.raises(PairDxError, match=r"SLURM job 17 \(running\)[\s\S]*scancel 17"),
        lease(left_by(tmp_path, slurm_job_id="17")),
    ):
        pytest.fail("taken from a running job")


@pytest.mark.parametrize("answer", [("TIMEOUT",), ("CANCELLED",), ("NODE_FAIL",), ()])
def test_the_lease_of_a_slurm_job_that_is_gone_is_taken_over(tmp_path, squeue, answer):
    """Ended in whatever way, or no longer listed."""
    squeue(*answer)
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_job_that_slurm_no_longer_knows_is_gone(tmp_path, squeue):
    """What squeue says about a job that ended long ago."""
    squeue(error="slurm_load_jobs error: Invalid job id specified")
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_requeued_job_takes_back_its_own_lease(tmp_path, squeue, monkeypatch):
    """SLURM starts a requeued job again under its number."""
    squeue("RUNNING")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_job_that_is_just_ending_is_waited_for(tmp_path, squeue, monkeypatch):
    """COMPLETING: it may still write; the lease is free when it has ended."""
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_LOOKS", 0.01)
    squeue("COMPLETING", "COMPLETING", "TIMEOUT")
    with lease(left_by(tmp_path, slurm_job_id="17")):
        assert (tmp_path / "bin/n").read_text(encoding="utf-8").strip() == "3"


def test_a_silent_slurm_is_no_reason_to_take_a_lease(tmp_path, squeue):
    """The controller is away: better an error than two jobs on one state."""
    squeue(error="Unable to contact slurm controller")
    with (
        pytest.raises(PairDxError, match="does not say whether"),
        lease(left_by(tmp_path, slurm_job_id="17")),
    ):
        pytest.fail("taken without knowing")


def test_a_damaged_lease_file_does_not_lock_the_state_forever(tmp_path):
    """Half a file, left by a full disk, names nobody."""
    state = tmp_path / "state"
    state.mkdir()
    (state / leases.FILE).write_text('{"slurm_job_', encoding="utf-8")
    with lease(state):
        pass
