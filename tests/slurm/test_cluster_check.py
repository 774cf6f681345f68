"""The cluster check on a real SLURM whose GPUs are counted, but not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster
from slurm.runs import adapt_profile, snakemake_on
from workflow.conftest import copy_of_workflow

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]


def test_a_gpu_that_slurm_counts_and_pytorch_does_not_find_fails_with_a_report(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    """Both jobs run as the profile sends them; the report is written, the target fails."""
    folder = copy_of_workflow(tmp_path).folder
    adapt_profile(folder, {})
    options = ["--configfile", "config/demo.yaml", "--config", "device=cuda"]
    done = snakemake_on(cluster, folder, "cluster_check", "--profile", "profiles/slurm", *options)
    assert done.returncode != 0
    [check] = (folder / "results/demo/cluster_check").iterdir()
    found = json.loads((check / "findings.json").read_text(encoding="utf-8"))
    failed = {(one["place"], one["check"]): one for one in found if one["verdict"] == "fail"}
    assert set(failed) == {("gpu", "GPU")}
    assert "no working NVIDIA driver" in failed["gpu", "GPU"]["found"]
    assert "slurm_partition" in failed["gpu", "GPU"]["remedy"]
    assert [one["check"] for one in found if one["verdict"] == "warn"] == []

    cpu, gpu = (
        json.loads((check / f"{place}.json").read_text(encoding="utf-8"))
        for place in ("cpu", "gpu")
    )
    assert (cpu["slurm"]["partition"], cpu["slurm"]["gpus"]) == ("cpu", None)
    assert gpu["slurm"]["partition"] == "a100"
    assert gpu["slurm"]["gpus"] == "gres/gpu=1,gres/gpu:a100=1"
    assert [facts["slurm"]["processors"] for facts in (cpu, gpu)] == [2, 2]
    assert [facts["squeue"] for facts in (cpu, gpu)] == ["RUNNING", "RUNNING"]
    # The login node holds this lock while they run: locks reach from node to node.
    assert [facts["held"] for facts in (cpu, gpu)] == [True, True]

    assert (check / "report.md").read_text(encoding="utf-8").count("| fail |") == len(failed)
    assert "The workflow will not run as the profile is now" in done.stdout
    assert re.search(r"Error: the cluster check failed: GPU job, GPU", done.stdout)
    assert not (check / "passed").exists()
