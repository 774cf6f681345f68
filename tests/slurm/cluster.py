"""A real SLURM on this one machine, in a folder of its own, for tests.

Eight nodes on one host (cpu1, cpu2, gpu1 to gpu6; two pretended A100 on each of the latter), three
partitions (cpu, a100, a100-preempt), accounting, and an account for root. `install.sh` brings the
programs. By hand::

    python tests/slurm/cluster.py start FOLDER     # prints what to do next
    eval "$(python tests/slurm/cluster.py env FOLDER)"
    python tests/slurm/cluster.py stop FOLDER
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `python tests/slurm/cluster.py`
from slurm.configuration import ACCOUNT, GPUS_OF_NODE, write_configuration

PROGRAMS = (
    *("munged", "mariadbd", "mariadb-install-db", "my_print_defaults", "slurmdbd", "slurmctld"),
    *("slurmd", "sinfo", "squeue", "sbatch", "srun", "scancel", "scontrol", "sacct", "sacctmgr"),
)
DAEMONS = ("munged", "mariadbd", "slurmdbd", "slurmctld", *GPUS_OF_NODE)  # in order of starting
# Set in every daemon's environment, and so in the job steps': stop() ends only what has it.
MARK = "SLURM_TEST_CLUSTER"
# What would send a client elsewhere or change what it asks for.
CLIENT_SETTINGS = ("SLURM", "SBATCH", "SRUN", "SALLOC", "SQUEUE", "SINFO", "SACCT", "SNAKEMAKE_")
LONGEST_FOLDER = 60  # characters; a socket's whole path may have 107
# Waits until nobody is left who could write to its input, and then runs its arguments.
GUARD = ("sh", "-c", 'cat >/dev/null; exec "$@"', "guard")


def reason_to_skip() -> str | None:
    """Say why a cluster cannot run here, or None if it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (tests/slurm/install.sh installs SLURM)"
    if os.geteuid() != 0:
        return "the SLURM daemons need root"
    return None


