"""Bad days of what stands around a job: Snakemake, the controller, the accounting, a wrong profile.

Each ends with the weights of an undisturbed training, or with an error that says what is wrong; and
with nothing left lying about.
"""

from __future__ import annotations

import re
import time

import pytest

from slurm.runs import ON_AN_A100, DisturbedRun, cell
from slurm.verdict import assert_as_undisturbed, assert_done_and_evaluated_as_undisturbed

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]


def test_a_killed_snakemake_is_started_again_beside_its_jobs(run: DisturbedRun) -> None:
    """One of its jobs lives on: nobody trains beside it. One is gone: its training is resumed.

    The first start finds Snakemake's own lock. The second one's job ends with an error that names
    the living job. Once that is done, nothing is done twice.
    """
    living, gone = "outliving_snakemake", "abandoned"
    run.start(living, gone)
    outliving, abandoned = run.hold(living, gone)
    run.kill()
    run.cluster.kill(abandoned.node)  # no time to tidy up: its lease stays, and half a file
    run.cluster.run("scancel", abandoned.number)
    leftover = run.folder / f"results/{cell(gone)}/.model.abcdefgh.safetensors"
    leftover.parent.mkdir(parents=True, exist_ok=True)
    leftover.write_bytes(bytes(1000))
    assert (run.folder / f"state/{cell(gone)}/lease.json").exists()

    run.start(living, gone, retries=0)
    assert run.finish() != 0
    assert "--unlock" in run.output
    run.unlock()

    run.start(living, gone, retries=0)
    assert run.finish() != 0
    assert f"SLURM job {outliving.number}" in run.output
    assert f"scancel {outliving.number}" in run.output
    log = run.logged(gone)
    assert f"taking over the training state of SLURM job {abandoned.number}" in log
    assert "resuming after epoch" in log
    assert_as_undisturbed(run, gone)

    run.let_go_on(outliving)
    run.wait_for(living, "COMPLETED", "FAILED")
    run.start(living, gone)
    assert run.finish() == 0, run.output
    assert run.states_of_jobs(living) == ["COMPLETED", "FAILED"]
    assert "resuming" not in run.logged(living)
    assert_as_undisturbed(run, living)
    assert_done_and_evaluated_as_undisturbed(run, gone, living)


def test_a_restart_of_the_controller_disturbs_nothing(run: DisturbedRun) -> None:
    """Snakemake's questions fail for a while; the job runs on and is found again."""
    run.start("without_controller")
    (job,) = run.hold("without_controller")
    run.cluster.kill("slurmctld")
    time.sleep(3)  # by then Snakemake has asked
    with pytest.raises(RuntimeError, match="Unable to contact slurm controller"):
        run.cluster.run("squeue")  # who asks later is answered later
    run.cluster.bring_back("slurmctld")
    run.let_go_on(job)
    assert run.finish() == 0, run.output
    (after,) = run.jobs("without_controller")
    assert (after.number, after.state) == (job.number, "COMPLETED")
    assert "resuming" not in run.logged("without_controller")
    assert_as_undisturbed(run, "without_controller")


def test_nothing_needs_the_accounting_database(run: DisturbedRun) -> None:
    """It is away from before the submission until after the end; the controller knows enough."""
    run.cluster.kill("slurmdbd")
    run.cluster.kill("mariadbd")
    run.start("without_accounting")
    assert run.finish() == 0, run.output
    assert run.states_of_jobs("without_accounting") == ["COMPLETED"]
    assert_as_undisturbed(run, "without_accounting")


def test_a_partition_and_an_account_that_do_not_exist_are_named(run: DisturbedRun) -> None:
    """Nothing is submitted; messages repeat what the profile says, and list the accounts."""
    wrong = ON_AN_A100 | {
        "slurm_partition": "'a1000' if wildcards.system == 'on_no_partition' else 'a100'",
        "slurm_account": "'nobody' if wildcards.system == 'on_no_account' else 'pairdx'",
    }
    run.start("on_no_partition", "on_no_account", train_on_cpu=wrong)
    assert run.finish() != 0
    assert "invalid partition specified: a1000" in run.output
    assert re.search(r"account nobody appears to be invalid.*\n.*pairdx", run.output)
    for system in ("on_no_partition", "on_no_account"):
        assert run.jobs(system) == []
        assert run.states(system) == []
