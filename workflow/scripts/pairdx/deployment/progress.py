"""How far a run is: a bar on a terminal, a line per minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pairdx.logs import logger

SECONDS_BETWEEN_LINES = 60.0


class Progress:
    """Counts documents.

    Args:
        total: How many there are.
        before: How many of them were done by an earlier run.
        bar: tqdm's, or None.
        quiet: Whether nothing is said.
    """

    def __init__(self, total: int, before: int, bar: Any, *, quiet: bool) -> None:
        self._total, self._done, self._bar, self._quiet = total, before, bar, quiet
        self._begun = self._last = time.monotonic()
        self._before = before

    def add(self, count: int) -> None:
        """Count further documents."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif not self._quiet and time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            speed = (self._done - self._before) / (self._last - self._begun)
            logger.info(
                "%s of %s classified, %.0f per second, %.0f minutes left",
                f"{self._done:,}",
                f"{self._total:,}",
                speed,
                (self._total - self._done) / speed / 60,
            )


@contextmanager
def progress(total: int, before: int, *, quiet: bool) -> Iterator[Progress]:
    """Show the progress of a run while the block runs, on the error stream."""
    if quiet or not sys.stderr.isatty():
        yield Progress(total, before, None, quiet=quiet)
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield Progress(total, before, None, quiet=quiet)
        return
    with tqdm(total=total, initial=before, unit=" files", smoothing=0.1, delay=0.5) as bar:
        yield Progress(total, before, bar, quiet=quiet)