class SlurmCluster:
    """One cluster: `start`, `stop`, and what clients need.

    A context manager too, and then the cluster ends with this process, however that ends.

    Args:
        folder: Where everything is kept: missing, empty, or an earlier cluster's. Sockets stand in
            its ``run``; where that path is too long for a socket, it is a link to a short one.

    Attributes:
        children: The running daemons, by name.
        launched: How each daemon was started: its command, and variables of its environment.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.configuration = self.folder / "slurm.conf"
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.launched: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {}
        self._complaint = ""  # what a client said last when it had no answer

    def __enter__(self) -> Self:
        stop = (sys.executable, __file__, "stop", str(self.folder))
        self._guard = subprocess.Popen(
            (*GUARD, *stop), stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            self.start()
        except BaseException:
            self._dismiss_guard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._dismiss_guard()

    def _dismiss_guard(self) -> None:
        self._guard.kill()
        self._guard.communicate()

    def environment(self) -> dict[str, str]:
        """Return this process's environment, turned to this cluster and free of other settings."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(CLIENT_SETTINGS)}
        path = f"{self.folder / 'bin'}:{kept['PATH']}"
        return kept | {"PATH": path, "SLURM_CONF": str(self.configuration)}

    def run(self, *command: str, seconds: float = 60) -> str:
        """Run a client command (``sinfo``, ``sbatch`` …) and return what it prints.

        Raises:
            RuntimeError: It failed.
            subprocess.TimeoutExpired: It took longer than ``seconds``.
        """
        done = subprocess.run(
            command,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            encoding="utf-8",
        )
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def accounted(self, *options: str, columns: str) -> list[list[str]]:
        """Ask sacct for whole jobs, from yesterday on (its own default begins at midnight).

        Args:
            options: Which jobs, such as ``--jobs=12``.
            columns: What of them, such as ``State,SubmitLine``; only the last may hold a ``|``.
        """
        command = ["sacct", "--allocations", "--noheader", "--parsable2", "--starttime=now-1days"]
        lines = self.run(*command, f"--format={columns}", *options).splitlines()
        return [line.split("|", columns.count(",")) for line in lines]

    def node_states(self) -> dict[str, str]:
        """Return the state of every node, such as ``idle``, by its name."""
        rows = self.run("sinfo", "--Node", "--noheader", "--format=%N %T").splitlines()
        return dict(row.split() for row in rows)

    def processes(self) -> list[int]:
        """Return the ids of this cluster's living processes: daemons, job steps and jobs."""
        daemon = f"{MARK}={self.folder}".encode()
        client = f"SLURM_CONF={self.configuration}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                lines = (entry / "environ").read_bytes().split(b"\0")
            except OSError:  # it has ended meanwhile
                continue
            in_job = client in lines and any(line.startswith(b"SLURM_JOB_ID=") for line in lines)
            if daemon in lines or in_job:
                found.append(int(entry.name))
        return found

    def start(self) -> None:
        """Start all daemons; return when every node is idle. Replaces a cluster in the folder.

        Raises:
            RuntimeError: SLURM cannot run here, a daemon ended, or the folder has other content.
            TimeoutError: A daemon did not answer in time.
        """
        reason = reason_to_skip()
        if reason:
            raise RuntimeError(f"cannot start SLURM: {reason}")
        if self.folder.exists() and any(self.folder.iterdir()):
            if not self.configuration.exists():
                raise RuntimeError(f"{self.folder} is neither empty nor a test cluster's folder")
            self.stop()
            shutil.rmtree(self.folder)
        try:
            run = self._make_folders()
            write_configuration(self.folder, run)
            self._start_accounting(run)
            self._start_nodes()
        except BaseException:
            self.stop()
            raise

    def _make_folders(self) -> Path:
        """Make the sub-folders and return the one for sockets, by a short path."""
        for name in ("state", "log", "database", "tmp"):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        run = self.folder / "run"
        if len(str(self.folder)) > LONGEST_FOLDER:
            run.symlink_to(tempfile.mkdtemp(prefix="slurm-"))
        else:
            run.mkdir(mode=0o755)
        return run.resolve()

    def _start_accounting(self, run: Path) -> None:
        """Start munge, an empty MariaDB and slurmdbd, and make the account."""
        munge, door = run / "munge.socket", run / "mariadb.socket"
        files = {"socket": munge, "key-file": self.folder / "munge.key"}
        files |= {"pid-file": run / "munged.daemon", "seed-file": run / "munge.seed"}
        options = ["--foreground", *(f"--{option}={file}" for option, file in files.items())]
        # Forced: only root can reach a socket in pytest's folder, and nobody else needs to.
        self.launch("munged", "munged", "--force", *options)
        options = ["--no-defaults", "--user=root", f"--datadir={self.folder / 'database'}"]
        options += [
            "--innodb-log-file-size=16M",
            "--innodb-buffer-pool-size=64M",
            "--debug-no-sync",
            # Of its own: a MariaDB that starts removes other servers' temporary tables from /tmp.
            f"--tmpdir={self.folder / 'tmp'}",
        ]
        install = ["mariadb-install-db", "--auth-root-authentication-method=normal"]
        install += ["--skip-test-db", "--skip-name-resolve"]
        self.run(install[0], *options, *install[1:])  # --no-defaults must come first
        # No network port: whoever may open the socket below this folder is root already.
        self.launch("mariadbd", "mariadbd", *options, f"--socket={door}", "--skip-networking")
        self.await_answer(
            lambda: munge.exists() and door.exists(), "the sockets of munge and MariaDB"
        )
        # With StorageHost=localhost, MariaDB's library takes the socket's path from this variable.
        self.launch("slurmdbd", "slurmdbd", "-D", MYSQL_UNIX_PORT=str(door))
        self.await_answer(lambda: self.succeeds("sacctmgr", "list", "cluster"), "slurmdbd")
        self._add_account()

    def _add_account(self) -> None:
        account = f"account={ACCOUNT}"
        for words in (
            ["add", "cluster", ACCOUNT],
            ["add", "account", ACCOUNT],
            ["add", "user", "root", account],
            # slurmdbd has put root into an account of its own, which is the default until now.
            ["modify", "user", "where", "name=root", "set", f"default{account}"],
        ):
            self.run("sacctmgr", "--immediate", *words)

    def _start_nodes(self) -> None:
        self.launch("slurmctld", "slurmctld", "-D")
        for name in GPUS_OF_NODE:
            self.launch(name, "slurmd", "-D", "-N", name)
        self.await_idle_nodes()

    def await_idle_nodes(self) -> None:
        """Wait until the controller answers and every node is idle.

        Raises:
            RuntimeError: A daemon has ended.
            TimeoutError: It took too long.
        """
        self.await_answer(lambda: self.succeeds("scontrol", "ping"), "slurmctld")
        idle = dict.fromkeys(GPUS_OF_NODE, "idle")
        self.await_answer(lambda: self.node_states() == idle, "every node to be idle", seconds=60)

    def launch(self, name: str, *command: str, **variables: str) -> None:
        """Start a daemon, in the foreground of its own session; note its id in run/NAME.pid."""
        self.launched[name] = command, variables
        with (self.folder / "log" / f"{name}.out").open("ab") as output:
            child = subprocess.Popen(
                command,
                env=self.environment() | variables | {MARK: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        (self.folder / "run" / f"{name}.pid").write_text(f"{child.pid}\n", encoding="utf-8")
        self.children[name] = child

    def await_answer(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait, but give up as soon as a daemon has ended, and show what it said last."""

        def holds() -> bool:
            for name, child in self.children.items():
                if child.poll() is not None:
                    said = (self.folder / "log" / f"{name}.out").read_text(
                        errors="replace", encoding="utf-8"
                    )
                    raise RuntimeError(f"{name} ended while waiting for {what}:\n{said[-2000:]}")
            return condition()

        try:
            until(holds, what, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; logs: {self.folder / 'log'}; {self._complaint}") from None

    def succeeds(self, *command: str) -> bool:
        """Say whether a client command works; what it complains of is shown if waiting ends."""
        try:
            self.run(*command, seconds=10)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            self._complaint = str(error)
            return False
        return True

    def stop(self) -> None:
        """End every process of this cluster. Files stay, to be read; a second call does nothing.

        Two may be under way at once: this process's, and its guard's.
        """
        run = self.folder / "run"
        for name in reversed(DAEMONS):
            self._end(run / f"{name}.pid")
        for process in self.processes():  # job steps, and what a killed daemon left
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not self.processes(), "the last processes to end", seconds=10)
        for child in self.children.values():
            child.wait(timeout=10)
        self.children.clear()
        if run.is_symlink():
            shutil.rmtree(run.resolve(), ignore_errors=True)
            run.unlink(missing_ok=True)

    def _end(self, pid_file: Path) -> None:
        try:
            process = int(pid_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        if process in self.processes():  # and not somebody who was given the number later
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
            with suppress(TimeoutError):  # stop() kills what is left
                until(lambda: process not in self.processes(), pid_file.stem, seconds=15)
        pid_file.unlink(missing_ok=True)


def until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait until ``condition`` holds.

    Raises:
        TimeoutError: It did not hold within ``seconds``.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Start or stop a cluster by hand, or print the lines that turn a bash towards it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["start", "stop", "env"])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    cluster = SlurmCluster(options.folder)
    folder = shlex.quote(str(cluster.folder))
    if options.action == "start":
        cluster.start()
        print(cluster.run("sinfo"))
        print(f'use it:   eval "$(python {sys.argv[0]} env {folder})"')
        print(f"stop it:  python {sys.argv[0]} stop {folder}")
    elif options.action == "stop":
        cluster.stop()
    else:
        print(f"unset {' '.join('${!' + prefix + '@}' for prefix in CLIENT_SETTINGS)}")
        print(f"export SLURM_CONF={folder}/slurm.conf PATH={folder}/bin:$PATH")


if __name__ == "__main__":
    main()
