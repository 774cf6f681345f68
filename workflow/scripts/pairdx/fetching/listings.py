"""What a Zenodo record or a model hub's repository holds: names, addresses, sizes, checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from pairdx.errors import PairDxError
from pairdx.fetching.checksums import Checksum, choose_checksum, parse_checksum
from pairdx.fetching.http import PATIENCE, Patience, answer, persist, remedy_for
from pairdx.fetching.transfer import download


@dataclass(frozen=True)
class RemoteFile:
    """A file as a listing describes it.

    Attributes:
        name: Its path inside the record or repository, with ``/``; checked to stay inside it.
        url: Where its content is.
        size: In bytes.
        checksum: What the listing states, if it states one.
    """

    name: str
    url: str
    size: int
    checksum: Checksum | None


def zenodo_listing(
    record: int | str, *, base_url: str, config_key: str, patience: Patience = PATIENCE
) -> dict[str, RemoteFile]:
    """Return the files of one version of a Zenodo record, by name.

    Args:
        record: The number of the version, as in ``10.5281/zenodo.{record}``.
        base_url: Zenodo's address.
        config_key: The config key that takes the path of a folder on this machine instead.
        patience: How often and how long to try.

    Raises:
        PairDxError: Zenodo is out of reach or has no such record, the number stands for all
            versions of a record, the record shows no files, or one has an unsafe name.
    """
    url = f"{base_url}/api/records/{quote(str(record), safe='')}"
    content, _ = _json(url, config_key, patience)
    if not isinstance(content, dict):
        raise _unknown_format(url)
    version = content.get("id", record)
    if str(version) != str(record):
        # The number of a record as a whole leads to its latest version, which changes one day.
        raise PairDxError(
            f"{record} stands for all versions of a record; the latest is {version}",
            where=url,
            remedy="put the number of one version into config (downloads)",
        )
    files: dict[str, RemoteFile] = {}
    for entry in content.get("files") or []:
        try:
            name, address = _safe(entry["key"], url), str(entry["links"]["self"])
            size, stated = int(entry["size"]), entry.get("checksum")
        except (KeyError, TypeError, ValueError) as error:
            raise _unknown_format(url) from error
        checksum = None if stated is None else parse_checksum(str(stated), url)
        files[name] = RemoteFile(name, address, size, checksum)
    if not files:
        what = "this record shows no files (access to them may be restricted)"
        raise PairDxError(what, where=url, remedy=remedy_for(config_key))
    return files


def hub_listing(
    repo: str, revision: str, *, base_url: str, config_key: str, patience: Patience = PATIENCE
) -> dict[str, RemoteFile]:
    """Return the files of a model repository at one revision, by path.

    The hub states the SHA-256 of large files (its ``lfs`` entry), and of the others the name that
    git gives to their content.

    Args:
        repo: ``owner/name``.
        revision: A commit; a branch would change one day.
        base_url: The hub's address, or that of a mirror with the same interface.
        config_key: The config key that takes the path of a file or folder on this machine instead.
        patience: How often and how long to try.

    Raises:
        PairDxError: The hub is out of reach or has no such revision, or a file has an unsafe name.
    """
    commit = quote(revision, safe="")
    first = f"{base_url}/api/models/{repo}/tree/{commit}?recursive=true"
    files: dict[str, RemoteFile] = {}
    for url, entry in _hub_entries(first, config_key, patience):
        try:
            if entry["type"] != "file":
                continue
            name, size, large = _safe(entry["path"], url), int(entry["size"]), entry.get("lfs")
            stated = f"sha256:{large['oid']}" if large else f"git-sha1:{entry['oid']}"
        except (KeyError, TypeError, ValueError) as error:
            raise _unknown_format(url) from error
        address = f"{base_url}/{repo}/resolve/{commit}/{quote(name)}"
        files[name] = RemoteFile(name, address, size, parse_checksum(stated, url))
    return files


def select_files(
    listing: Mapping[str, RemoteFile], names: Sequence[str], *, where: object, config_key: str
) -> dict[str, RemoteFile]:
    """Return the wanted files of a listing, in the order wanted.

    Raises:
        PairDxError: The listing lacks one; the message names those that are there.
    """
    missing = [name for name in names if name not in listing]
    if missing:
        raise PairDxError(
            f"the source has no {', '.join(missing)}; it has: {', '.join(sorted(listing))}",
            where=where,
            remedy="correct the record, revision or file names in config (downloads); or, if the "
            "files are inside one of those archives, download and unpack it and set "
            f"`{config_key}` to where they are",
        )
    return {name: listing[name] for name in names}


def download_all(
    files: Mapping[str, RemoteFile],
    folder: str | Path,
    *,
    pinned: Mapping[str, str | None],
    config_key: str,
    patience: Patience = PATIENCE,
) -> dict[str, Path]:
    """Download files of a listing into a folder, each verified; those already there are kept.

    Args:
        files: What to download, by name.
        folder: Where to put it. A name with ``/`` makes a folder in it.
        pinned: Checksums from config, by name; they win over those of the listing.
        config_key: The config key that takes a path on this machine instead.
        patience: How often and how long to try.

    Returns:
        The path of every file, by name.

    Raises:
        PairDxError: As :func:`pairdx.fetching.transfer.download`.
    """
    paths = {name: Path(folder) / _safe(name, folder) for name in files}
    for name, file in files.items():
        expected = choose_checksum(pinned.get(name), file.checksum)
        download(
            file.url,
            paths[name],
            expected=expected,
            config_key=config_key,
            size=file.size,
            patience=patience,
        )
    return paths


def _json(url: str, config_key: str, patience: Patience) -> tuple[Any, str | None]:
    """Return the JSON at an address, and the address of the next page if there is one."""

    def ask() -> tuple[Any, str | None]:
        headers = {"Accept": "application/json"}
        with answer(url, config_key, patience, headers) as response:
            try:
                return response.json(), response.links.get("next", {}).get("url")
            except requests.JSONDecodeError as error:
                raise _unknown_format(url) from error

    return persist(ask, url=url, config_key=config_key, patience=patience)


def _hub_entries(
    first: str, config_key: str, patience: Patience
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each entry of a paged listing, with the address of its page."""
    url: str | None = first
    while url is not None:
        page, following = _json(url, config_key, patience)
        if not isinstance(page, list):
            raise _unknown_format(url)
        for entry in page:
            yield url, entry
        url = following


def _safe(name: Any, where: object) -> str:
    """Return a name as it is, if it leads to a place inside the folder it is put into."""
    inside = (
        isinstance(name, str)
        and name.isprintable()
        and "\\" not in name
        and not {"", ".", ".."} & set(name.split("/"))
    )
    if not inside:
        raise PairDxError(
            f"the listing has a file name that leads out of its folder: {name!r}",
            where=where,
            remedy="do not use this source",
        )
    return str(name)


def _unknown_format(url: str) -> PairDxError:
    return PairDxError(
        "the listing is not in the format that this workflow knows",
        where=url,
        remedy="open the address in a browser: a network's log-in page may stand in its way; or "
        "download the files by hand and set their path in config (downloads)",
    )
