"""Expected checksums: where they are stated, and whether a file agrees with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pairdx.errors import PairDxError
from pairdx.files import sha256_of
from pairdx.logs import logger

DIGITS = {"md5": 32, "sha256": 64, "git-sha1": 40}
SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class Checksum:
    """The expected checksum of a file.

    Attributes:
        algorithm: ``md5``, ``sha256``, ``sha256-prefix`` (only the first hexadecimal digits are
            known) or ``git-sha1`` (the name that git gives to a file's content: the SHA-1 of
            ``blob {size}``, a zero byte and the content).
        digest: Lower-case hexadecimal digits.
        source: Who states it, for the log: ``config``, or the address of a listing.
    """

    algorithm: str
    digest: str
    source: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.digest}"

    def measured(self, path: Path) -> str:
        """Return a file's whole checksum by the same algorithm, as hexadecimal digits."""
        if self.algorithm.startswith("sha256"):
            return sha256_of(path)
        if self.algorithm == "md5":
            state = hashlib.md5(usedforsecurity=False)
        else:
            header = f"blob {path.stat().st_size}\0".encode()
            state = hashlib.sha1(header, usedforsecurity=False)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: state).hexdigest()

    def agrees_with(self, measured: str) -> bool:
        """Return whether a measured checksum is the expected one."""
        return measured[: len(self.digest)] == self.digest


def parse_checksum(text: str, source: str) -> Checksum:
    """Read a checksum: ``md5:...``, ``sha256:...``, ``sha256-prefix:...`` or ``git-sha1:...``.

    Raises:
        PairDxError: The algorithm is unknown, or the number of digits does not fit it.
    """
    algorithm, _, digest = text.strip().lower().partition(":")
    if algorithm == "sha256-prefix":
        fits = SHORTEST_PREFIX <= len(digest) <= DIGITS["sha256"]
    else:
        fits = len(digest) == DIGITS.get(algorithm)
    if not fits or not set(digest) <= set("0123456789abcdef"):
        raise PairDxError(
            f"this is not a checksum: {text!r}",
            where=source,
            remedy="write md5: with 32 hexadecimal digits, sha256: with 64, git-sha1: with 40, or "
            f"sha256-prefix: with the first {SHORTEST_PREFIX} or more",
        )
    return Checksum(algorithm, digest, source)


def choose_checksum(pinned: str | None, listed: Checksum | None) -> Checksum | None:
    """Return the checksum to verify by: the one pinned in config, or else the source's own."""
    return listed if pinned is None else parse_checksum(pinned, "config")


def verify(
    path: Path, expected: Checksum | None, *, where: object, name: str, size: int | None = None
) -> None:
    """Check a file's size and checksum, and say in the log which checksum was used.

    Without a checksum the file is accepted, and a warning gives its SHA-256, to be pinned.

    Args:
        path: The file.
        expected: The expected checksum, if one is known.
        where: Where the file comes from, for messages.
        name: What to call the file in messages.
        size: The expected size in bytes, if it is known.

    Raises:
        PairDxError: The file is not the expected one.
    """
    remedy = (
        "try again; if the result is the same, the source no longer holds the file that this "
        "workflow was made for: find out why before you change its checksum in config (downloads)"
    )
    got = path.stat().st_size
    if size is not None and got != size:
        what = f"{name} has the wrong size: expected {size} bytes, got {got}"
        raise PairDxError(what, where=where, remedy=remedy)
    if expected is None:
        logger.warning(
            "WARNING: %s is unverified, because no checksum of it is known. To have it verified "
            "from now on, put sha256:%s into config (downloads)",
            name,
            sha256_of(path),
        )
        return
    measured = expected.measured(path)
    if not expected.agrees_with(measured):
        what = f"{name} has the wrong checksum: expected {expected}, got {measured}"
        raise PairDxError(f"{what} (expected by {expected.source})", where=where, remedy=remedy)
    logger.info("%s is verified by %s (from %s)", name, expected, expected.source)
