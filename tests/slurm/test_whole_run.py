"""Two datasets through profiles/slurm, from raw archives to the report; what jobs ask for."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from slurm.cluster import SlurmCluster
from slurm.runs import ON_AN_A100, adapt_profile, snakemake_on
from slurm.submissions import ASKED_FOR, submitted_jobs
from workflow.conftest import copy_of_workflow, read_plan

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long, pytest.mark.xdist_group("whole run")]

# As the README has it, but over two small datasets, each without a class that the other has, and
# with fewer epochs, systems and splits: every kind of job is there.
DEMO = ("--profile", "profiles/slurm", "--configfile", "config/demo.yaml", "small.yaml")
SMALL = """
datasets:
  drawn:
    source: {cases: 80, archives: [PMC1]}
    classes: {endoscopy: null}
    curation: {balance: {total: 200}}
    splits: [grouped]
  drawn_2:
    like: drawn
    title: Drawn dataset (seed 2)
    source: {seed: 2}
    classes: {endoscopy: endoscopy, chart: null}
evaluation: {bootstrap_resamples: 100}
systems:
  pairdx_fusion: {settings: {epochs: 2}}
  pairdx_clip: {enabled: false}
  text_only: {enabled: false}
  tfidf_logistic: {enabled: false}
  biomedclip_zero_shot: {enabled: false}
  mean_colour: {enabled: false}
  resnet18_image_only: {enabled: false}
  privileged_own: {datasets: [drawn], settings: {epochs: 2}}
"""
SYSTEMS = {"clip_zero_shot", "pairdx_fusion"}
# One learns from privileged texts, on one of the datasets.
SYSTEMS_OF = {"drawn": SYSTEMS | {"privileged_own"}, "drawn_2": SYSTEMS}
OF_BOTH = {"radiology", "medical_photograph", "ophthalmic_imaging", "electrography"}
CLASSES = {"drawn": OF_BOTH | {"chart"}, "drawn_2": OF_BOTH | {"endoscopy"}}
# A key of one dataset that its split's job is given, and with it the jobs that follow.
OTHER_SPLIT = "datasets: {drawn_2: {split: {seed: 2}}}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the workflow in which nothing was run."""
    copied = copy_of_workflow(tmp_path_factory.mktemp("whole")).folder
    (copied / "small.yaml").write_text(SMALL, encoding="utf-8")
    adapt_profile(copied, {"train_on_cpu": ON_AN_A100}, account=None)
    return copied


def run_demo(cluster: SlurmCluster, folder: Path, *arguments: str) -> str:
    """Make `all` on the cluster and return what Snakemake printed; a failure fails the test."""
    done = snakemake_on(cluster, folder, "all", *DEMO, *arguments)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope="module")
def submitted(cluster: SlurmCluster, folder: Path) -> pd.DataFrame:
    """Run the demo; return a row per SLURM job: see :func:`submitted_jobs`."""
    return submitted_jobs(cluster, run_demo(cluster, folder))


def test_two_datasets_go_from_raw_archives_to_one_table_and_the_report(
    cluster: SlurmCluster, folder: Path, submitted: pd.DataFrame
) -> None:
    """Every job is done once, every system stands in the table per dataset; the report opens."""
    assert submitted["Comment"].is_unique
    comparison = pd.read_csv(folder / "results/demo/tables/comparison.csv")
    rows = list(comparison[["dataset", "split", "system"]].itertuples(index=False, name=None))
    assert sorted(rows) == [
        (one, "grouped", name) for one in CLASSES for name in sorted(SYSTEMS_OF[one])
    ]
    assert comparison["accuracy"].between(0, 1).all()
    for dataset, classes in CLASSES.items():
        pairs = pd.read_parquet(folder / f"results/demo/{dataset}/curated/pairs.parquet")
        assert set(pairs["label"]) - {"pathology"} == classes
    run_demo(cluster, folder, "--report", "results/demo/report.html")
    assert (folder / "results/demo/report.html").stat().st_size > 1_000_000
    assert "Nothing to be done" in run_demo(cluster, folder)
    assert not list((folder / "state").rglob("*.pt"))
    assert list((folder / "logs/slurm").glob("efficiency_report_*.csv"))


@pytest.mark.usefixtures("submitted")
def test_a_key_of_one_dataset_runs_no_job_of_the_other(cluster: SlurmCluster, folder: Path) -> None:
    """The one is divided, trained and tested anew, and what both are in is made anew."""
    (folder / "other_split.yaml").write_text(OTHER_SPLIT, encoding="utf-8")
    planned = run_demo(cluster, folder, "other_split.yaml", "-n")
    assert {"make_split", "train_on_cpu", "compare_systems"} <= set(read_plan(planned))
    assert set(re.findall(r"wildcards: dataset=(\w+)", planned)) == {"drawn_2"}


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
