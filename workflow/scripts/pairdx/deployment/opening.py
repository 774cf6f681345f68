"""A file's bytes, taken only from what is a plain file: nothing that could wait is ever opened."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import NamedTuple

from pairdx.deployment.entries import said

# An image of Pillow's limit in pixels has a third of a gigabyte when nothing is compressed.
MOST_BYTES = 1 << 29
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Opened(NamedTuple):
    """What was read of a file.

    Attributes:
        content: Its bytes; None where there is a problem.
        size: In bytes, if it is a plain file.
        sha256: Digest of its bytes.
        problem: Why it was not read, or "".
    """

    content: bytes | None
    size: int | None = None
    sha256: bytes | None = None
    problem: str = ""


def read_bytes(path: bytes) -> Opened:
    """Read a file whole; whatever is wrong with it is said in the answer."""
    try:
        status = os.stat(path)  # noqa: PTH116 - the name may be any bytes
        if (other := _other(status)) is not None:
            return other
        # It may have become something else in between.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if (other := _other(status)) is not None:
                return other
            content = file.read(status.st_size + 1)
            if len(content) > status.st_size:  # it grows
                content += file.read(MOST_BYTES)
    except OSError as error:
        return Opened(None, problem=_refused(error))
    if len(content) > MOST_BYTES:
        return _too_large(len(content))
    return Opened(content, len(content), hashlib.sha256(content).digest())


def _other(status: os.stat_result) -> Opened | None:
    """Return the answer for what is no plain file, or a too large one."""
    for is_kind, name in _KINDS:
        if is_kind(status.st_mode):
            return Opened(None, problem=f"{name}, not a file")
    return _too_large(status.st_size) if status.st_size > MOST_BYTES else None


def _too_large(size: int) -> Opened:
    return Opened(None, size, problem=f"a file that is too large (more than {MOST_BYTES:,} bytes)")


def _refused(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "no such file"
    if error.errno == errno.ELOOP:
        return "a link that leads in a circle"
    return f"a file that cannot be read ({said(error)})"
