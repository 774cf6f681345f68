"""A job's log: every line goes to the rule's log file and to the screen."""

from __future__ import annotations

import atexit
import errno
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pairdx.errors import PairDxError
from pairdx.storage_errors import error_number, storage_error

logger = logging.getLogger("pairdx")
Item = TypeVar("Item")

SECONDS_BETWEEN_PROGRESS_LINES = 5.0

# Whether this process is a job of the workflow whose work is done and logged.
_done = False


@atexit.register
def _leave() -> None:
    """End a job whose work is done without taking its modules down one by one.

    That takes a second of CPU time once torchvision is loaded, in every such job. Registered before
    PyTorch is imported, this is called after what PyTorch and others registered. An error after the
    work takes the usual way out, and so does every process that is no script of Snakemake's. (A
    script that called sys.exit after its work would not be heard: none does, all do it within.)
    """
    if _done and not hasattr(sys, "last_value"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def job_log(path: str | Path) -> Iterator[logging.Logger]:
    """Log to ``path`` and to the screen while the block runs; an error is written there too.

    A :class:`PairDxError` is a message for the user: it is logged without a traceback and ends the
    process with exit status 1. So does what the storage refused, whose place in the code is shown
    too unless a file is named. Any other exception is logged with its traceback and raised.
    """
    global _done
    handlers: list[logging.Handler] = [_file_handler(Path(path)), logging.StreamHandler(sys.stderr)]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # some libraries print what reaches the root logger a second time
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(handlers[0])
    succeeded = False
    try:
        yield logger
        succeeded = True
    except PairDxError as error:
        logger.error("Error: %s", error)  # noqa: TRY400 - the traceback is of no use to the reader
        sys.exit(1)
    except Exception as error:
        if (known := storage_error(error)) is not None:
            place = known.where is None or _is_gone(error)
            logger.error("Error: %s", known, exc_info=place)  # noqa: TRY400 - where it helps
            sys.exit(1)
        logger.exception(
            "This is a defect of the workflow, not of your input; the traceback follows."
        )
        raise
    finally:
        _done = succeeded and hasattr(sys.modules["__main__"], "snakemake")
        logger.propagate = True
        for handler in handlers:
            logger.removeHandler(handler)
            logging.getLogger("py.warnings").removeHandler(handler)
            with suppress(OSError):  # a full disk, on which the last lines are lost
                handler.close()


def _file_handler(path: Path) -> logging.Handler:
    """Open a log; the job ends where the storage refuses, saying so on the screen alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # a file name that is not UTF-8 must not cost the line that names it
        return logging.FileHandler(path, mode="w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        known = storage_error(error, path)
        if known is None:
            raise
        sys.exit(f"Error: the job's log cannot be written: {known}")


def _is_gone(error: Exception) -> bool:
    """Say whether a file is missing, which may be a defect after all: its place is of use."""
    return error_number(error) == errno.ENOENT


class _LogStream:
    """Where tqdm writes: each state of the bar becomes one line of the log."""

    def write(self, text: str) -> None:
        text = text.strip("\r\n ")
        if text:
            logger.info("%s", text)

    def flush(self) -> None:
        """Do nothing: the log's handlers flush themselves."""


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterable[Item]:
    """Iterate over ``items`` and log a progress line every few seconds, if it takes so long."""
    from tqdm import tqdm  # not at the head: the cluster check logs where packages are missing

    return tqdm(
        items,
        desc=description,
        total=total,
        file=_LogStream(),
        ascii=True,
        ncols=90,
        leave=False,
        delay=SECONDS_BETWEEN_PROGRESS_LINES,
        mininterval=SECONDS_BETWEEN_PROGRESS_LINES,
        maxinterval=SECONDS_BETWEEN_PROGRESS_LINES,
    )
