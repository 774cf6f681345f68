"""Jobs of Snakemake without the two to eight seconds of CPU that their imports take.

A server that has imported what jobs import (and nothing of the library, which a test may edit)
forks once for each job; the child goes to the job's folder, takes its environment and streams, and
runs its script as the command would. Snakemake starts a small client in place of Python, which
passes these on and waits. What importing itself does wrong shows where jobs are started as users
start them: in what tests run again of the demo, and on a SLURM. A benchmark counts the client's CPU
time here.
"""

from __future__ import annotations

import array
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

IMPORTED = (
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.special", "scipy.optimize"),
    *("sklearn.linear_model", "sklearn.pipeline", "sklearn.feature_extraction.text"),
    *("matplotlib.pyplot", "seaborn", "PIL.Image", "imagehash", "jinja2", "jsonschema", "tabulate"),
    *("torch", "torchvision", "timm", "open_clip", "peft", "safetensors.torch", "h5py"),
    *("snakemake.script", "snakemake.iocontainers", "snakemake.utils"),
)
CLIENT = """#!{python} -ISE
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
server.sendmsg([len(request).to_bytes(8, "big")], streams)
server.sendall(request)
sys.exit(int(server.recv(16) or b"1"))
"""


class ForkedJobs:
    """A server of jobs and the client that stands for Python. A context manager."""

    def __enter__(self) -> ForkedJobs:
        self._folder = tempfile.TemporaryDirectory()
        address = str(Path(self._folder.name, "jobs"))
        self.client = Path(self._folder.name, "python")
        code = CLIENT.format(python=sys.executable, address=address)
        self.client.write_text(code, encoding="utf-8")
        self.client.chmod(0o755)
        self._server = subprocess.Popen(
            [sys.executable, __file__, "serve", address], stdout=subprocess.PIPE
        )
        assert self._server.stdout is not None
        self._server.stdout.readline()  # it listens
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.communicate()
        self._folder.cleanup()

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command that runs Snakemake with such jobs."""
        return [sys.executable, __file__, "snakemake", str(self.client), *arguments]


def _serve(address: str) -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for children
    print("ready", flush=True)
    while True:
        connection, _ = listening.accept()
        if not os.fork():
            listening.close()
            _answer(connection)
        connection.close()


def _answer(connection: socket.socket) -> None:
    """Be the job that the client asks for, and tell it the exit status."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        size, passed, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(3 * array.array("i").itemsize))
        streams = array.array("i", passed[0][2])
        request = b""
        while len(request) < int.from_bytes(size, "big"):
            request += connection.recv(1 << 20)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        status = _status_of(*json.loads(request))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        connection.sendall(str(status).encode())
        os._exit(status)


def _status_of(arguments: list[str], folder: str, environment: dict[str, str]) -> int:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).parent)
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _run_snakemake(client: str, arguments: list[str]) -> None:
    from snakemake.cli import main

    sys.executable = client  # what Snakemake starts scripts with
    sys.argv = ["snakemake", *arguments]
    sys.path[0] = ""
    main()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(sys.argv[2])
    else:
        _run_snakemake(sys.argv[2], sys.argv[3:])
