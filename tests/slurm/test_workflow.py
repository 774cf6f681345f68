"""The workflow itself on a real SLURM, through profiles/slurm: one system, from raw to metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster
from slurm.configuration import ACCOUNT
from workflow.conftest import copy_of_workflow

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("beside the demo")]

# Two epochs of the paper's reading of the loss, and no more pairs than that needs.
OVERLAY = """
demo: {cases: 80, archives: [PMC1, PMC2]}
curation: {balance: {total: 240}}
models: {pairdx_clip: {settings: {objective: contrastive, epochs: 2}}}
"""
METRICS = "results/demo/stratified/pairdx_clip/seed1/metrics.json"
SCORES = "results/demo/tables/per_class_stratified_pairdx_clip.csv"  # of one group with METRICS
# The test cluster's GPUs are counted, not real: the rule that trains on the CPU asks for one.
ON_THE_TEST_CLUSTER = [
    *("--default-resources", "slurm_partition=cpu", f"slurm_account={ACCOUNT}"),
    *("--set-resources", "train_on_cpu:gpu=1", "train_on_cpu:slurm_partition=a100"),
    *("train_on_cpu:mem_mb=4000", "predict:mem_mb=4000"),
    # Those given here take the place of the profile's.
    *("evaluate_predictions:in_turn=1", "report_system:in_turn=1"),
    *("--slurm-init-seconds-before-status-checks", "4", "--latency-wait", "20"),
]


def test_one_system_goes_from_raw_archives_to_metrics(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    """Every job ends in SLURM's accounting: training with one GPU, a group with one CPU."""
    folder = copy_of_workflow(tmp_path).folder
    (folder / "tiny.yaml").write_text(OVERLAY)
    command = [sys.executable, "-m", "snakemake", METRICS, SCORES, "--profile", "profiles/slurm"]
    command += ["--configfile", "config/demo.yaml", "tiny.yaml", *ON_THE_TEST_CLUSTER]
    done = subprocess.run(
        command,
        cwd=folder,
        env=cluster.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    metrics = json.loads((folder / METRICS).read_text())
    assert sum(sum(row) for row in metrics["confusion"]) == metrics["pairs"] > 30
    assert not list((folder / "state").rglob("*.pt"))

    columns = "Comment,Partition,State,AllocTRES,TimelimitRaw"
    run = re.search(r"SLURM run ID: (\S+)", done.stdout)
    assert run
    options = ["--allocations", "--noheader", "--parsable2", "--starttime=now-1days"]
    options += [f"--name={run[1]}"]
    rows = cluster.run("sacct", *options, f"--format={columns}").splitlines()
    jobs = {row.split("|")[0]: row.split("|")[1:] for row in rows if row.split("|")[0]}
    training = [job for rule, job in jobs.items() if rule.startswith("rule_train_on_cpu")]
    assert [job[:2] for job in training] == [["a100", "COMPLETED"]]
    assert "gres/gpu=1" in training[0][2]
    others = [job for rule, job in jobs.items() if not rule.startswith("rule_train_on_cpu")]
    assert len(others) >= 9
    assert all(job[:2] == ["cpu", "COMPLETED"] and "gpu" not in job[2] for job in others)
    # Metrics, then the table of them: 4 GB and 1 CPU each, 30 and 20 minutes.
    (scores,) = [job for rule, job in jobs.items() if rule.startswith("rule_scores_")]
    assert "cpu=1,mem=4000M" in scores[2]
    assert scores[3] == "50"
    assert (folder / SCORES).exists()
