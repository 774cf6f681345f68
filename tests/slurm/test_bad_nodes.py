"""Bad days of training jobs: a node dies, others come first, time or memory runs out.

All in one run of Snakemake, one training for each. Each ends with the weights of an undisturbed
training, and with nothing left lying about.
"""

from __future__ import annotations

import pytest

from slurm.runs import ON_A_NODE_OF_ITS_OWN, DisturbedRun, SlurmJob
from slurm.verdict import assert_as_undisturbed, assert_done_and_evaluated_as_undisturbed

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long, pytest.mark.xdist_group("bad nodes")]

SYSTEMS = ("on_a_dying_node", "preempted", "cancelled", "short_of_time", "short_of_memory")
RESOURCES = ON_A_NODE_OF_ITS_OWN | {
    "slurm_partition": "'a100-preempt' if wildcards.system == 'preempted' else 'a100'",
    "mem_mb": "600 * attempt ** 3 if wildcards.system == 'short_of_memory' else 16000",
}


@pytest.fixture(scope="module")
def bad_day(shared_run: DisturbedRun) -> dict[str, SlurmJob]:
    """Disturb the trainings, and wait for Snakemake's end; return the jobs that were disturbed."""
    run, cluster = shared_run, shared_run.cluster
    run.start(*SYSTEMS, train_on_cpu=RESOURCES)
    jobs = dict(zip(SYSTEMS, run.hold(*SYSTEMS[:4]), strict=False))
    # SLURM counts minutes, and a training takes seconds: this one stays held until its time is up.
    cluster.run("scontrol", "update", f"job={jobs['short_of_time'].number}", "timelimit=1")
    cluster.kill(jobs["on_a_dying_node"].node)
    cluster.run("scancel", jobs["cancelled"].number)
    paying = ["--partition=a100", "--exclusive", f"--nodelist={jobs['preempted'].node}"]
    cluster.run("sbatch", *paying, "--output=/dev/null", "--wrap=sleep 2")
    assert run.finish() == 0, run.output
    return jobs


def test_training_goes_on_when_its_node_goes_down(
    shared_run: DisturbedRun, bad_day: dict[str, SlurmJob]
) -> None:
    """SLURM requeues the job; it resumes on another node, under the same number, once."""
    first = bad_day["on_a_dying_node"]
    (job,) = shared_run.jobs("on_a_dying_node")
    assert (job.number, job.state) == (first.number, "COMPLETED")
    assert job.node != first.node
    assert "resuming after epoch" in shared_run.logged("on_a_dying_node")
    assert_as_undisturbed(shared_run, "on_a_dying_node")


def test_a_preempted_training_is_requeued_and_goes_on(
    shared_run: DisturbedRun, bad_day: dict[str, SlurmJob]
) -> None:
    """A job of the paying partition takes its node; it comes back under its number and resumes."""
    (job,) = shared_run.jobs("preempted")
    assert (job.number, job.state) == (bad_day["preempted"].number, "COMPLETED")
    assert "resuming after epoch" in shared_run.logged("preempted")
    assert_as_undisturbed(shared_run, "preempted")


def test_a_cancelled_training_is_seen_and_started_again(
    shared_run: DisturbedRun, bad_day: dict[str, SlurmJob]
) -> None:
    """With squeue as status command, Snakemake notices scancel, and its next attempt resumes."""
    job = bad_day["cancelled"]
    assert f"'{job.number}' failed, SLURM status is: 'CANCELLED'" in shared_run.output
    assert shared_run.states_of_jobs("cancelled") == ["CANCELLED", "COMPLETED"]
    assert "resuming after epoch" in shared_run.logged("cancelled")
    assert_as_undisturbed(shared_run, "cancelled")


@pytest.mark.usefixtures("bad_day")
def test_a_training_that_exceeds_its_memory_gets_more(shared_run: DisturbedRun) -> None:
    """SLURM kills it; the next attempt asks for more: mem_mb grows with the attempts."""
    *before, last = shared_run.states_of_jobs("short_of_memory")
    assert before[0] in {"OUT_OF_MEMORY", "CANCELLED", "FAILED"}, before
    assert last == "COMPLETED"
    assert_as_undisturbed(shared_run, "short_of_memory")


@pytest.mark.usefixtures("bad_day")
def test_a_time_limit_is_followed_by_an_attempt_with_more_time(shared_run: DisturbedRun) -> None:
    """The second attempt asks for twice the rule's four hours; it goes on where the first was."""
    assert shared_run.states_of_jobs("short_of_time") == ["TIMEOUT", "COMPLETED"]
    assert shared_run.time_limits("short_of_time") == ["1:00", "8:00:00"]
    assert "resuming after epoch" in shared_run.logged("short_of_time")
    assert_as_undisturbed(shared_run, "short_of_time")


@pytest.mark.usefixtures("bad_day")
def test_after_bad_days_all_is_done_and_evaluated_as_ever(shared_run: DisturbedRun) -> None:
    """Snakemake plans no further training, and the metrics are those of an undisturbed one."""
    assert_done_and_evaluated_as_undisturbed(shared_run, *SYSTEMS)
