"""The three streams of a process from a shell: there although it closed them, and said if full."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> None:
    """Open the null device where a shell closed a stream (``>&-``).

    The next file to be opened would get its number: a journal would be what errors are printed to.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def printed(text: str) -> OSError | None:
    """Print a text; return what kept that from being done, if something did."""
    try:
        print(text, flush=True)
    except OSError as error:
        _silence(sys.stdout)
        return error
    return None


def say(text: str) -> None:
    """Print a text on the error stream, if that can be done: there is nowhere else to say it."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def settle() -> None:
    """Let what was not printed go, which would be tried again, and said, as the process ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _silence(stream)


def _silence(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
