"""One row of what is to be classified, before anything of it is opened."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass

# What every run's problems are counted by stands before these signs; details stand behind.
_DETAILS = re.compile(r"\s*[:;(]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document.

    Attributes:
        shown: What the output calls it.
        path: The file to open, as the operating system spells it; b"" where there is none.
        row: Of a table, from 1 on; None otherwise.
        caption: "" where there is none.
        problem: Why it cannot be classified, if that is known; else "".
        source: The number of the input that it is from.
    """

    shown: str
    path: bytes = b""
    row: int | None = None
    caption: str = ""
    problem: str = ""
    source: int = 0


def shown(name: str) -> str:
    """Return a name as text that every format can hold, other bytes by their numbers."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def file_entry(name: str, source: int = 0, problem: str = "") -> Entry:
    """Make an entry of a file, or of a folder with a problem, by its path."""
    path = os.fsencode(name)
    with suppress(UnicodeDecodeError):
        name = path.decode("utf-8")  # whatever the system takes names for
    return Entry(shown(name), path, problem=problem, source=source)


def as_bytes(name: str) -> bytes:
    """Return a name from a table as the operating system spells it.

    Where the system's encoding lacks its letters (the C locale), names of files are UTF-8.

    Raises:
        UnicodeEncodeError: No file can be called so.
    """
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    """Return a text for a terminal: signs that would steer it by their numbers."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def reason_of(problem: str) -> str:
    """Return what a problem is counted by: the sentence without its details, to be printed."""
    reason = printable(_DETAILS.split(problem, maxsplit=1)[0])
    return "refused for its size in pixels" if reason == "refused" else reason


def said(error: OSError) -> str:
    """Return the operating system's words for an error."""
    return error.strerror or type(error).__name__
