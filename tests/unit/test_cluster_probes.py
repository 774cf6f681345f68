"""How the cluster check looks at a machine: storage, locks, software, hosts, SLURM's answers."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pairdx.cluster.network import hosts_reached
from pairdx.cluster.slurm import granted, megabytes, minutes, own_job, partitions, waiting
from pairdx.cluster.software import environment
from pairdx.cluster.storage import (
    SECONDS_TO_APPEAR,
    folder_state,
    held_elsewhere,
    holding,
    leave_token,
    lock_state,
    token_of,
    tokens_seen,
)
from pairdx.cluster.watch import Watched, watch
from pairdx.programs import Answer, ask

REPOSITORY = Path(__file__).parents[2]
JOB = (
    "JobId=12 JobName=x Account=lab QOS=normal JobState=RUNNING Reason=None TimeLimit=1-02:00:00 "
    "SubmitTime=2030-01-01T12:00:00 StartTime=2030-01-01T12:01:30 Partition=a100 NodeList=gpu1 "
    "NumCPUs=2 ReqTRES=cpu=2,mem=4000M AllocTRES=cpu=2,mem=3.5G,gres/gpu=1,gres/gpu:a100=1\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-00:00:00", 1440.0),
        ("2:30:00", 150.0),
        ("30:30", 30.5),
        ("infinite", None),
        ("n/a", None),
    ],
)
def test_time_limits_are_read_in_minutes(text: str, expected: float | None) -> None:
    """A limit that is misread would pass jobs that wait for ever."""
    assert minutes(text) == expected


def test_memory_is_read_in_megabytes() -> None:
    """SLURM writes the same memory in several units."""
    assert [megabytes(text) for text in ("500M", "1.5G", "2T", "512K", "?")] == [
        *(500, 1536, 2 * 1024 * 1024, 0.5, None)
    ]


def test_what_scontrol_says_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was granted, not what was asked for, is what the report shows."""
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.delenv("SLURMD_NODENAME", raising=False)
    job = own_job(lambda _: Answer(JOB, ""))
    assert job is not None
    shown = {key: job[key] for key in ("node", "memory_mb", "gpus", "limit_minutes")}
    assert shown == {
        "node": "gpu1",
        "memory_mb": 3584.0,
        "gpus": "gres/gpu=1,gres/gpu:a100=1",
        "limit_minutes": 1560.0,
    }
    assert (job["processors"], job["waited_seconds"], job["error"]) == (2, 90.0, None)
    silent = own_job(lambda _: Answer("", "scontrol is not installed here"))
    assert silent is not None
    assert silent["job"] == "12"
    assert silent["error"] == "scontrol is not installed here"
    assert granted("") == {}


def test_a_process_outside_slurm_has_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a laptop the check says that nothing was learned about a cluster."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert own_job(lambda _: Answer(JOB, "")) is None


def test_partitions_and_waiting_jobs_are_read_line_by_line() -> None:
    """A partition with two kinds of nodes has two entries; lines of another shape are passed by."""
    text = "cpu*|1-00:00:00|32|128000|(null)\ncpu*|1-00:00:00|64|256000+|(null)\nodd\n"
    text += "a100|infinite|64|512000|gpu:a100:4(S:0-1)\n"
    found, error = partitions(lambda _: Answer(text, ""))
    assert error == ""
    assert [(one.name, one.default, one.limit_minutes) for one in found] == [
        *(("cpu", True, 1440.0), ("cpu", True, 1440.0), ("a100", False, None))
    ]
    assert [one.memory_mb for one in found] == [128000, 256000, 512000]
    assert [one.gres for one in found] == ["", "", "gpu:a100:4(S:0-1)"]
    queue = "5|PENDING|(Priority)|rule_check_gpu_node_wildcards_T1\n6|RUNNING|None|other\n"
    jobs = waiting("T1", lambda _: Answer(queue, ""))
    assert jobs is not None
    assert [(job["job"], job["reason"]) for job in jobs] == [("5", "(Priority)")]
    assert waiting("T1", lambda _: Answer("", "no answer")) is None


def test_a_program_that_fails_hangs_or_is_missing_is_an_answer() -> None:
    """The check goes on whatever a node lacks, and says what it was."""
    assert ask(["no-such-program-here"]).error == "no-such-program-here is not installed here"
    failed = ask([sys.executable, "-c", "import sys; sys.exit('broken')"])
    assert failed.error.endswith("failed with status 1: broken")
    assert "0.2 s" in ask([sys.executable, "-c", "import time; time.sleep(9)"], 0.2).error
    assert ask([sys.executable, "-c", "print(1)"]) == Answer("1\n", "")


def test_a_folder_is_made_written_to_and_left_empty(tmp_path: Path) -> None:
    """Where nothing can be written the reason is told; nothing of the check stays behind."""
    state = folder_state(tmp_path / "new")
    assert state["error"] == ""
    assert state["free_bytes"] > 0
    assert abs(state["clock_seconds"]) < 5
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert folder_state(tmp_path / "file" / "below")["error"] == "Not a directory"


def test_a_file_of_another_machine_is_awaited_and_its_lag_is_told(tmp_path: Path) -> None:
    """A file that comes late is seen after that time, however fast or slow this machine is."""
    left_at = []

    def leave_late() -> None:
        left_at.append(time.monotonic())
        leave_token(tmp_path, "cpu")

    timer = threading.Timer(0.3, leave_late)
    timer.start()
    asked_at = time.monotonic()
    seen = tokens_seen({"cpu": str(token_of(tmp_path, "cpu"))}, seconds=600)["cpu"]
    ended_at = time.monotonic()
    timer.join()
    assert seen is not None
    rounding = 0.05  # lags are told in tenths of a second
    assert left_at[0] - asked_at - rounding <= seen <= ended_at - asked_at + rounding


