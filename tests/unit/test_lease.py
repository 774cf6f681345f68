"""Two jobs never work on one training state."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pairdx.errors import PairDxError
from pairdx.training.state import lease as leases
from pairdx.training.state.lease import lease

SCRIPTS = Path(leases.__file__).parents[3]
HOLD = "import sys, time; from pathlib import Path; from pairdx.training.state.lease import lease\n"
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


# As SLURM 22.05 answers --Format with these widths, in UTC.
STARTED = "2026-11-28T18:34:42"
SECONDS = 1795890882.0


def line(
    state: str, user_id: int = 0, started: str = STARTED, restarts: int = 0, name: str = "run 1"
) -> str:
    """A job as squeue shows it."""
    return f"{state:30}{user_id:<20}{started:25}{restarts:<15}{name:200}"


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Put a program in place of squeue that answers as the test says, and log what it is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def answer(*lines: str, error: str = "") -> None:
        script = folder / "squeue"
        (folder / "n").write_text("0", encoding="utf-8")
        for turn, text in enumerate(lines):
            (folder / f"answer{turn}").write_text(text + "\n", encoding="utf-8")
        script.write_text(
            f"#!/bin/sh\nn=$(cat {folder}/n); echo $((n + 1)) > {folder}/n\n"
            f"[ -e {folder}/answer$n ] && cat {folder}/answer$n && exit 0\n"
            f'echo "{error}" >&2; exit {1 if error else 0}\n',
            encoding="utf-8",
        )
        script.chmod(0o755)

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for variable in ("SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_UID", "SLURM_CLUSTER_NAME"):
        monkeypatch.delenv(variable, raising=False)
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
    squeue(line("RUNNING"))
    with (
        pytest.raises(PairDxError, match=r"SLURM job 17 \(running\)[\s\S]*scancel 17"),
        lease(left_by(tmp_path, slurm_job_id="17", slurm_job_name="run 1")),
    ):
        pytest.fail("taken from a running job")


@pytest.mark.parametrize("states", [("TIMEOUT",), ("CANCELLED",), ("NODE_FAIL",), ()])
def test_the_lease_of_a_slurm_job_that_is_gone_is_taken_over(tmp_path, squeue, states):
    """Ended in whatever way, or no longer listed."""
    squeue(*map(line, states))
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_job_that_slurm_no_longer_knows_is_gone(tmp_path, squeue):
    """What squeue says about a job that ended long ago."""
    squeue(error="slurm_load_jobs error: Invalid job id specified")
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_requeued_job_takes_back_its_own_lease(tmp_path, squeue, monkeypatch):
    """SLURM starts a requeued job again under its number."""
    squeue(line("RUNNING"))
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with lease(left_by(tmp_path, slurm_job_id="17")):
        pass


def test_a_job_that_is_just_ending_is_waited_for(tmp_path, squeue, monkeypatch):
    """COMPLETING: it may still write; the lease is free when it has ended."""
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_LOOKS", 0.01)
    squeue(*map(line, ("COMPLETING", "COMPLETING", "TIMEOUT")))
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


# What a job of the run "run 1" wrote of itself.
OURS = {
    "slurm_job_id": "17",
    "slurm_user_id": "0",
    "slurm_job_name": "run 1",
    "slurm_started": SECONDS,
    "slurm_restarts": 0,
}


@pytest.mark.parametrize(
    "other",
    [
        line("RUNNING", user_id=1234),
        line("RUNNING", name="run 2"),
        line("RUNNING", name="run"),
        line("RUNNING", started="2027-01-01T00:00:00"),
        line("PENDING", started="N/A"),
        line("COMPLETING", user_id=1234),
    ],
)
def test_a_number_that_is_somebody_elses_by_now_is_nobodys_lease(tmp_path, squeue, other):
    """Another user's job, or another one of the same user: nobody is told to cancel it."""
    squeue(other)
    with lease(left_by(tmp_path, **OURS)):
        pass


@pytest.mark.parametrize(
    "same",
    [
        line("RUNNING"),
        line("PENDING", started="N/A", restarts=1),
        line("RUNNING", started="2026-11-28T19:00:00", restarts=2),
    ],
)
def test_a_job_is_the_same_when_slurm_puts_it_back_into_the_queue(tmp_path, squeue, same):
    """It starts later, and was restarted more often."""
    squeue(same)
    with pytest.raises(PairDxError, match="scancel 17"), lease(left_by(tmp_path, **OURS)):
        pytest.fail("taken from a job that will go on")


def test_a_job_describes_itself_as_squeue_will_describe_it(tmp_path, squeue, monkeypatch):
    """So that it can be recognised, wherever clocks and time zones differ."""
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("TZ", "America/New_York")
    squeue(line("RUNNING", user_id=1234, restarts=3))
    with lease(tmp_path / "state"):
        holder = json.loads((tmp_path / "state" / leases.FILE).read_text(encoding="utf-8"))
    assert {key: holder[key] for key in OURS} == OURS | {
        "slurm_user_id": "1234",
        "slurm_restarts": 3,
    }


def taken_while_slurm_was_silent(folder: Path, squeue, monkeypatch, **variables: str) -> Path:
    """A state folder with the lease that a job wrote of itself then, and could not remove."""
    with monkeypatch.context() as job:
        for name, value in {"SLURM_JOB_ID": "17", **variables}.items():
            job.setenv(name, value)
        squeue(error="Unable to contact slurm controller")
        with lease(folder / "taken"):
            written = (folder / "taken" / leases.FILE).read_text(encoding="utf-8")
    return left_by(folder, **json.loads(written))


