"""Snakemake without the CPU time that importing it takes: a process that has imported it forks.

Every request becomes a process of its own, which goes to a folder and calls what the command
`snakemake` calls. Only the imports are shared, so one call learns nothing of another. Run as a
script, this is the process that forks; :class:`ForkedSnakemake` starts it and talks to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# What Snakemake imports only while it runs.
LATE = ("report.html_reporter", "script", "storage", "assets", "profiles")


class ForkedSnakemake:
    """A process that forks, once for each call. A context manager."""

    def __enter__(self) -> ForkedSnakemake:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self, arguments: Sequence[str], folder: Path, environment: dict[str, str]
    ) -> tuple[int, str]:
        """Run Snakemake and return its exit status and what it printed.

        Args:
            arguments: Of the command line, without the command.
            folder: Where it runs.
            environment: All of its environment variables.

        Raises:
            RuntimeError: The process that forks has ended.
        """
        with tempfile.NamedTemporaryFile() as output:
            request = [list(arguments), str(folder), environment, output.name]
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
            if not answer:
                raise RuntimeError("the process that forks Snakemake has ended")
            return int(answer), Path(output.name).read_text(encoding="utf-8")


def _answer(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> int:
    """Fork, run Snakemake in the child, and return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        file = os.open(output, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(file, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["snakemake", *arguments]
        sys.path[0] = folder
        status = _status_of_snakemake()
    finally:
        os._exit(status)


def _status_of_snakemake() -> int:
    import traceback

    from snakemake.cli import main

    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    else:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def main() -> None:
    """Import Snakemake, then answer one request per line of the input until it ends."""
    import importlib

    for name in ("cli", *LATE):
        importlib.import_module(f"snakemake.{name}")
    for line in sys.stdin:
        print(_answer(*json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