def test_half_a_file_and_none_are_not_seen(tmp_path: Path) -> None:
    """After the longest wait, and without holding up what is there."""
    (tmp_path / "half.token").write_text("ha", encoding="utf-8")
    leave_token(tmp_path, "cpu")
    tokens = {name: str(token_of(tmp_path, name)) for name in ("cpu", "half", "gone")}
    seen = tokens_seen(tokens, seconds=0)
    assert (seen["half"], seen["gone"]) == (None, None)
    assert seen["cpu"] is not None


def test_locks_are_tried_and_a_foreign_lock_is_seen(tmp_path: Path) -> None:
    """The lease on a training state rests on locks: here they work, and end with the block."""
    assert lock_state(tmp_path) == ""
    held = tmp_path / "shared" / "held.lock"
    assert held_elsewhere(held) is None
    with holding(held):
        assert held_elsewhere(held) is True
    assert held_elsewhere(held) is None
    held.write_text("nobody holds this", encoding="utf-8")
    assert held_elsewhere(held) is False
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert lock_state(tmp_path / "file" / "below") == "Not a directory"


def test_versions_are_compared_with_all_that_the_lock_file_allows(tmp_path: Path) -> None:
    """A package may be locked once per Python; missing ones and others are named."""
    pins, lock = tmp_path / "env.yaml", tmp_path / "requirements.lock"
    pytest_version = pytest.__version__
    pins.write_text(
        "  - pip:\n      - pytest==0.1\n      - ruff==0.0.1\n      - nowhere==1.0\n",
        encoding="utf-8",
    )
    lock.write_text(
        f"pytest=={pytest_version} ; python_version < '3.12' \\\n    --hash=x\n", encoding="utf-8"
    )
    found = environment(pins, lock)
    assert found["missing"] == ["nowhere"]
    assert list(found["different"]) == ["ruff"]
    assert found["different"]["ruff"][1] == "0.0.1"
    assert found["packages"] == 3


@contextmanager
def server() -> Iterator[str]:
    """Serve nothing but errors on a port of this machine; give the address."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_host_that_answers_anything_is_reached() -> None:
    """An error page is an answer; a closed port and another scheme are not."""
    with server() as address:
        host = address.removeprefix("http://")
        found = hosts_reached([f"{address}/a", f"{address}/b", "ftp://files.invalid/x"])
        assert found[host] == ""
        assert found["files.invalid"] == "not an http or https address"
    assert "refused" in hosts_reached([address])[host].lower()


class Queue:
    """A clock that only sleeping moves, and a queue with one entry per look."""

    def __init__(self, *looks: tuple[str, str] | None) -> None:
        self.now = 0.0
        self.looks = list(looks)

    def look(self, _: str) -> list[dict[str, str]]:
        """List the jobs in the queue."""
        entry = self.looks.pop(0) if self.looks else None
        if entry is None:
            return []
        state, reason = entry
        return [{"job": "5", "state": state, "reason": reason, "comment": "rule_check_gpu_node_T"}]

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def watched(self, job: Watched) -> str:
        """Watch a job to its end; give the reasons that were seen."""
        found = watch("T", [job], look=self.look, pause=self.pause, clock=lambda: self.now)
        return found["check_gpu_node"]


def test_a_waiting_jobs_reasons_are_told_once_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A job that cannot be scheduled does not hang silently; a gone one is not waited for."""
    job = Watched("check_gpu_node", tmp_path / "gpu.json", tmp_path / "gpu.token")
    pending = [("PENDING", "Priority")] * 3 + [("PENDING", "PartitionTimeLimit")] * 2
    queue = Queue(*pending, ("RUNNING", "None"))
    with caplog.at_level("INFO", logger="pairdx"):
        assert queue.watched(job) == "Priority, PartitionTimeLimit"
    assert len(caplog.messages) == 2
    assert "other jobs come first" in caplog.messages[0]
    assert "this may never end" in caplog.messages[1]
    assert 60 < queue.now < 100


def test_the_watch_ends_with_the_facts_and_waits_for_a_job_of_this_machine(tmp_path: Path) -> None:
    """Without SLURM no queue names the job: the token that it left tells that it runs."""
    job = Watched("check_gpu_node", tmp_path / "gpu.json", tmp_path / "gpu.token")
    job.token.write_text("gpu\n", encoding="utf-8")
    patient = Queue()
    assert patient.watched(job) == ""
    assert patient.now > 250
    job.facts.write_text("{}", encoding="utf-8")
    done = Queue()
    assert done.watched(job) == ""
    assert done.now == 0


def test_the_check_needs_the_standard_library_only(tmp_path: Path) -> None:
    """Missing packages are findings, not a traceback: here no package is installed at all."""
    code = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY / "workflow/scripts")!r})
from pairdx.cluster.node import Task, examine
from pairdx.files import write_json
from pairdx.logs import job_log
task = Task(
    place="cpu", threads=1, pins=Path({str(REPOSITORY / "envs/learning.yaml")!r}),
    lock=Path({str(REPOSITORY / "requirements.lock")!r}), torch=True, folders=["results"],
    state=Path("state"), shared=Path("state/shared"), login=None, beside=["gpu"], held=None,
    files={{"key": ["nowhere"]}}, addresses=[])
with job_log("job.log"):
    write_json("facts.json", examine(task))
"""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < SECONDS_TO_APPEAR  # nobody's file was waited for
    found = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert "torch" in found["environment"]["missing"]
    assert found["torch"] is None
    assert found["files"] == {"key": ["nowhere"]}
    assert (tmp_path / "state/shared/cpu.token").read_text(encoding="utf-8") == "cpu\n"
