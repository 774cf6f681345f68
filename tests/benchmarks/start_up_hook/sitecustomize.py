"""Note how much CPU time a script job of Snakemake takes, in all and before its own work begins.

Python runs this file as it starts, where PYTHONPATH names its folder (tests/benchmarks/start_up.py
sees to that); the workflow's own code knows nothing of it. A job's own work begins where its script
enters :func:`pairdx.logs.job_log`; imports are counted before and after, because many of them come
when they are needed. A process goes on after the script's last line, and unless it leaves at once,
taking down what PyTorch has loaded takes up to a second. So that this is counted, the job runs in a
fork, and its parent does nothing but wait for it. What is imported here is counted as the job's:
only what Python has loaded anyway.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from _thread import get_ident
from importlib.machinery import PathFinder

TYPE_CHECKING = False  # type checkers know the name; typing would have to be imported
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

FOLDER = "START_UP_NOTES"  # the environment variable that names where notes go
SCRIPTS = "/.snakemake/scripts/"  # where Snakemake writes a script with its preamble
WATCHED = "pairdx.logs"


class Job:
    """A script job, seen from within; a finder of modules that finds one, once.

    Args:
        script: The script's file, without its folder.
        note: A file descriptor to write the note to.
        earlier: CPU seconds of the process that this one was forked from.
    """

    def __init__(self, script: str, note: int, earlier: float) -> None:
        self.script, self.note, self.earlier = script, note, earlier
        self.process, self.thread = os.getpid(), get_ident()
        self.first_line = ""
        self.imports, self.importing = 0.0, False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module with the job's log, and have its ``job_log`` watched once it is there."""
        if name != WATCHED:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_watch(module: Any) -> None:
                execute(module)
                module.job_log = self.watched(module.job_log)

            spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]
        return spec

    def counted(self, load: Callable[..., Any]) -> Callable[..., Any]:
        """Return what loads a module, with a count of the CPU seconds that it takes.

        A module that another one loads is part of that one; threads other than the first count
        nothing.
        """

        def counted_load(name: str, *arguments: Any) -> Any:
            if self.importing or get_ident() != self.thread:
                return load(name, *arguments)
            self.importing, started = True, time.process_time()
            try:
                return load(name, *arguments)
            finally:
                self.imports += time.process_time() - started
                self.importing = False

        return counted_load

    def watched(self, job_log: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``job_log`` as it is, but for the note of when it is first called."""

        def watched_job_log(*arguments: Any, **named: Any) -> Any:
            self.first_line = self.first_line or self.seconds()
            return job_log(*arguments, **named)

        return watched_job_log

    def seconds(self) -> str:
        """CPU seconds of the job until now, those of programs that it started and that ended too.

        What it does in a thread of its own counts as well.
        """
        times = os.times()
        children = times.children_user + times.children_system
        return str(self.earlier + time.process_time() + children)

    def write(self) -> None:
        """Tell the waiting process the rule, and CPU seconds, once: see start_up.MOMENTS."""
        if os.getpid() == self.process:  # not in a fork of the job that ends as if it were the job
            self.process = 0
            rule = getattr(getattr(sys.modules["__main__"], "snakemake", None), "rule", self.script)
            noted = (rule, self.first_line, str(self.imports), self.seconds())
            os.write(self.note, "\t".join(noted).encode())


def wait_for(job: int, note: int, earlier: float, path: str) -> None:
    """Wait until the job is over, write a line of what it noted and took, and end as it did."""
    _, status, usage = os.wait4(job, 0)
    seconds = earlier + usage.ru_utime + usage.ru_stime
    noted = os.read(note, 4096).decode() or "\t\t\t"  # nothing, if it was killed
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes time to import
        file.write(f"{noted}\t{seconds}\n")
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def run_the_environments_own() -> None:
    """Run the ``sitecustomize`` that this file stands before, if the environment has one."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if path != here])
    if spec is not None and spec.loader is not None:
        module = type(sys)("sitecustomize")
        module.__file__ = spec.origin
        spec.loader.exec_module(module)


def start() -> None:
    """Take notes if this is a script job's process, and notes are asked for."""
    folder = os.environ.get(FOLDER)
    command = sys.orig_argv[1:2]  # a program that a job starts has other arguments before it
    if not (folder and command and SCRIPTS in f"/{command[0]}"):
        return
    script = os.path.basename(command[0])  # noqa: PTH119
    note, written = os.pipe()
    earlier = time.process_time()
    job = os.fork()
    if job:
        os.close(written)
        wait_for(job, note, earlier, os.path.join(folder, f"{script}.tsv"))  # noqa: PTH118
    os.close(note)
    noted = Job(script, written, earlier)
    sys.meta_path.insert(0, noted)
    # Python calls this for every module that is not loaded yet, whoever asks for it.
    bootstrap: Any = sys.modules["_frozen_importlib"]
    bootstrap._find_and_load = noted.counted(bootstrap._find_and_load)
    atexit.register(noted.write)  # registered first: called last
    leave = os._exit  # by which a job ends whose work is done

    def write_and_leave(status: int) -> None:
        noted.write()
        leave(status)

    os._exit = write_and_leave  # type: ignore[assignment]


if __name__ == "sitecustomize":  # not where it is imported for a name in it
    run_the_environments_own()
    start()
