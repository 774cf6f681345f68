"""SIGTERM: noted, and obeyed when the training state is safe.

SLURM sends it at a time limit, a cancellation or a preemption, sometimes twice, and kills the job
30 seconds later.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pairdx.errors import PairDxError


class InterruptedTrainingError(PairDxError):
    """The job was told to stop, and its training state is in place."""


def told_to_stop(epochs: int, steps: int, *, kept: bool) -> InterruptedTrainingError:
    """Say that SIGTERM came, after how much, and whether a state of it was written."""
    return InterruptedTrainingError(
        f"the job was told to stop (SIGTERM) after {epochs} epochs and {steps} steps of the next",
        where="training",
        remedy="start it again: it goes on from there"
        if kept
        else "start it again; no state was kept",
    )


class StopRequest:
    """Whether this process was told to stop.

    Attributes:
        made: True from the first SIGTERM on.
    """

    def __init__(self) -> None:
        self.made = False

    def note(self, signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Note the request; further ones change nothing."""
        self.made = True


@contextmanager
def sigterm_noted() -> Iterator[StopRequest]:
    """Note SIGTERM inside the block instead of ending at once.

    A process that was told to stop ignores SIGTERM after the block too: it is on its way out, and a
    second one must not cut short its last words. Outside the main thread, where Python can
    set no handlers, nothing is noted.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = signal.signal(signal.SIGTERM, request.note)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if request.made else before)
