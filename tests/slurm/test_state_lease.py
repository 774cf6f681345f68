"""The lease on a training state, asked of a real SLURM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster, until

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
TAKE = "import sys; from pathlib import Path; from pairdx.training.state.lease import lease\n"
HOLD = TAKE + "import time\nwith lease(Path(sys.argv[1])):\n    time.sleep(600)"
TAKE += "with lease(Path(sys.argv[1])):\n    print('taken')"


def taken(cluster: SlurmCluster, state: Path) -> str:
    """Take the lease in a process that is no SLURM job; return what it printed."""
    environment = cluster.environment() | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        [sys.executable, "-c", TAKE, str(state)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
    )
    return done.stdout


def test_a_running_jobs_lease_is_respected_and_a_cancelled_jobs_is_taken_over(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    """The error names the job; after scancel nothing of it stands in the way."""
    state = tmp_path / "state"
    (tmp_path / "hold.py").write_text(HOLD, encoding="utf-8")
    command = f"PYTHONPATH={SCRIPTS} exec {sys.executable} {tmp_path / 'hold.py'} {state}"
    options = ["--parsable", "--output=/dev/null", "--time=5", f"--wrap={command}"]
    job = cluster.run("sbatch", *options).strip()
    lease = state / "lease.json"
    until(
        lambda: lease.exists() and job in lease.read_text(encoding="utf-8"), "the job's lease", 60
    )

    refused = taken(cluster, state)
    assert f"SLURM job {job}" in refused
    assert f"scancel {job}" in refused
    assert "taken" not in refused.split("\n")

    # A file system whose locks do not reach other nodes: only SLURM knows.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lease.json").write_text(lease.read_text(encoding="utf-8"), encoding="utf-8")
    assert f"SLURM job {job} (running)" in taken(cluster, elsewhere)

    cluster.run("scancel", job)
    until(lambda: taken(cluster, elsewhere).endswith("taken\n"), "the lease to be free", 90)
    assert taken(cluster, state).endswith("taken\n")


def test_a_number_that_is_another_jobs_by_now_is_not_advised_to_be_cancelled(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    """By what the real squeue says of a job: user, name and start; put back, it is the same."""
    state = tmp_path / "state"
    (tmp_path / "hold.py").write_text(HOLD, encoding="utf-8")
    command = f"PYTHONPATH={SCRIPTS} exec {sys.executable} {tmp_path / 'hold.py'} {state}"
    options = ["--parsable", "--requeue", "--job-name=a run|of  ours", "--output=/dev/null"]
    job = cluster.run("sbatch", *options, "--time=5", f"--wrap={command}").strip()
    lease = state / "lease.json"
    until(
        lambda: lease.exists() and job in lease.read_text(encoding="utf-8"), "the job's lease", 60
    )
    own = json.loads(lease.read_text(encoding="utf-8"))
    assert own["slurm_job_name"] == "a run|of  ours"
    assert (own["slurm_user_id"], own["slurm_restarts"]) == ("0", 0)

    elsewhere = tmp_path / "elsewhere"  # without the lock of the file above
    elsewhere.mkdir()
    for other in (
        {"slurm_user_id": "1234"},
        {"slurm_job_name": "a run|of  theirs"},
        {"slurm_started": own["slurm_started"] - 86_400},
    ):
        (elsewhere / "lease.json").write_text(json.dumps(own | other), encoding="utf-8")
        said = taken(cluster, elsewhere)
        assert said.endswith("taken\n"), other
        assert "scancel" not in said
    (elsewhere / "lease.json").write_text(json.dumps(own), encoding="utf-8")
    assert f"scancel {job}" in taken(cluster, elsewhere)

    cluster.run("scontrol", "requeue", job)
    # It waits now, and will go on.
    until(lambda: "(pending)" in taken(cluster, elsewhere), "the job to be put back", 60)
    cluster.run("scancel", job)
