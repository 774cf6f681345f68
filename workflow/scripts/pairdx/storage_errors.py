"""What storage says, in a user's words: the site's troubles, and no defects of the workflow."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from platform import node

from pairdx.errors import PairDxError

_AGAIN = "start again: what is finished is kept, and work goes on from there"
_FULL = ("there is no room left on the disk, or in your quota on it", f"make room and {_AGAIN}")
_FORBIDDEN = (
    "this may not be read or written by the user who runs this",
    "look at its owner and rights, and at its folder's (ls -ld), have them changed (chmod, chown), "
    f"and {_AGAIN}",
)
_GONE = (
    "this is not there, or not any more",
    "if results or state were removed or moved while the job ran (by hand, by a clean-up of "
    "scratch storage), start again: what is missing is made again; if it is missing every time, "
    "please report that with this log",
)
_FAILING = (
    "the storage did not answer, or answered with an error ({said})",
    f"when it answers again, {_AGAIN}; if that goes on, tell those who look after the storage",
)
_TOO_MANY = (
    "more files or processes are asked for than this user may have ({said})",
    "raise the limit (ulimit -n, ulimit -u) or ask for fewer threads, and start again",
)
_REMOVE = "move it out of the way and start again"

# By the operating system's number: what is wrong, and what to do.
_MEANINGS: dict[int, tuple[str, str]] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _FORBIDDEN),
    errno.ENOENT: _GONE,
    errno.EROFS: (
        "this file system can be read but not written",
        "a disk or its server may have failed, or it was never meant to be written: ask those who "
        f"look after it, or work in another folder; then {_AGAIN}",
    ),
    **dict.fromkeys(
        (
            *(errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.EREMOTEIO),
            *(errno.ESHUTDOWN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EBUSY, errno.ENOLCK),
            errno.EUCLEAN,  # a file system that found itself damaged
        ),
        _FAILING,
    ),
    errno.EISDIR: ("a folder stands where a file belongs", _REMOVE),
    errno.ENOTEMPTY: ("a folder stands where a file belongs", _REMOVE),
    errno.ENOTDIR: ("a file stands where a folder belongs", _REMOVE),
    errno.EEXIST: ("a file stands where a folder belongs", _REMOVE),
    errno.EFBIG: (
        "a file would be larger than this user's files, or files there, may be",
        "raise the limit (ulimit -f) or work on another file system, and start again",
    ),
    errno.ENAMETOOLONG: (
        "the path is longer than this file system allows",
        "put the workflow into a folder with a shorter path",
    ),
    errno.ELOOP: ("links lead in a circle", "mend the link and start again"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.EAGAIN), _TOO_MANY),
    errno.ENOMEM: (
        "there is no memory left for the job",
        "ask for more, in the profile under set-resources: RULE: mem_mb, and start again",
    ),
}
# Nothing but writing meets these.
OF_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
# Networks answer so too: of these, what names a file is meant.
_ALSO_OF_NETWORKS = frozenset(
    {errno.ENOTCONN, errno.ESHUTDOWN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EPERM, errno.EACCES}
)
# As safetensors and Arrow raise them, without a number.
_BY_KIND = {
    FileNotFoundError: errno.ENOENT,
    PermissionError: errno.EACCES,
    IsADirectoryError: errno.EISDIR,
    NotADirectoryError: errno.ENOTDIR,
}
# Others say it in words: (os error 28), errno 28.
_IN_WORDS = re.compile(r"\b(?:os error|errno:?) (\d+)")
_NOWHERE = re.compile(r"No usable temporary directory found in \[(.*)\]", re.DOTALL)
# The last resort; of these, what a message says is meant.
_SAID_BY_NAME = {
    os.strerror(number): number
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.EIO)
}


def storage_error(error: BaseException, path: str | Path | None = None) -> PairDxError | None:
    """Say what an error means if it is one of storage (or of a limit on files), or return None.

    Args:
        error: Any exception; what it was raised from is looked at too.
        path: The file that was worked on. An error that names another file keeps that.
    """
    for one in _with_causes(error):
        if nowhere := _NOWHERE.search(str(one)):
            return _no_temporary_folder(re.findall(r"'([^']*)'", nowhere[1]))
        number = _asked_of(path, one) or error_number(one)
        if number not in _MEANINGS:
            continue
        named = _named_by(one)
        if number in _ALSO_OF_NETWORKS and named is None and path is None:
            continue
        what, remedy = _MEANINGS[number]
        where = path if named is None else named
        if where is not None and number in OF_WRITING and _is_temporary(Path(where)):
            remedy = f"it is the folder of temporary files (TMPDIR names another): {remedy}"
        said = os.strerror(number)
        return PairDxError(what.format(said=said), where=where, remedy=remedy)
    return None


@contextmanager
def storage_errors_at(path: str | Path) -> Iterator[None]:
    """Name the file that the block works on in what the storage says.

    Raises:
        PairDxError: The storage refused; other errors pass as they are.
    """
    try:
        yield
    except OSError as error:
        if (found := storage_error(error, path)) is not None:
            raise found from error
        raise


def error_number(error: BaseException) -> int | None:
    """Return the operating system's number of an error, also where a library has it in words."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    kind = next((kind for kind in _BY_KIND if isinstance(error, kind)), None)
    if kind is not None:
        return _BY_KIND[kind]
    said = str(error)
    if in_words := _IN_WORDS.search(said):
        return int(in_words[1])
    return next((number for words, number in _SAID_BY_NAME.items() if words in said), None)


