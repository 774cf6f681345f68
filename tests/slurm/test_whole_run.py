"""The whole demo through profiles/slurm, from raw archives to the report; what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from slurm.cluster import SlurmCluster
from slurm.runs import adapt_profile, snakemake_on
from slurm.submissions import ASKED_FOR, submitted_jobs
from workflow.conftest import copy_of_workflow, read_plan

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long, pytest.mark.xdist_group("whole run")]

# As the README has it, but with fewer pairs, epochs and systems: every kind of job is there.
DEMO = ("--profile", "profiles/slurm", "--configfile", "config/demo.yaml", "small.yaml")
SMALL = """
demo: {cases: 80, archives: [PMC1, PMC2]}
curation: {balance: {total: 240}}
evaluation: {bootstrap_resamples: 100}
models:
  pairdx_clip: {settings: {epochs: 2}}
  pairdx_fusion: {settings: {epochs: 2}}
  text_only: {enabled: false}
  biomedclip_zero_shot: {enabled: false}
  mean_colour: {enabled: false}
"""
SYSTEMS = {"clip_zero_shot", "pairdx_clip", "pairdx_fusion", "tfidf_logistic"}


@dataclass(frozen=True)
class WholeRun:
    """A copy of the workflow, and how to call Snakemake in it."""

    cluster: SlurmCluster
    folder: Path

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake on the cluster and return what it printed; a failure fails the test."""
        done = snakemake_on(self.cluster, self.folder, *arguments)
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout


@pytest.fixture(scope="module")
def whole(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Give a copy of the workflow in which nothing was run."""
    folder = copy_of_workflow(tmp_path_factory.mktemp("whole")).folder
    (folder / "small.yaml").write_text(SMALL)
    adapt_profile(folder, account=None)
    return WholeRun(cluster, folder)


@pytest.fixture(scope="module")
def one_table(whole: WholeRun) -> str:
    """Make a single report; return what Snakemake printed."""
    return whole.snakemake("paper_table_3", *DEMO)


@pytest.fixture(scope="module")
def submitted(whole: WholeRun, one_table: str) -> pd.DataFrame:
    """Run the rest of the demo; return a row per SLURM job of both: see :func:`submitted_jobs`."""
    outputs = [one_table, whole.snakemake("all", *DEMO)]
    return pd.concat([submitted_jobs(whole.cluster, output) for output in outputs])


def test_a_dry_run_and_a_single_report_need_no_more_than_they_say(
    whole: WholeRun, one_table: str
) -> None:
    """`-n` plans the paper's experiment with the profile; one table trains nothing."""
    assert read_plan(whole.snakemake("-n", "--profile", "profiles/slurm"))["train_on_gpu"] > 10
    assert (whole.folder / "results/demo/tables/dataset.md").exists()
    assert "rule train" not in one_table


def test_the_demo_goes_from_raw_archives_to_the_report(
    whole: WholeRun, submitted: pd.DataFrame
) -> None:
    """Every job is done once, every system stands in the table, and the report opens."""
    assert len(submitted) > 30
    comparison = pd.read_csv(whole.folder / "results/demo/tables/comparison.csv")
    assert set(comparison["split"]) == {"stratified", "grouped"}
    assert comparison["accuracy"].between(0, 1).all()
    assert set(comparison["model"]) == SYSTEMS
    whole.snakemake("all", *DEMO, "--report", "results/demo/report.html")
    assert (whole.folder / "results/demo/report.html").stat().st_size > 1_000_000
    assert "Nothing to be done" in whole.snakemake("all", *DEMO)
    assert not list((whole.folder / "state").rglob("*.pt"))
    assert list((whole.folder / "logs/slurm").glob("efficiency_report_*.csv"))


def test_every_sbatch_line_asks_for_what_its_rule_needs(submitted: pd.DataFrame) -> None:
    """Partition, GPUs, CPUs, memory and minutes, rule by rule; a new rule must be added here."""
    asked = {}
    for name, line in submitted[["name", "SubmitLine"]].itertuples(index=False):
        words = line.split(" --wrap")[0].split()
        options = dict(pairwise(words))
        cpus = [word.split("=")[1] for word in words if word.startswith("--cpus-per-")]
        numbers = (*cpus, options["--mem"], options["-t"])
        asked[name] = (options["-p"], words.count("--gpus=a100:1"), *map(int, numbers))
    assert asked == ASKED_FOR


def test_only_training_is_given_a_gpu_and_no_job_is_an_array(submitted: pd.DataFrame) -> None:
    """The accounting says so, whatever was asked for."""
    given = submitted["AllocTRES"].str.contains("gres/gpu")
    assert set(submitted.loc[given, "name"]) == {"train_on_cpu"}
    assert (submitted.loc[given, "Partition"] == "a100").all()
    assert (submitted.loc[~given, "Partition"] == "cpu").all()
    assert not submitted["JobID"].str.contains("_").any()
