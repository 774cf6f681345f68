"""Files of folders, found one by one; what is kept in memory is of folders alone.

The order is the file system's; whoever numbers the files sorts them first.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pairdx.deployment.entries import Entry, file_entry, said

# What is taken for an image by its name. Of those that are not read, the row says how to convert.
ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib"),
    *(".gif", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".dcm", ".pbm", ".pgm", ".ppm"),
)
HIDDEN, OTHER = "hidden files and folders", "files that are no images by their names"
UNLISTED = "a folder that cannot be listed ({})"


class OwnFiles:
    """What a run writes while it lists: files of no concern to who counts what is passed over.

    Args:
        output: The table that it will write; None: nothing.
        endings: Of the files beside it.
    """

    def __init__(self, output: str | None = None, endings: Iterable[str] = ()) -> None:
        place = None if output is None else _place(output)
        self._paths = frozenset(() if place is None else (place + one for one in endings))
        self._names = {path.rpartition("/")[2] for path in self._paths}

    def hold(self, path: str) -> bool:
        """Say whether a file is one of them."""
        return path.rpartition("/")[2] in self._names and _place(path) in self._paths


def _place(path: str) -> str:
    """Return where a file lies, itself perhaps a link, by a path without links."""
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


class Walk:
    """One pass through folders.

    Attributes:
        own: The run's own files, which are not counted.
        passed_over: Files (and hidden folders) that were not taken, by reason.
    """

    def __init__(self, own: OwnFiles) -> None:
        self.own = own
        self.passed_over: Counter[str] = Counter()

    def folder(self, top: str, source: int) -> Iterator[Entry]:
        """Yield the images of a folder and its sub-folders.

        Links to folders are followed, after all else and each folder once: one that leads to where
        the walk has been has a row that says so, as has a folder that cannot be listed.
        """
        been: set[tuple[int, int]] = set()
        links: list[str] = []
        yield from self._tree(top, source, been, links)
        while links:
            links.sort(reverse=True)
            link = links.pop()
            if file_identity(link) in been:
                yield file_entry(
                    link, source, "a link to a folder that is listed already; it is not followed"
                )
            else:
                yield from self._tree(link, source, been, links)

    def _tree(
        self, top: str, source: int, been: set[tuple[int, int]], links: list[str]
    ) -> Iterator[Entry]:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if (identity := file_identity(folder)) is not None:
                been.add(identity)
            try:
                with os.scandir(folder) as listed:
                    for found in listed:
                        yield from self._one(found, source, waiting, links)
            except OSError as error:
                yield file_entry(folder, source, UNLISTED.format(said(error)))

    def _one(
        self, found: os.DirEntry[str], source: int, waiting: list[str], links: list[str]
    ) -> Iterator[Entry]:
        if found.name.startswith("."):
            self.passed_over[HIDDEN] += 1
            return
        try:
            linked = found.is_symlink()
            is_folder = found.is_dir()
        except OSError as error:
            if error.errno == errno.ELOOP:
                yield file_entry(found.path, source, "a link that leads in a circle")
                return
            linked = is_folder = False  # reading it will say what is wrong
        if is_folder:
            (links if linked else waiting).append(found.path)
        elif found.name.lower().endswith(ENDINGS):
            yield file_entry(found.path, source)
        elif not self.own.hold(found.path):
            self.passed_over[OTHER] += 1


def file_identity(path: str | bytes | Path) -> tuple[int, int] | None:
    """Return what a file is known by, whatever path leads to it; None if it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - names may be any bytes, and there may be many
    except OSError:
        return None
    return status.st_dev, status.st_ino
