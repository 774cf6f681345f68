"""What a pattern stands for, found as a shell would find it; what is left out is said or counted.

The order is the file system's, as in :mod:`pairdx.deployment.walking`.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
from collections.abc import Iterator

from pairdx.deployment.entries import Entry, file_entry, said
from pairdx.deployment.walking import ENDINGS, HIDDEN, OTHER, UNLISTED, Walk

FOLDERS = "folders that a pattern stands for; named without a pattern they are gone through"
NOT_FOLLOWED = "a link to a folder; ** follows none (a folder named without a pattern is)"
_MAGIC = re.compile(r"[*?\[]")
# `*.dat` and `*.[jp]*` say what files end with; `*` and `*.*` do not.
_NAMES_AN_ENDING = re.compile(r"\.[^.]*[A-Za-z0-9][^.]*\Z")
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR)


def is_pattern(text: str) -> bool:
    """Say whether a text has signs that stand for others in names."""
    return _MAGIC.search(text) is not None


class Matches:
    """The files that a pattern stands for, to be gone through once.

    ``*``, ``?`` and ``[...]`` stand for signs within a name, and ``**`` for any folders, links
    among them left out. Hidden names are found by a pattern with a dot only. A pattern that says
    nothing of an ending takes what is an image by its name.

    Args:
        pattern: The text.
        source: The number of the input.
        walk: What counts the files that fit and are not taken, and knows the run's own.

    Attributes:
        any: Whether anything was called so, taken or not.
    """

    def __init__(self, pattern: str, source: int, walk: Walk) -> None:
        parts = [part for part in pattern.split("/") if part]
        # Of several ** in a row one says all.
        self._parts = [
            part for at, part in enumerate(parts) if part != "**" or parts[at - 1 : at] != ["**"]
        ]
        self._start = "/" if pattern.startswith("/") else ""
        self._source, self._walk = source, walk
        self._deep = "**" in parts
        last = parts[-1]
        self._all = not is_pattern(last) or _NAMES_AN_ENDING.search(last) is not None
        self._said: set[str] = set()  # of folders: a row for each, however often they are met
        self.any = False

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._below(self._start, self._parts):
            self.any = True
            yield entry

    def _below(self, folder: str, parts: list[str]) -> Iterator[Entry]:
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self._below(folder, rest or ["*"])
            yield from self._deeper(folder, parts)
        elif is_pattern(part):
            yield from self._fitting(folder, part, rest)
        else:
            path = os.path.join(folder, part)  # noqa: PTH118 - there may be many
            if rest:
                yield from self._below(path, rest)
            elif not _is_absent(path):
                yield from self._taken(path, part, is_folder=os.path.isdir(path))  # noqa: PTH112

    def _deeper(self, folder: str, parts: list[str]) -> Iterator[Entry]:
        for found in self._listed(folder):
            if isinstance(found, Entry):
                yield found
            elif not _is_folder(found):
                continue
            elif found.name.startswith("."):
                self._pass_over(HIDDEN)
            elif found.is_symlink():
                yield from self._row(_path_of(folder, found), NOT_FOLLOWED)
            else:
                yield from self._below(_path_of(folder, found), parts)

    def _fitting(self, folder: str, part: str, rest: list[str]) -> Iterator[Entry]:
        fits = re.compile(fnmatch.translate(part)).match
        for found in self._listed(folder):
            if isinstance(found, Entry):
                yield found
                continue
            if not fits(found.name):
                continue
            is_folder = _is_folder(found)
            if found.name.startswith(".") and not part.startswith("."):
                # Of hidden folders ** says so.
                if bool(rest) == is_folder and not (is_folder and self._deep):
                    self._pass_over(HIDDEN)
            elif not rest:
                yield from self._taken(_path_of(folder, found), found.name, is_folder=is_folder)
            elif is_folder:
                yield from self._below(_path_of(folder, found), rest)

    def _taken(self, path: str, name: str, *, is_folder: bool) -> Iterator[Entry]:
        if is_folder:
            self.any = True
            if not self._deep:
                self._pass_over(FOLDERS)
        elif name.lower().endswith(ENDINGS):
            yield file_entry(path, self._source)
        elif not self._walk.own.hold(path):
            if self._all:
                yield file_entry(path, self._source)
            else:
                self._pass_over(OTHER)

    def _listed(self, folder: str) -> Iterator[os.DirEntry[str] | Entry]:
        """Yield what is in a folder; nothing where there is none, and why where that is not it."""
        try:
            with os.scandir(folder or ".") as listed:
                yield from listed
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                yield from self._row(folder, UNLISTED.format(said(error)))

    def _row(self, folder: str, problem: str) -> Iterator[Entry]:
        if folder not in self._said:
            self._said.add(folder)
            yield file_entry(folder or ".", self._source, problem)

    def _pass_over(self, reason: str) -> None:
        self.any = True
        self._walk.passed_over[reason] += 1


def _path_of(folder: str, found: os.DirEntry[str]) -> str:
    return os.path.join(folder, found.name)  # noqa: PTH118 - as above


def _is_absent(path: str) -> bool:
    """Say whether there is surely nothing; what may not be looked at is said when it is opened."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno in _NOTHING_THERE
    except ValueError:  # a name with a zero byte
        return True
    return False


def _is_folder(found: os.DirEntry[str]) -> bool:
    try:
        return found.is_dir()
    except OSError:
        return False
