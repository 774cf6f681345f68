"""A row of a table as an entry: where the file that it names lies, and whether it has a caption."""

from __future__ import annotations

import os

from pairdx.deployment.entries import Entry, as_bytes, shown

NO_CAPTION = "no caption; this system reads captions"
NO_FILE = "no file is named"
LEADS_OUT = "a path that leads out of the folder of images (--absolute-paths allows it)"
LINKS_OUT = "a link that leads out of the folder of images (--absolute-paths allows it)"
NO_NAME = "what stands for a file is no name of one"
BACKSLASHES = "no such file (between folders stands / here, and this name has backslashes)"
BLANKS = "no such file (its name has blanks around it)"
# What spreadsheets and programs write where there is nothing.
_NOTHING = frozenset({"nan", "none", "null", "n/a", "na", "<na>"})


class Cells:
    """Makes entries of rows.

    Args:
        start: The folder of images, which paths start from.
        anywhere: Whether they may lead out of it.
        opens: Whether the system reads images; else no path is looked at.
    """

    def __init__(self, start: str, *, anywhere: bool, opens: bool) -> None:
        self._start = os.fsencode(start)
        self._within = os.path.realpath(self._start)
        self._anywhere, self._opens = anywhere, opens

    def entry(self, number: int, named: str, written: str | None, problem: str) -> Entry:
        """Make an entry.

        Args:
            number: Of the row, from 1 on.
            named: The cell of the file.
            written: That of the caption; None: the system reads none.
            problem: What is wrong with the row, or "".
        """
        path = b""
        if not problem and self._opens:
            path, problem = self._path(named)
        if not problem and written is not None:
            problem = missing(written)
        return Entry(shown(named), path, number, written or "", problem)

    def _path(self, named: str) -> tuple[bytes, str]:
        """Return the file that a cell names, and what is wrong with it."""
        if not named.strip():
            return b"", NO_FILE
        try:
            name = as_bytes(named)
        except UnicodeEncodeError:
            return b"", NO_NAME
        if b"\0" in name:
            return b"", NO_NAME
        # Of `a/../b` b is meant, wherever a may lead.
        path = os.path.normpath(os.path.join(self._start, name))  # noqa: PTH118
        if not self._anywhere:
            if os.path.isabs(name) or not _inside(path, self._start):  # noqa: PTH117
                return b"", LEADS_OUT
            if not _inside(os.path.realpath(path), self._within):
                return b"", LINKS_OUT
        strange = BACKSLASHES if b"\\" in name else BLANKS if named != named.strip() else ""
        if strange and not os.path.lexists(path):
            return b"", strange
        return path, ""


def _inside(path: bytes, folder: bytes) -> bool:
    return path.startswith(folder.rstrip(b"/") + b"/")


def missing(caption: str) -> str:
    """Say why a table's text is no caption, or "": it is empty, or what is written for nothing."""
    text = caption.strip()
    if not text:
        return NO_CAPTION
    return f"no caption: {text!r} is written for nothing" if text.lower() in _NOTHING else ""
