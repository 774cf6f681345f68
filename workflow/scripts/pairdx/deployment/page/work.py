"""One thread that does the page's work, and how many requests may wait for it.

Making a square of the largest image that is decoded takes some 0.7 GB for a moment. glibc keeps
what a thread frees in a heap of that thread, so that every thread that ever decoded one held its
own 0.7 GB for good. Here all of it happens in one, after whose work the system gets it back.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import BoundedSemaphore
from typing import TypeVar

# Beside the one that is worked on. The server has more threads than these, so that pages without
# work, and the answer that there is too much of it, never wait.
MOST_WAITING = 2
BUSY = "The page is busy with other requests: try again in a moment."
ENDED = "The page is being ended."

Answer = TypeVar("Answer")


class BusyError(Exception):
    """There is no time for a request; a sentence for whoever sent it."""


class Worker:
    """What does one thing after the other, always in the same thread."""

    def __init__(self) -> None:
        self._give_back = _giver_back()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="classifies")
        self._places = BoundedSemaphore(1 + MOST_WAITING)

    def do(self, work: Callable[[], Answer]) -> Answer:
        """Return what work returns, done when its turn comes; it sees the caller's request.

        Raises:
            BusyError: Enough others wait, or the page is being ended.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError(BUSY)
        try:
            return self._thread.submit(self._done, copy_context(), work).result()
        except CancelledError:
            raise BusyError(ENDED) from None
        finally:
            self._places.release()

    def _done(self, context: Context, work: Callable[[], Answer]) -> Answer:
        try:
            return context.run(work)
        finally:
            self._give_back(0)

    def close(self) -> None:
        """Let what is worked on come to its end, and nothing that waits."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _giver_back() -> Callable[[int], object]:
    """Return what gives freed memory back to the system: glibc's malloc_trim, where that is."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another library, or another system
        return int
    return trim
