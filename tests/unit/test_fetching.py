"""Downloads resume, are verified, never leave a wrong file, and explain what fails."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.fetching import (
    Checksum,
    Patience,
    choose_checksum,
    download,
    parse_checksum,
)
from web_server import Server, serving

MEBIBYTE = 2**20
KEY = "downloads.example.path"
HASTY = Patience(attempts=3, pause=0.0, connect=2.0, read=2.0)
CONTENT = np.random.default_rng(0).bytes(2 * MEBIBYTE + 12_345)
OTHER_CONTENT = np.random.default_rng(1).bytes(2 * MEBIBYTE + 54_321)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def expecting(content: bytes) -> Checksum:
    return parse_checksum(f"sha256:{sha256(content)}", "config")


def fetch(server: Server, path: Path, content: bytes | None = CONTENT, **how: Any) -> None:
    how.setdefault("expected", None if content is None else expecting(content))
    download(server.url("/file"), path, config_key=KEY, patience=HASTY, **how)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_arrives_whole_and_nothing_else_stays(server: Server, tmp_path: Path) -> None:
    server.holds("/file", CONTENT)
    fetch(server, tmp_path / "deep" / "file.bin", size=len(CONTENT))
    assert (tmp_path / "deep" / "file.bin").read_bytes() == CONTENT
    assert left_in(tmp_path / "deep") == ["file.bin"]


def test_a_file_that_is_there_already_is_not_requested(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(CONTENT)
    fetch(server, tmp_path / "file.bin")
    assert server.requests == []


def test_a_cut_connection_is_continued_and_only_the_rest_is_requested(
    server: Server, tmp_path: Path
) -> None:
    server.holds("/file", CONTENT, cuts=[MEBIBYTE + 1000])
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, f"bytes={MEBIBYTE}-"]


def test_a_later_job_continues_what_an_earlier_one_left(server: Server, tmp_path: Path) -> None:
    resource = server.holds("/file", CONTENT, cuts=[MEBIBYTE + 1000])
    patience = Patience(attempts=1, pause=0.0)
    with pytest.raises(PairDxError, match="dropped"):
        download(
            server.url("/file"),
            tmp_path / "file.bin",
            expected=expecting(CONTENT),
            config_key=KEY,
            patience=patience,
        )
    assert left_in(tmp_path) == ["file.bin.part", "file.bin.part.json"]
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:MEBIBYTE]
    assert resource.cuts == []
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests[-1] == ("/file", f"bytes={MEBIBYTE}-")
    assert left_in(tmp_path) == ["file.bin"]


def test_attempts_that_bring_bytes_do_not_count(server: Server, tmp_path: Path) -> None:
    content = np.random.default_rng(2).bytes(6 * MEBIBYTE)
    server.holds("/file", content, cuts=[MEBIBYTE + 1] * 5)
    fetch(server, tmp_path / "file.bin", content)
    assert (tmp_path / "file.bin").read_bytes() == content


@pytest.mark.parametrize(
    "how",
    [{"ranges": False}, {"etag": None}, {"etag": 'W/"weak"'}],
    ids=["no ranges", "no validator", "weak validator"],
)
def test_a_server_that_cannot_continue_starts_again(
    server: Server, tmp_path: Path, how: dict[str, Any]
) -> None:
    server.holds("/file", CONTENT, cuts=[MEBIBYTE + 1000], **how)
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.requests) == 2


@pytest.mark.parametrize("honours_if_range", [True, False])
def test_a_file_that_has_changed_is_never_mixed_with_the_old_one(
    server: Server, tmp_path: Path, honours_if_range: bool
) -> None:
    path = tmp_path / "file.bin"
    server.holds("/file", CONTENT, cuts=[MEBIBYTE + 1000] * 9, ranges=False)
    with pytest.raises(PairDxError):
        fetch(server, path)
    assert (tmp_path / "file.bin.part").stat().st_size == MEBIBYTE
    server.holds("/file", OTHER_CONTENT, etag='"second"', honours_if_range=honours_if_range)
    fetch(server, path, OTHER_CONTENT)
    assert path.read_bytes() == OTHER_CONTENT


def test_a_part_of_another_address_is_not_continued(server: Server, tmp_path: Path) -> None:
    """Two files may share a date, by which alone a server would confuse them."""
    same_date = {"etag": None, "headers": {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}}
    server.holds("/other", OTHER_CONTENT, cuts=[MEBIBYTE + 1] * 9, ranges=False, **same_date)
    server.holds("/file", CONTENT, honours_if_range=False, **same_date)
    path = tmp_path / "file.bin"
    with pytest.raises(PairDxError):
        download(server.url("/other"), path, expected=None, config_key=KEY, patience=HASTY)
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_a_complete_part_is_verified_and_moved(server: Server, tmp_path: Path) -> None:
    """The state after a job that was killed between the last byte and the renaming."""
    server.holds("/file", CONTENT)
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    note = {"url": server.url("/file"), "validator": '"first"', "total": len(CONTENT)}
    (tmp_path / "file.bin.part.json").write_text(json.dumps(note), encoding="utf-8")
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests == [("/file", f"bytes={len(CONTENT)}-")]
    assert left_in(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("note", [None, "{", '{"url": 1}', "[]"])
def test_a_part_of_unknown_origin_is_discarded(
    server: Server, tmp_path: Path, note: str | None
) -> None:
    server.holds("/file", CONTENT)
    (tmp_path / "file.bin.part").write_bytes(b"of another file")
    if note is not None:
        (tmp_path / "file.bin.part.json").write_text(note, encoding="utf-8")
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha256-prefix", "git-sha1"])
def test_a_wrong_checksum_leaves_nothing_and_says_both(
    server: Server, tmp_path: Path, algorithm: str
) -> None:
    digits = {"md5": 32, "sha256": 64, "sha256-prefix": 8, "git-sha1": 40}[algorithm]
    wrong = Checksum(algorithm, "0" * digits, "the test")
    server.holds("/file", CONTENT)
    with pytest.raises(PairDxError, match="wrong checksum") as raised:
        fetch(server, tmp_path / "file.bin", expected=wrong)
    path = tmp_path / "copy"
    path.write_bytes(CONTENT)
    assert str(wrong) in str(raised.value)
    assert wrong.measured(path) in str(raised.value)
    assert left_in(tmp_path) == ["copy"]


def test_an_unset_checksum_is_a_warning_that_gives_the_sha256(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.holds("/file", CONTENT)
    fetch(server, tmp_path / "file.bin", None)
    warnings = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "unverified" in warnings[0].getMessage()
    assert f"sha256:{sha256(CONTENT)}" in warnings[0].getMessage()


def test_a_file_of_another_size_is_refused_and_the_part_kept(
    server: Server, tmp_path: Path
) -> None:
    """A log-in page in place of the file must not cost the gigabytes that are there already."""
    resource = server.holds("/file", CONTENT, cuts=[MEBIBYTE + 1000] * 9, ranges=False)
    with pytest.raises(PairDxError):
        fetch(server, tmp_path / "file.bin", size=len(CONTENT))
    server.holds("/file", b"<html>Please log in</html>", etag=None)
    with pytest.raises(PairDxError, match=f"26 bytes .* {len(CONTENT)} are expected"):
        fetch(server, tmp_path / "file.bin", size=len(CONTENT))
    resource.cuts, resource.ranges = [], True
    server.resources["/file"] = resource
    fetch(server, tmp_path / "file.bin", size=len(CONTENT))
    assert server.requests[-1] == ("/file", f"bytes={MEBIBYTE}-")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path, status: int) -> None:
    server.holds("/file", CONTENT, refusals=[status, status])
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (429, 3), (503, 3)])
def test_a_refusal_names_the_address_and_the_remedy(
    server: Server, tmp_path: Path, status: int, requests: int
) -> None:
    server.holds("/file", CONTENT, refusals=[status] * 9)
    with pytest.raises(PairDxError, match=f"the server answered {status}") as raised:
        fetch(server, tmp_path / "file.bin")
    assert raised.value.where == server.url("/file")
    assert f"set `{KEY}`" in str(raised.value)
    assert len(server.requests) == requests
    assert left_in(tmp_path) == []


def test_no_connection_names_the_address_and_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
    with pytest.raises(PairDxError, match="no connection") as raised:
        download(address, tmp_path / "file", expected=None, config_key=KEY, patience=HASTY)
    assert raised.value.where == address
    assert "login node" in str(raised.value)
    assert f"set `{KEY}`" in str(raised.value)


def test_a_malformed_address_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="request failed"):
        download("not an address", tmp_path / "file", expected=None, config_key=KEY)


def test_a_pinned_checksum_wins_over_a_listed_one_and_the_log_says_so(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pairdx")
    listed = Checksum("md5", "0" * 32, "the listing")
    chosen = choose_checksum(f"sha256:{sha256(CONTENT)}", listed)
    server.holds("/file", CONTENT)
    fetch(server, tmp_path / "file.bin", expected=chosen)
    assert f"verified by sha256:{sha256(CONTENT)} (from config)" in caplog.text
    assert choose_checksum(None, listed) == listed
    assert choose_checksum(None, None) is None
