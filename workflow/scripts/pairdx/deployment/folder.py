"""A deployed system as it lies on disk, read and checked before anything is classified.

The folder is made by the workflow and copied to wherever it is used. It needs nothing beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from pairdx.deployment.facts import problem_of, problem_of_words, shown
from pairdx.errors import PairDxError

FORMAT = 1
FACTS, GRAPH, CARD, SUMS = "deployment.json", "model.onnx", "README.md", "SHA256SUMS"
MADE_BY = "name a folder that `snakemake deployed` made, whole and unchanged"
_SUM_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_CHUNK = 1 << 20  # bytes
WEIGHTS = "weights/"  # for libraries of others: nothing here loads what is below


class ChangedError(PairDxError):
    """A deployed folder is no longer what it was when a run or a page began with it."""


@dataclass(frozen=True)
class DeployedFolder:
    """What a deployed folder says of its system.

    Attributes:
        path: The folder.
        facts: Its deployment.json.
    """

    path: Path
    facts: Mapping[str, Any]

    @property
    def labels(self) -> list[str]:
        """The C classes, in the order of the probabilities."""
        return [label for label, _ in self.facts["classes"]]

    @property
    def names(self) -> dict[str, str]:
        """Display name of every class, by label."""
        return dict(self.facts["classes"])

    @property
    def reads_images(self) -> bool:
        """Whether the system looks at images."""
        return "image" in self.facts["reads"]

    @property
    def reads_captions(self) -> bool:
        """Whether the system reads captions."""
        return "caption" in self.facts["reads"]

    @property
    def several(self) -> bool:
        """Whether any number of classes can be true of an image."""
        return bool(self.facts["task"] == "multi_label")

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the list of its files' checksums: two folders with the same are the same."""
        return hashlib.sha256(_content(self.path / SUMS)).hexdigest()

    @property
    def needed(self) -> list[str]:
        """Files that it cannot do without."""
        text = self.facts["text"]
        return [FACTS, GRAPH, *([] if text is None else [text["vocabulary"]])]

    def require_unchanged(self, identity: str) -> None:
        """Compare all that is loaded of it with what was there when a run began.

        A graph may have its weights in files beside it: all count but the card and what
        :data:`WEIGHTS` holds.

        Args:
            identity: What :attr:`identity` was then.

        Raises:
            ChangedError: Its list of checksums, or a file, is another.
        """
        try:
            check_sums(self.path, identity=identity, loaded=True)
            if _json(self.path / FACTS) != self.facts:
                raise _damaged("this file is not as it was read", self.path / FACTS)
        except PairDxError as error:
            raise changed(error) from error

    def words(self) -> list[str]:
        """The words that its text branch knows, in the order of their numbers; none without one.

        Raises:
            PairDxError: The file is missing or holds something else.
        """
        text = self.facts["text"]
        if text is None:
            return []
        words: Any = _json(self.path / text["vocabulary"]).get("words")
        if (problem := problem_of_words(words)) is not None:
            raise _damaged(problem, self.path / text["vocabulary"])
        return list(words)


def changed(error: PairDxError) -> ChangedError:
    """Return what an error means that a folder gives which was sound before."""
    return ChangedError(
        f"the system was changed while it was in use: {error.what}",
        where=error.where,
        remedy="put it back as it was and give the same command again, which keeps what is "
        "classified; or begin anew with --restart. Leave it alone meanwhile",
    )


def read_folder(path: str | Path, *, checked: bool = True) -> DeployedFolder:
    """Read a deployed folder.

    Args:
        path: The folder.
        checked: Whether every file is read once and compared with its checksum.

    Raises:
        PairDxError: It is no such folder, of another format, says of itself what cannot be, or a
            file is missing or changed.
    """
    path = Path(path)
    if not (path / FACTS).is_file():
        raise PairDxError(f"there is no {FACTS} in it", where=path, remedy=MADE_BY)
    facts = _json(path / FACTS)
    if facts.get("format") != FORMAT:
        raise PairDxError(
            f"this is a deployed system of format {shown(facts.get('format'))}, and format "
            f"{FORMAT} is read here",
            where=path / FACTS,
            remedy="deploy the system again with this version of the workflow, or use that one",
        )
    if (problem := problem_of(facts)) is not None:
        raise _damaged(problem, path / FACTS)
    folder = DeployedFolder(path, facts)
    if checked:
        check_sums(path, identity=folder.identity, needed=folder.needed)
    return folder


def check_sums(
    path: Path,
    *,
    identity: str | None = None,
    needed: Collection[str] = (FACTS, GRAPH),
    loaded: bool = False,
) -> None:
    """Compare files of a deployed folder with their checksums.

    Args:
        path: The folder.
        identity: What :attr:`DeployedFolder.identity` should be; None: whatever it is.
        needed: Files that must be listed.
        loaded: Whether only those are read that something here may load.

    Raises:
        PairDxError: A file is missing, changed or not listed.
    """
    content = _content(path / SUMS)
    if identity is not None and hashlib.sha256(content).hexdigest() != identity:
        raise _damaged("its list of checksums is another", path / SUMS)
    listed = _listed(content, path / SUMS)
    for name in needed:
        if name not in listed:
            raise _damaged(f"{name} is not listed", path / SUMS)
    for name, expected in listed.items():
        if loaded and (name == CARD or name.startswith(WEIGHTS)):
            continue
        if _sha256(path / name) != expected:
            raise _damaged("this file is not as it was written", path / name)


def _listed(content: bytes, where: Path) -> dict[str, str]:
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _damaged("its list of checksums cannot be read", where) from error
    listed = {}
    for line in lines:
        found = _SUM_LINE.fullmatch(line)
        if found is None or Path(found[2]).is_absolute() or ".." in Path(found[2]).parts:
            raise _damaged("a line is no checksum with a file of this folder", where)
        listed[found[2]] = found[1]
    return listed


def require_plain(path: Path) -> None:
    """Refuse what is no plain file: whoever opens a pipe waits for somebody to write to it.

    Raises:
        PairDxError: It is none, or is missing.
    """
    _plain(path).close()


def _plain(path: Path) -> BinaryIO:
    """Open a file, if it is a plain one."""
    try:
        _require_plain(path.stat(), path)
        # It may have become something else in between.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        try:
            _require_plain(os.fstat(file.fileno()), path)
        except PairDxError:
            file.close()
            raise
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "its list of checksums cannot be read: it" if path.name == SUMS else "this file"
        raise _damaged(f"{what} is missing", path) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return file


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with _plain(path) as file:
        try:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        except OSError as error:
            raise _unreadable(path, error) from error
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """Return the bytes of a small file."""
    with _plain(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise _unreadable(path, error) from error


def _json(path: Path) -> dict[str, Any]:
    content = _content(path)
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # NaN, and brackets in thousands, too
        raise _damaged("this file cannot be read", path) from error
    if not isinstance(found, dict):
        raise _damaged("this file holds something else", path)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _require_plain(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _damaged("this is no plain file", path)


def _unreadable(path: Path, error: Exception) -> PairDxError:
    said = error.strerror if isinstance(error, OSError) else None
    what = "its list of checksums" if path.name == SUMS else "this file"
    return _damaged(f"{what} cannot be read ({said or error})", path)


def _damaged(what: str, where: Path) -> PairDxError:
    return PairDxError(what, where=where, remedy=f"copy the folder again: {MADE_BY}")
