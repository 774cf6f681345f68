"""The test cluster itself, and Snakemake's SLURM executor on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster, until
from slurm.configuration import ACCOUNT

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("beside the demo")]

SNAKEFILE = """
rule all:
    input:
        "gpu.txt",
        "cpu.txt",

rule on_gpu:
    output:
        "gpu.txt",
    resources:
        gpu=1,
        slurm_partition="a100",
    shell:
        "echo $SLURM_JOB_PARTITION $SLURM_JOB_NODELIST $CUDA_VISIBLE_DEVICES > {output}"

rule on_cpu:
    output:
        "cpu.txt",
    threads: 2
    shell:
        "echo $SLURM_JOB_PARTITION ${{CUDA_VISIBLE_DEVICES-none}} > {output}"
"""


def test_every_node_is_idle(cluster: SlurmCluster) -> None:
    """The cluster has four nodes, and all take work."""
    until(lambda: set(cluster.node_states().values()) == {"idle"}, "idle nodes", 30)
    assert set(cluster.node_states()) == {"cpu1", "cpu2", "gpu1", "gpu2"}


def test_partitions_have_their_nodes_priorities_and_preemption(cluster: SlurmCluster) -> None:
    """Jobs go to `cpu` by default, and only those of `a100-preempt` give way, to `a100`."""
    lines = cluster.run("scontrol", "--oneliner", "show", "partition").splitlines()
    partitions = [
        dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines
    ]
    keys = ("PartitionName", "Nodes", "Default", "PriorityTier", "PreemptMode")
    assert {tuple(partition[key] for key in keys) for partition in partitions} == {
        ("cpu", "cpu[1-2]", "YES", "1", "OFF"),
        ("a100", "gpu[1-2]", "NO", "10", "OFF"),
        ("a100-preempt", "gpu[1-2]", "NO", "1", "REQUEUE"),
    }


def test_nodes_count_their_accelerators(cluster: SlurmCluster) -> None:
    """SLURM knows two A100 on each GPU node, and counts CPUs that the machine may not have."""
    rows = cluster.run("sinfo", "--Node", "--noheader", "--format=%N %c %m %G").splitlines()
    gres = {"cpu": "(null)", "gpu": "gpu:a100:2"}
    assert set(rows) == {f"{kind}{n} 4 128000 {gres[kind]}" for kind in gres for n in (1, 2)}


def test_jobs_are_accounted_to_the_default_account(cluster: SlurmCluster) -> None:
    """A job that names no account ends in the accounting, under the test account."""
    number = cluster.run("sbatch", "--parsable", "--output=/dev/null", "--wrap=true").strip()

    def states() -> list[list[str]]:
        return cluster.accounted(f"--jobs={number}", columns="State,Account,Partition")

    until(lambda: states() == [["COMPLETED", ACCOUNT, "cpu"]], "the job in sacct", 30)


def test_an_unknown_account_is_refused(cluster: SlurmCluster) -> None:
    """As on a real site, a job needs an account that its user belongs to."""
    with pytest.raises(RuntimeError, match="Invalid account"):
        cluster.run("sbatch", "--account=nobody", "--output=/dev/null", "--wrap=true")


def test_stop_leaves_no_process_and_start_begins_anew(tmp_path: Path) -> None:
    """A second start replaces the first, jobs included; stop may be called again."""
    # So long a path that sockets below it would not work.
    cluster = SlurmCluster(tmp_path / ("long" * 25))
    try:
        cluster.start()
        first = cluster.processes()
        cluster.run("sbatch", "--output=/dev/null", "--wrap=srun sleep 1000")
        until(lambda: "sleep" in names(cluster), "the job to run", 30)
        cluster.start()
        assert not set(first) & set(cluster.processes())
        assert cluster.run("squeue", "--noheader") == ""
        short = (cluster.folder / "run").resolve()
    finally:
        cluster.stop()
    cluster.stop()
    assert cluster.processes() == []
    assert subprocess.run(["pgrep", "-f", str(cluster.folder)], check=False).returncode == 1
    assert not short.exists()


def names(cluster: SlurmCluster) -> set[str]:
    """Name the cluster's living processes."""
    files = [Path(f"/proc/{process}/comm") for process in cluster.processes()]
    return {file.read_text().strip() for file in files if file.exists()}


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder that is not a cluster's is never cleared."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RuntimeError, match="neither empty nor a test cluster's"):
        SlurmCluster(tmp_path).start()
    assert (tmp_path / "thesis.txt").exists()


def test_snakemake_runs_jobs_on_the_asked_partitions(cluster: SlurmCluster, tmp_path: Path) -> None:
    """`gpu=1` and `slurm_partition` become one A100 there; other jobs get no accelerator."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--executor=slurm", "--jobs=4"]
    # Asked after 4, 18, 42 … s; squeue knows of a job's end at once, sacct some seconds later.
    command += ["--slurm-init-seconds-before-status-checks=4", "--slurm-status-command=squeue"]
    command += ["--default-resources", f"slurm_account={ACCOUNT}", "mem_mb=500", "runtime=5"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=cluster.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    partition, node, devices = (tmp_path / "gpu.txt").read_text().split()
    assert (partition, node in {"gpu1", "gpu2"}, devices in {"0", "1"}) == ("a100", True, True)
    assert (tmp_path / "cpu.txt").read_text() == "cpu none\n"
    run = done.stderr.split("SLURM run ID: ")[1].split()[0]

    def seen() -> dict[str, list[str]]:
        rows = cluster.accounted(
            f"--name={run}", columns="Comment,State,Partition,Account,AllocTRES"
        )
        return {row[0]: row[1:] for row in rows}

    until(
        lambda: [row[0] for row in seen().values()] == ["COMPLETED"] * 2, "both jobs in sacct", 30
    )
    on_gpu, on_cpu = seen()["rule_on_gpu"], seen()["rule_on_cpu"]
    assert on_gpu[1:3] == ["a100", ACCOUNT]
    assert {"gres/gpu=1", "gres/gpu:a100=1", "cpu=1", "mem=500M"} <= set(on_gpu[3].split(","))
    assert on_cpu[1:3] == ["cpu", ACCOUNT]
    assert "cpu=2" in on_cpu[3].split(",")
    assert "gres/gpu" not in on_cpu[3]
