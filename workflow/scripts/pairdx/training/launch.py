"""A module of this library as several processes under torchrun, on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pairdx.errors import PairDxError
from pairdx.logs import logger

LIBRARY = Path(__file__).resolve().parents[2]


def run_together(module: str, arguments: Sequence[str], processes: int) -> None:
    """Run ``python -m module arguments`` as so many processes and log what they print.

    SIGTERM is passed on to them; they have as long as this process to react.

    Args:
        module: Its ``__main__`` part joins the team (:func:`pairdx.training.distributed`).
        arguments: Its command line.
        processes: How many, each with a GPU of its own if it asks for one.

    Raises:
        PairDxError: One of them failed; what it printed stands in the log.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", "--module", module, *arguments]
    paths = [str(LIBRARY), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    # torchrun sets this to 1 with a warning; the processes set their number of threads themselves.
    environment.setdefault("OMP_NUM_THREADS", "1")
    # What they print is read as UTF-8 below, whatever the locale.
    environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    running = subprocess.Popen(  # noqa: S603 - this Python, with arguments of our own
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    with running, _sigterm_passed_on(running):
        for line in running.stdout or ():
            logger.info("%s", line.rstrip())
    if running.returncode:
        raise PairDxError(
            f"training in {processes} processes ended with exit status {running.returncode}",
            where="training",
            remedy="the first error above says why; a training that was interrupted goes on from "
            "its last state when it is started again",
        )


@contextmanager
def _sigterm_passed_on(running: subprocess.Popen[str]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        running.send_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is pass_on:
            signal.signal(signal.SIGTERM, before)
