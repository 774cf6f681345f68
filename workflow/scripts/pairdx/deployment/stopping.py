"""What is asked of a run from outside: to end, by Ctrl-C, a signal, or a closed terminal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pairdx.errors import PairDxError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(PairDxError):
    """A run was asked to end before it was through.

    Attributes:
        number: The signal's number.
    """

    def __init__(self, number: int, *, where: object, remedy: str) -> None:
        super().__init__(
            f"stopped by {signal.Signals(number).name} before the end", where=where, remedy=remedy
        )
        self.number = number


class Stop:
    """Whether a stop was asked for.

    Attributes:
        number: The signal; 0 where there was none.
    """

    number = 0

    def __call__(self) -> bool:
        """Say whether it was."""
        return self.number != 0


@contextmanager
def listening() -> Iterator[Stop]:
    """Note signals while the block runs, in place of dying of them; a second one counts as ever.

    Only the main thread hears signals; elsewhere nothing is changed.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, _: FrameType | None) -> None:
        stop.number = number
        for one in SIGNALS:
            if before[one] is not None:
                signal.signal(one, before[one])

    try:
        for number in SIGNALS:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, note)
        yield stop
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
