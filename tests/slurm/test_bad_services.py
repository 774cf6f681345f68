"""Bad days of what stands around a job: Snakemake, the controller, the accounting, a wrong profile.

Each ends with the weights and metrics of an undisturbed run, or with an error that says what is
wrong; and with nothing left lying about.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from slurm.runs import CELL, ON_AN_A100, DisturbedRun
from slurm.verdict import assert_as_undisturbed

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]


def test_a_restart_never_trains_beside_the_job_that_outlived_snakemake(
    run: DisturbedRun, undisturbed: Path
) -> None:
    """The second job names the first and ends; once the first is done, nothing is done twice."""
    run.start()
    first = run.training_job()
    run.pause()  # or it would be done too soon
    run.kill()
    run.start("--retries", "0")
    assert run.finish() != 0
    assert "--unlock" in run.output  # Snakemake's own lock, which its killed predecessor left

    run.unlock()
    run.start("--retries", "0")
    assert run.finish() != 0
    assert f"SLURM job {first.number}" in run.output
    assert f"scancel {first.number}" in run.output
    run.go_on()
    run.wait_for(first, "COMPLETED")

    run.start()
    assert run.finish() == 0, run.output
    assert [job.state for job in run.jobs()] == ["COMPLETED", "FAILED"]
    assert "resuming" not in run.logged()
    assert_as_undisturbed(run, undisturbed)


def test_a_lease_whose_job_is_gone_is_taken_over(run: DisturbedRun, undisturbed: Path) -> None:
    """Snakemake and its job are both killed: the next start resumes, past locks and leftovers."""
    run.start()
    job = run.training_job()
    run.kill()
    run.cluster.kill(job.node)  # no time to tidy up: its lease stays, and half a file of weights
    run.cluster.run("scancel", job.number)
    leftover = run.folder / f"results/{CELL}/.model.abcdefgh.safetensors"
    leftover.parent.mkdir(parents=True, exist_ok=True)
    leftover.write_bytes(bytes(1000))
    assert (run.folder / f"state/{CELL}/lease.json").exists()

    run.unlock()
    run.start()
    assert run.finish() == 0, run.output
    log = run.logged()
    assert f"taking over the training state of SLURM job {job.number}" in log
    assert "resuming after epoch" in log
    assert_as_undisturbed(run, undisturbed)


def test_a_restart_of_the_controller_disturbs_nothing(run: DisturbedRun, undisturbed: Path) -> None:
    """Snakemake's questions fail for a while; the job runs on and is found again."""
    run.start()
    job = run.training_job()
    run.cluster.kill("slurmctld")
    time.sleep(20)  # long enough for a question to fail
    run.cluster.bring_back("slurmctld")
    assert run.finish() == 0, run.output
    assert [(again.number, again.state) for again in run.jobs()] == [(job.number, "COMPLETED")]
    assert "resuming" not in run.logged()
    assert_as_undisturbed(run, undisturbed)


def test_nothing_needs_the_accounting_database(run: DisturbedRun, undisturbed: Path) -> None:
    """It is away from before the submission until after the end; the controller knows enough."""
    run.cluster.kill("slurmdbd")
    run.cluster.kill("mariadbd")
    run.start()
    assert run.finish() == 0, run.output
    assert [job.state for job in run.jobs()] == ["COMPLETED"]
    assert_as_undisturbed(run, undisturbed)


def test_a_partition_that_does_not_exist_is_named(run: DisturbedRun) -> None:
    """Nothing is submitted, and the message repeats what the profile says."""
    run.start(train_on_cpu=ON_AN_A100 | {"slurm_partition": "a1000"})
    assert run.finish() != 0
    assert "invalid partition specified: a1000" in run.output
    assert run.jobs() == []
    assert run.states() == []


def test_a_refused_account_is_named(run: DisturbedRun) -> None:
    """Nothing is submitted, and the message says which accounts there are."""
    run.start(account="nobody")
    assert run.finish() != 0
    assert "nobody" in run.output
    assert "pairdx" in run.output
    assert run.jobs() == []
