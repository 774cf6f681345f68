"""Bad days of a training job: its node dies, others come first, time or memory runs out.

Each ends with the weights and metrics of an undisturbed run, and with nothing left lying about.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from slurm.runs import ON_AN_A100, DisturbedRun
from slurm.verdict import assert_as_undisturbed

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]


def test_training_goes_on_when_its_node_goes_down(run: DisturbedRun, undisturbed: Path) -> None:
    """SLURM requeues the job; it resumes on another node, under the same number, once."""
    run.start()
    job = run.training_job()
    run.cluster.kill(job.node)
    assert run.finish() == 0, run.output
    after = run.jobs()
    assert [(again.number, again.state) for again in after] == [(job.number, "COMPLETED")]
    assert after[0].node != job.node
    assert "resuming after epoch" in run.logged()
    assert_as_undisturbed(run, undisturbed)


def test_a_preempted_training_is_requeued_and_goes_on(run: DisturbedRun, undisturbed: Path) -> None:
    """A job of the paying partition takes its GPU; it comes back and resumes."""
    run.start(train_on_cpu=ON_AN_A100 | {"slurm_partition": "a100-preempt"})
    job = run.training_job()
    paying = ["--partition=a100", "--gpus=2", "--exclusive", f"--nodelist={job.node}"]
    run.cluster.run("sbatch", *paying, "--output=/dev/null", "--wrap=sleep 5")
    run.wait_for(job, "PENDING")
    assert run.finish() == 0, run.output
    assert [(again.number, again.state) for again in run.jobs()] == [(job.number, "COMPLETED")]
    assert "resuming after epoch" in run.logged()
    assert_as_undisturbed(run, undisturbed)


def test_a_cancelled_training_is_seen_and_started_again(
    run: DisturbedRun, undisturbed: Path
) -> None:
    """With squeue as status command, Snakemake notices scancel, and its next attempt resumes."""
    run.start()
    job = run.training_job()
    run.cluster.run("scancel", job.number)
    assert run.finish() == 0, run.output
    assert f"'{job.number}' failed, SLURM status is: 'CANCELLED'" in run.output
    assert [again.state for again in run.jobs()] == ["CANCELLED", "COMPLETED"]
    assert "resuming after epoch" in run.logged()
    assert_as_undisturbed(run, undisturbed)


def test_a_training_that_exceeds_its_memory_gets_more(run: DisturbedRun, undisturbed: Path) -> None:
    """SLURM kills it; the next attempt asks for more, as the rule says: mem_mb grows."""
    run.start(train_on_cpu=ON_AN_A100 | {"mem_mb": "600 * attempt ** 3"})
    assert run.finish() == 0, run.output
    states = [job.state for job in run.jobs()]
    assert states[0] in {"OUT_OF_MEMORY", "CANCELLED", "FAILED"}, states
    assert states[-1] == "COMPLETED"
    assert_as_undisturbed(run, undisturbed)


def test_a_time_limit_is_followed_by_an_attempt_with_more_time(
    run: DisturbedRun, undisturbed: Path
) -> None:
    """The first attempt gets one minute, the second three; it goes on where the first was."""
    run.start(train_on_cpu=ON_AN_A100 | {"runtime": "2 * attempt - 1"})
    first = run.training_job()
    # It would be done within its minute: make it wait, as if its storage did not answer.
    run.pause()
    run.wait_for(first, "TIMEOUT")
    assert run.finish() == 0, run.output
    assert [job.state for job in run.jobs()] == ["TIMEOUT", "COMPLETED"]
    assert [run.time_limit(job) for job in run.jobs()] == ["1:00", "3:00"]
    assert "resuming after epoch" in run.logged()
    assert_as_undisturbed(run, undisturbed)
