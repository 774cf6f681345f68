"""The test cluster itself, and Snakemake on it with profiles/slurm as it is."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slurm.cluster import SlurmCluster, until
from slurm.configuration import ACCOUNT, GPUS_OF_NODE
from slurm.runs import snakemake_on
from slurm.submissions import submitted_jobs
from workflow.conftest import REPOSITORY

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("beside the demo")]

# A rule that the profile knows, and one that it does not.
SNAKEFILE = """
rule all:
    input:
        "gpu.txt",
        "cpu.txt",

rule train_on_gpu:
    output:
        "gpu.txt",
    resources:
        gpu=1,
        mem_mb=500,
        runtime=5,
    shell:
        "echo $SLURM_JOB_PARTITION $SLURM_JOB_NODELIST $CUDA_VISIBLE_DEVICES > {output}"

rule on_cpu:
    output:
        "cpu.txt",
    threads: 2
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "echo $SLURM_JOB_PARTITION ${{CUDA_VISIBLE_DEVICES-none}} > {output}"
"""

HOLD = f"""
import sys, time
sys.path.insert(0, {str(REPOSITORY / "tests")!r})
from slurm.cluster import SlurmCluster
with SlurmCluster(sys.argv[1]) as cluster:
    cluster.run("sbatch", "--output=/dev/null", "--wrap=srun sleep 1000")
    time.sleep(1000)
"""


def test_every_node_is_idle(cluster: SlurmCluster) -> None:
    """The cluster has all of its nodes, and all take work."""
    until(lambda: set(cluster.node_states().values()) == {"idle"}, "idle nodes", 30)
    assert set(cluster.node_states()) == set(GPUS_OF_NODE)


def test_partitions_have_their_nodes_priorities_and_preemption(cluster: SlurmCluster) -> None:
    """Jobs go to `cpu` by default, and only those of `a100-preempt` give way, to `a100`."""
    lines = cluster.run("scontrol", "--oneliner", "show", "partition").splitlines()
    partitions = [
        dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines
    ]
    keys = ("PartitionName", "Nodes", "Default", "PriorityTier", "PreemptMode")
    assert {tuple(partition[key] for key in keys) for partition in partitions} == {
        ("cpu", "cpu[1-2]", "YES", "1", "OFF"),
        ("a100", "gpu[1-6]", "NO", "10", "OFF"),
        ("a100-preempt", "gpu[1-6]", "NO", "1", "REQUEUE"),
    }


def test_nodes_count_their_accelerators(cluster: SlurmCluster) -> None:
    """SLURM knows two A100 on each GPU node, and counts CPUs that the machine may not have."""
    rows = cluster.run("sinfo", "--Node", "--noheader", "--format=%N %c %m %G").splitlines()
    gres = {name: f"gpu:a100:{gpus}" if gpus else "(null)" for name, gpus in GPUS_OF_NODE.items()}
    assert set(rows) == {f"{name} 4 128000 {gres[name]}" for name in GPUS_OF_NODE}


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


def test_a_killed_test_run_leaves_no_cluster_behind(tmp_path: Path) -> None:
    """Neither daemons nor jobs outlive the process that holds the cluster, SIGKILL or not."""
    cluster = SlurmCluster(tmp_path / "cluster")
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(cluster.folder)])
    try:
        until(lambda: "sleep" in names(cluster), "the job to run", 60)
        holder.kill()
        until(lambda: cluster.processes() == [], "the cluster to end", 30)
    finally:
        holder.kill()
        holder.wait()
        cluster.stop()


def test_two_may_stop_a_cluster_at_once(tmp_path: Path) -> None:
    """Its process and its guard both end it where they are killed together."""
    folder = tmp_path / ("long" * 25)
    sockets = tmp_path / "sockets"
    for made in (folder, sockets):
        made.mkdir()
    (folder / "run").symlink_to(sockets)
    (sockets / "slurmctld.pid").write_text("999999999", encoding="utf-8")
    with ThreadPoolExecutor(4) as threads:
        for stopped in [threads.submit(SlurmCluster(folder).stop) for _ in range(4)]:
            stopped.result()
    assert not sockets.exists()


def names(cluster: SlurmCluster) -> set[str]:
    """Name the cluster's living processes."""
    files = [Path(f"/proc/{process}/comm") for process in cluster.processes()]
    return {file.read_text(encoding="utf-8").strip() for file in files if file.exists()}


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder that is not a cluster's is never cleared."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(RuntimeError, match="neither empty nor a test cluster's"):
        SlurmCluster(tmp_path).start()
    assert (tmp_path / "thesis.txt").exists()


def test_the_profile_runs_jobs_on_its_partitions(cluster: SlurmCluster, tmp_path: Path) -> None:
    """Training gets one A100 there, under the default account; other jobs get no accelerator."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    done = snakemake_on(cluster, tmp_path, "--profile", str(REPOSITORY / "profiles/slurm"))
    assert done.returncode == 0, done.stdout
    partition, node, devices = (tmp_path / "gpu.txt").read_text(encoding="utf-8").split()
    assert (partition, GPUS_OF_NODE[node], devices in {"0", "1"}) == ("a100", 2, True)
    assert (tmp_path / "cpu.txt").read_text(encoding="utf-8") == "cpu none\n"

    jobs = submitted_jobs(cluster, done.stdout).set_index("name")
    assert jobs["Partition"].to_dict() == {"train_on_gpu": "a100", "on_cpu": "cpu"}
    assert set(jobs["Account"]) == {ACCOUNT}
    granted = jobs["AllocTRES"].str.split(",").map(set)
    assert {"gres/gpu=1", "gres/gpu:a100=1", "cpu=1", "mem=500M"} <= granted["train_on_gpu"]
    assert "cpu=2" in granted["on_cpu"]
    assert not any(words.startswith("gres/gpu") for words in granted["on_cpu"])
