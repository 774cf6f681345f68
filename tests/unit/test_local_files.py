"""Checksums of files, and members taken out of archives."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.fetching import extract_member, parse_checksum

MEBIBYTE = 2**20
CONTENT = np.random.default_rng(0).bytes(2 * MEBIBYTE + 12_345)
OTHER_CONTENT = np.random.default_rng(1).bytes(2 * MEBIBYTE + 54_321)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_identity_that_git_gives_is_computed_as_git_does(tmp_path: Path) -> None:
    """What `git hash-object` prints for a file of one line, "hello"."""
    (tmp_path / "file").write_text("hello\n", encoding="utf-8")
    listed = parse_checksum("git-sha1:ce013625030ba8dba906f756967f9e9ca394464a", "the test")
    assert listed.measured(tmp_path / "file") == listed.digest


def test_a_prefix_compares_only_the_digits_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    prefix = parse_checksum(f"sha256-prefix:{sha256(CONTENT)[:8]}", "config")
    assert prefix.agrees_with(prefix.measured(tmp_path / "file"))


@pytest.mark.parametrize(
    "text", ["", "md5:", "md5:12", "sha256:" + "g" * 64, "sha256:f37072fd", "crc32:12345678"]
)
def test_what_is_no_checksum_is_refused(text: str) -> None:
    with pytest.raises(PairDxError, match="not a checksum"):
        parse_checksum(text, "config")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("small.txt", b"small")
        opened.writestr("large.txt", CONTENT)  # stored, so that its bytes are in the archive
    return path


def test_one_member_is_taken_out(archive: Path, tmp_path: Path) -> None:
    extract_member(archive, "large.txt", tmp_path / "out" / "large.txt")
    assert (tmp_path / "out" / "large.txt").read_bytes() == CONTENT
    assert left_in(tmp_path / "out") == ["large.txt"]


def test_a_missing_member_is_named_with_those_present(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match=r"no member huge\.txt; it has: large\.txt, small"):
        extract_member(archive, "huge.txt", tmp_path / "out.txt")


def test_a_damaged_member_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[content.index(CONTENT[:100]) + MEBIBYTE] ^= 1
    archive.write_bytes(content)
    with pytest.raises(PairDxError, match="damaged"):
        extract_member(archive, "large.txt", tmp_path / "out.txt")
    assert left_in(tmp_path) == ["vectors.zip"]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>Please log in</html>", encoding="utf-8")
    with pytest.raises(PairDxError, match="no zip archive"):
        extract_member(tmp_path / "page.zip", "a", tmp_path / "a")
    with pytest.raises(PairDxError, match="does not exist"):
        extract_member(tmp_path / "none.zip", "a", tmp_path / "a")


def test_a_member_larger_than_the_disk_is_refused_before_it_is_written(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairdx.fetching.local.free_bytes", lambda _: 1000)
    with pytest.raises(PairDxError, match="are free"):
        extract_member(archive, "large.txt", tmp_path / "out.txt")
    assert left_in(tmp_path) == ["vectors.zip"]