@pytest.mark.parametrize(
    "other", [line("RUNNING", user_id=1234), line("RUNNING", user_id=os.getuid(), name="run 2")]
)
def test_a_lease_that_was_taken_while_slurm_was_silent_knows_its_job_from_others(
    tmp_path, squeue, monkeypatch, other
):
    """Whose it is and its name stand in the job's own environment."""
    state = taken_while_slurm_was_silent(tmp_path, squeue, monkeypatch, SLURM_JOB_NAME="run 1")
    squeue(other)
    with lease(state):
        pass


def test_a_lease_that_was_taken_while_slurm_was_silent_keeps_its_own_job(
    tmp_path, squeue, monkeypatch
):
    """A container may give the user another number than SLURM has."""
    state = taken_while_slurm_was_silent(
        tmp_path, squeue, monkeypatch, SLURM_JOB_NAME="run 1", SLURM_JOB_UID="1234"
    )
    squeue(line("RUNNING", user_id=1234))
    with pytest.raises(PairDxError, match="scancel 17"), lease(state):
        pytest.fail("taken from a running job")


@pytest.mark.parametrize("answer", [line("RUNNING", user_id=1234), line("COMPLETING")])
def test_a_job_of_which_only_the_number_is_known_is_nobodys_to_cancel(
    tmp_path, squeue, monkeypatch, answer
):
    """The number may be somebody else's by now: to look at it first is what is advised."""
    monkeypatch.setattr(leases, "SECONDS_TO_END", 0)
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_LOOKS", 0.01)
    squeue(*[answer] * 9)
    with (
        pytest.raises(PairDxError, match=r"does not say enough[\s\S]*show job 17") as caught,
        lease(left_by(tmp_path, slurm_job_id="17", user="root", since="2026-11-27T10:00:00")),
    ):
        pytest.fail("taken from what may be a running job")
    assert "scancel" not in str(caught.value)


@pytest.mark.usefixtures("other_process")
def test_a_held_file_with_a_number_of_another_cluster_advises_no_scancel_here(
    tmp_path, squeue, monkeypatch
):
    """Here the number is another job's."""
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "here")
    squeue()
    written = json.dumps(OURS | {"slurm_cluster": "there"})
    (tmp_path / "state" / leases.FILE).write_text(written, encoding="utf-8")
    with (
        pytest.raises(PairDxError, match="17 of the cluster there is training") as caught,
        lease(tmp_path / "state"),
    ):
        pytest.fail("two processes hold one lease")
    assert "scancel" not in str(caught.value)


def test_a_job_of_another_cluster_is_not_looked_for_here(tmp_path, squeue, monkeypatch):
    """Its number may be anybody's here; and it may still run there."""
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "here")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    squeue(line("CANCELLED"))
    with (
        pytest.raises(PairDxError, match=r"17 of the cluster there[\s\S]*cluster there") as caught,
        lease(left_by(tmp_path, **OURS, slurm_cluster="there")),
    ):
        pytest.fail("taken from a job of another cluster")
    assert "scancel" not in str(caught.value)


def test_another_users_job_is_not_ours_to_cancel(tmp_path, squeue):
    """It is named, with its user."""
    squeue(line("RUNNING", user_id=1234))
    with (
        pytest.raises(PairDxError, match=r"of the user anna, is[\s\S]*only that user can"),
        lease(left_by(tmp_path, **OURS | {"slurm_user_id": "1234"}, user="anna")),
    ):
        pytest.fail("taken from a running job")


@pytest.mark.usefixtures("other_process")
@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (OURS, line("RUNNING", user_id=1234)),
        (OURS, line("TIMEOUT")),
        ({"slurm_job_id": "17"}, line("RUNNING", user_id=1234)),
        ({"slurm_job_id": "17"}, line("RUNNING")),
        ({"host": platform.node(), "process": 2**22 + 1}, ""),
        ({"host": platform.node(), "process": 1, "process_started": -1}, ""),
        ({"host": platform.node(), "process": 1}, ""),
    ],
)
def test_what_a_held_file_still_says_of_a_holder_that_is_gone_is_not_advised(
    tmp_path, squeue, written, answer
):
    """One that has just got the lock has not written its own name yet."""
    squeue(*filter(None, [answer]))
    (tmp_path / "state" / leases.FILE).write_text(json.dumps(written), encoding="utf-8")
    with (
        pytest.raises(PairDxError, match="another process is training") as caught,
        lease(tmp_path / "state"),
    ):
        pytest.fail("two processes hold one lease")
    assert "scancel" not in str(caught.value)
    assert "kill" not in str(caught.value)


def test_a_full_disk_under_a_lease_names_the_file(tmp_path, monkeypatch):
    """What is written there is small, and still the disk may be full."""
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(os, "pwrite", lambda _, content, __: os.write(full, content))
    with (
        pytest.raises(PairDxError, match=rf"no room left[\s\S]*{leases.FILE}"),
        lease(tmp_path / "state"),
    ):
        pytest.fail("the lease is held")


def test_a_folder_in_place_of_a_lease_is_named(tmp_path):
    """Nothing can be locked there: what stands in the way is said."""
    from pairdx.storage_errors import storage_error

    (tmp_path / "state" / leases.FILE).mkdir(parents=True)
    with pytest.raises(IsADirectoryError) as caught, lease(tmp_path / "state"):
        pytest.fail("the lease is held")
    assert str(tmp_path / "state" / leases.FILE) in str(storage_error(caught.value))