def _asked_of(path: str | Path | None, error: BaseException) -> int | None:
    """Ask for the reason where a library has none (safetensors: what is refused is missing)."""
    if path is None or not isinstance(error, FileNotFoundError) or error.errno is not None:
        return None
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as refused:
        return refused.errno
    return None


def is_refusal_of_storage(error: BaseException) -> bool:
    """Say whether an error is the storage's and not a single file's: another file would fail too.

    Where many files are read and an unreadable one is counted and passed over, it must not be.
    """
    number = error_number(error)
    meaning = _MEANINGS.get(number) if number is not None else None
    return meaning in (_FORBIDDEN, _FAILING, _TOO_MANY)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _named_by(error: BaseException) -> str | None:
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    return os.fsdecode(name) if isinstance(name, str | bytes) else None


def _is_temporary(path: Path) -> bool:
    folder = os.environ.get("TMPDIR") or tempfile.tempdir or "/tmp"  # noqa: S108 - only compared
    return path.is_absolute() and path.is_relative_to(folder)


def check_temporary_folder() -> None:
    """Try whether temporary files can be written: what fails for want of them does not say so.

    A folder that is missing or forbidden is passed over by Python, for /tmp; a full one is not
    passed over by everybody (Snakemake's scheduler takes TMPDIR as it is).

    Raises:
        PairDxError: They cannot.
    """
    named = (os.environ.get(variable) for variable in ("TMPDIR", "TMP", "TEMP"))
    try:
        folders = {tempfile.gettempdir(), *filter(None, named)}
    except FileNotFoundError as error:
        raise storage_error(error) or error from error
    for folder in sorted(folders):
        refused = refusal_of(Path(folder))
        if refused is None or _MEANINGS.get(refused.errno or 0) not in (_FULL, _FAILING):
            continue
        raise PairDxError(
            f"temporary files cannot be written: {refused.strerror}",
            where=f"{folder} on {node()}",
            remedy="make room in this folder, or set TMPDIR to another",
        ) from refused


def _no_temporary_folder(folders: list[str]) -> PairDxError:
    """Say why temporary files can be written nowhere: Python tries some folders and keeps quiet."""
    reasons = [f"{folder}: {reason}" for folder in folders if (reason := _refusal(Path(folder)))]
    return PairDxError(
        "temporary files can be written nowhere",
        where="; ".join(reasons or folders),
        remedy="make room in one of these folders, or set TMPDIR to a folder that can be written",
    )


def _refusal(folder: Path) -> str | None:
    refused = refusal_of(folder)
    return None if refused is None else (refused.strerror or str(refused))


def refusal_of(folder: Path) -> OSError | None:
    """Try to write a megabyte into a folder, and return what the storage says to it, if it refuses.

    Libraries report a full or failing disk in many ways (PyTorch: "unexpected pos 576 vs 534"), so
    the disk is asked.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(2**20))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as refusal:
        return refusal
    return None
