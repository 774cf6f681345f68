"""Downloads that resume, are verified, and take their final name only then.

What has arrived of an unfinished download stays in ``{path}.part``; ``{path}.part.json`` says what
it is a part of. Neither is an output of a rule, so a killed job goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import requests

from pairdx.errors import PairDxError
from pairdx.fetching.checksums import Checksum, verify
from pairdx.fetching.http import PATIENCE, Patience, TransientError, answer, persist, remedy_for
from pairdx.fetching.local import MEBIBYTE, require_space
from pairdx.files import read_json, write_json
from pairdx.logs import logger, progress
from pairdx.storage_errors import storage_errors_at


def download(
    url: str,
    path: str | Path,
    *,
    expected: Checksum | None,
    config_key: str,
    size: int | None = None,
    patience: Patience = PATIENCE,
) -> None:
    """Download a file, going on where an earlier attempt stopped, and verify it.

    A file that is already at ``path`` and has the expected checksum is left as it is.

    Args:
        url: What to download.
        path: Where the finished file will stand. Its folder is created.
        expected: Its checksum. Without one the file is accepted with a warning in the log.
        config_key: The config key that takes the path of a file on this machine instead; error
            messages name it.
        size: Its size in bytes, if it is known beforehand.
        patience: How often and how long to try.

    Raises:
        PairDxError: The server is out of reach or refuses, the disk is too small, or the file is
            not the expected one (what has arrived of it is then deleted).
    """
    path = Path(path)
    if expected is not None and path.is_file() and expected.agrees_with(expected.measured(path)):
        logger.info("%s is there already (%s, from %s)", path.name, expected, expected.source)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path, url, size, config_key, patience)
    persist(part.fill, url=url, config_key=config_key, patience=patience, held=part.held)
    try:
        verify(part.path, expected, where=url, name=path.name, size=size)
    except PairDxError:
        part.discard()
        raise
    part.path.replace(path)
    part.discard()


@dataclass(frozen=True)
class _Origin:
    """What the bytes on disk are a part of.

    ``validator`` is the strong ETag or the date by which the server recognises that file.
    """

    url: str
    validator: str
    total: int | None


class _Part:
    """What has arrived of a file, beside its final place."""

    def __init__(
        self, target: Path, url: str, size: int | None, config_key: str, patience: Patience
    ) -> None:
        self.name = target.name
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")
        self.url, self.size = url, size
        self.config_key, self.patience = config_key, patience

    def held(self) -> int:
        """Return the number of bytes on disk."""
        return self.path.stat().st_size if self.path.exists() else 0

    def discard(self) -> None:
        """Delete what has arrived."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def fill(self) -> None:
        """Ask for the bytes that are missing, with one request, and write them."""
        origin = self._origin()
        headers = {}
        if origin is not None:
            # If-Range: where the file has changed, the server sends all of the new one instead.
            headers = {"Range": f"bytes={self.held()}-", "If-Range": origin.validator}
        with answer(self.url, self.config_key, self.patience, headers) as response:
            if origin is None or response.status_code == requests.codes.ok:
                self._start(response)
                self._append(response)
            elif not self._continues(response, origin):
                self.discard()
                raise TransientError("the file has changed, so that it is downloaded anew", wait=0)
            elif response.status_code == requests.codes.partial_content:
                logger.info("%s: going on after %.1f MB", self.name, self.held() / 1e6)
                self._append(response)
            # What remains is status 416: nothing is missing.

    def _origin(self) -> _Origin | None:
        """Return what the bytes on disk are a part of; None if they cannot be continued safely."""
        if not self.held() or not self.note.exists():
            return None
        try:
            origin = _Origin(**read_json(self.note))
        except (PairDxError, TypeError):  # a damaged note is as good as none
            return None
        return origin if origin.url == self.url else None

    def _start(self, response: requests.Response) -> None:
        """Begin a new part, once the server's file is known not to be another one."""
        total = _content_length(response)
        if None not in (self.size, total) and self.size != total:
            # Often the log-in page of a network. What has arrived so far is kept.
            what = f"the server has {total} bytes for {self.name}, but {self.size} are expected"
            raise PairDxError(what, where=self.url, remedy=remedy_for(self.config_key))
        if self.held():
            logger.info("%s: starting again from its first byte", self.name)
        self.discard()  # before the new note, which must never stand beside old bytes
        validator = _validator(response)
        if validator is not None:
            write_json(self.note, asdict(_Origin(self.url, validator, total)))
        logger.info("downloading %s", self.url)

    def _continues(self, response: requests.Response, origin: _Origin) -> bool:
        """Return whether an answer of status 206 or 416 fits the bytes on disk.

        If-Range should make this certain, but not every server honours it.
        """
        first, total = _content_range(response)
        if _validator(response) not in (None, origin.validator):
            return False
        if None not in (total, origin.total) and total != origin.total:
            return False
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return self.held() == (origin.total if total is None else total)
        return first == self.held()

    def _append(self, response: requests.Response) -> None:
        missing = _content_length(response)
        if missing is not None:
            require_space(self.path.parent, missing)
        pieces = response.iter_content(MEBIBYTE)
        number = None if missing is None else -(-missing // MEBIBYTE)
        with storage_errors_at(self.path), self.path.open("ab") as stream:
            for piece in progress(pieces, f"{self.name} (MiB)", number):
                stream.write(piece)


def _validator(response: requests.Response) -> str | None:
    # A weak ETag (W/"...") does not vouch for the bytes, and If-Range does not allow it.
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _content_length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """Return the first byte that the server sends and the size of the whole file, if stated."""
    stated = response.headers.get("Content-Range", "").removeprefix("bytes ")
    span, _, total = stated.partition("/")
    first = span.partition("-")[0]
    return int(first) if first.isdecimal() else None, int(total) if total.isdecimal() else None
