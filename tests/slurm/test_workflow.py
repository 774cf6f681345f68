"""The workflow itself on a real SLURM, through profiles/slurm: one system, from raw to metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster
from slurm.runs import CONFIGURATION, METRICS, TINY, adapt_profile, snakemake_on
from slurm.submissions import submitted_jobs
from workflow.conftest import copy_of_workflow

SCORES = "results/demo/tables/per_class_stratified_pairdx_clip.csv"  # of one group with METRICS

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("beside the demo")]


def test_one_system_goes_from_raw_archives_to_metrics(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    """Every job ends in SLURM's accounting: training with one GPU, a group with one CPU."""
    folder = copy_of_workflow(tmp_path).folder
    (folder / "tiny.yaml").write_text(TINY.format(epochs=2))
    adapt_profile(folder)
    targets = (METRICS, SCORES)
    done = snakemake_on(cluster, folder, *targets, "--profile", "profiles/slurm", *CONFIGURATION)
    assert done.returncode == 0, done.stdout[-6000:]
    metrics = json.loads((folder / METRICS).read_text())
    assert sum(sum(row) for row in metrics["confusion"]) == metrics["pairs"] > 30
    assert not list((folder / "state").rglob("*.pt"))

    jobs = submitted_jobs(cluster, done.stdout)
    training = jobs[jobs["name"] == "train_on_cpu"]
    assert training["Partition"].tolist() == ["a100"]
    assert training["AllocTRES"].str.contains("gres/gpu=1").all()
    others = jobs[jobs["name"] != "train_on_cpu"]
    assert len(others) >= 9
    assert (others["Partition"] == "cpu").all()
    assert not others["AllocTRES"].str.contains("gpu").any()
    # Metrics, then the table of them, in one job: 4 GB and 1 CPU each, 30 and 20 minutes.
    (scores,) = jobs.loc[jobs["name"].str.startswith("scores_"), "SubmitLine"]
    assert {"--mem 4000", "--cpus-per-task=1", "-t 50"} <= set(
        re.findall(r"--mem \d+|--cpus-per-task=\d+|-t \d+", scores)
    )
    assert (folder / SCORES).exists()
