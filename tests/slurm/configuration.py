"""What the test cluster consists of, and the files that tell SLURM so."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
from pathlib import Path

ACCOUNT = "pairdx"  # also the cluster's name; root's default account
# Six nodes with GPUs: as many bad days can be had at once.
GPUS_OF_NODE = {"cpu1": 0, "cpu2": 0, **{f"gpu{number}": 2 for number in range(1, 7)}}
GPU_FILES = ("/dev/null", "/dev/zero")  # SLURM wants a device file for each; any will do

SLURM_CONF = """\
ClusterName={account}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# cred_expire is also how long a requeued job waits before it may start again (by default 120 s).
AuthInfo=socket={run}/munge.socket,cred_expire=15
StateSaveLocation={folder}/state
SlurmctldPidFile={run}/slurmctld.daemon
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdPidFile={run}/%n.daemon
SlurmdSpoolDir={run}/%n
SlurmdLogFile={folder}/log/%n.log
# The nodes may pretend to have more than the machine has, and need no control groups.
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
# A node that does not answer for so many seconds is down (by default 300).
SlurmdTimeout=20
# Seconds from SIGTERM to SIGKILL at a time limit, a cancellation or a preemption (by default 30).
KillWait=10
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
# Start what can start at once, not with the next of the long rounds of a big site.
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=2,bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
# Without control groups, the memory of a job's processes is looked at every so many seconds.
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting_port}
# Not a password: what talks to slurmdbd does not read AuthInfo, and takes munge's socket from here.
AccountingStoragePass={run}/munge.socket
AccountingStorageTRES=gres/gpu,gres/gpu:a100
AccountingStorageEnforce=associations
AccountingStoreFlags=job_comment
# Pretended, so that the workflow's own requests fit as they are.
NodeName=DEFAULT CPUs=4 RealMemory=128000
{nodes}
PartitionName=DEFAULT DefaultTime=10 MaxTime=1440 PreemptMode=OFF State=UP
PartitionName=cpu Nodes=cpu[1-2] Default=YES
PartitionName=a100 Nodes=gpu[1-6] PriorityTier=10
PartitionName=a100-preempt Nodes=gpu[1-6] PriorityTier=1 PreemptMode=REQUEUE
"""

SLURMDBD_CONF = """\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={accounting_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={run}/munge.socket
PidFile={run}/slurmdbd.daemon
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
"""

SRUN = """\
#!/bin/sh
# Snakemake's job step calls srun without any SLURM_ variable, so without the place of slurm.conf.
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


def write_configuration(folder: Path, run: Path) -> None:
    """Write slurm.conf, gres.conf, slurmdbd.conf, munge.key and bin/srun.

    Args:
        folder: The cluster's folder.
        run: Where its sockets stand; a short path.
    """
    controller_port, accounting_port, *node_ports = free_ports(2 + len(GPUS_OF_NODE))
    host = socket.gethostname().split(".")[0]
    ports = dict(zip(GPUS_OF_NODE, node_ports, strict=True))
    nodes = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[name]}"
        + (f" Gres=gpu:a100:{gpus}" if gpus else "")
        for name, gpus in GPUS_OF_NODE.items()
    ]
    devices = [
        f"NodeName={name} Name=gpu Type=a100 File={file}"
        for name, gpus in GPUS_OF_NODE.items()
        for file in GPU_FILES[:gpus]
    ]
    values = {
        "account": ACCOUNT,
        "host": host,
        "folder": folder,
        "run": run,
        "controller_port": controller_port,
        "accounting_port": accounting_port,
        "nodes": "\n".join(nodes),
    }
    (folder / "slurm.conf").write_text(SLURM_CONF.format(**values), encoding="utf-8")
    (folder / "gres.conf").write_text("\n".join(devices) + "\n", encoding="utf-8")
    _write_secret(folder / "slurmdbd.conf", SLURMDBD_CONF.format(**values).encode())
    _write_secret(folder / "munge.key", secrets.token_bytes(128))
    wrapper = folder / "bin" / "srun"
    wrapper.parent.mkdir()
    wrapper.write_text(
        SRUN.format(folder=shlex.quote(str(folder)), srun=_real_srun()), encoding="utf-8"
    )
    wrapper.chmod(0o755)


def _real_srun() -> str:
    """Find srun itself, not the wrapper of a test cluster that this shell has been turned to."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    programs = [
        folder / "srun" for folder in folders if not (folder.parent / "slurm.conf").exists()
    ]
    return str(next(program for program in programs if program.exists()))


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that only root may read; slurmdbd and munged refuse any other."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports
