"""A batch as a worker classifies it: every bad file is that row's problem, and no other's."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployed_samples import write_deployed
from pairdx.deployment import opening
from pairdx.deployment.cells import NO_CAPTION
from pairdx.deployment.journal import Listed, Result
from pairdx.deployment.session import load
from pairdx.deployment.worker import NO_WORD, classify_batch
from picture_files import encoded, upright

PNG = encoded(upright(), "PNG")


def listed(*paths: Path | bytes, caption: str = "a ct scan") -> list[Listed]:
    return [Listed(at, os.fsencode(path), caption, "") for at, path in enumerate(paths, start=1)]


def write(folder: Path, **files: bytes) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def bomb() -> bytes:
    """A hundred megapixels of one colour, in a file of some hundred kilobytes."""
    return encoded(Image.new("1", (10_000, 10_000)), "PNG")


def test_bad_files_are_rows_and_the_others_as_they_are_without_them(tmp_path: Path) -> None:
    model = load(write_deployed(tmp_path / "system"))
    other = encoded(upright(60, 60), "WEBP")
    good = write(tmp_path, first=PNG, second=other)
    bad = write(
        tmp_path,
        truncated=encoded(upright(900, 900), "JPEG")[:2000],
        zipped=b"PK\3\4" + bytes(40),
        bomb=bomb(),
        text=b"no image\n",
        empty=b"",
    )
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        strange = [
            *(tmp_path / name for name in ("pipe", "loop", "socket", "absent")),
            *(tmp_path / "first" / "below", tmp_path, Path("/dev/zero"), tmp_path / ("n" * 300)),
        ]
        batch = listed(good[0], *bad, *strange, good[1])
        results = classify_batch(model, batch)
    expected = [
        *("damaged image", "a zip file", "refused", "a text, not an image", "an empty file"),
        *("a pipe", "a link that leads in a circle", "a socket", "no such file", "no such file"),
        *("a folder", "a device", "a file that cannot be read (File name too long)"),
    ]
    for result, start in zip(results[1:-1], expected, strict=True):
        assert result.problem.startswith(start)
        assert result.probabilities is None
    zipped = results[2]
    assert (zipped.size, zipped.sha256) == (44, hashlib.sha256(bad[1].read_bytes()).digest())
    alone = classify_batch(model, listed(*good))
    for result, expected_one in zip((results[0], results[-1]), alone, strict=True):
        assert result[1:] == expected_one[1:]
        np.testing.assert_allclose(_numbers(result), _numbers(expected_one), atol=1e-6)
    assert alone[0][1:] == (len(PNG), hashlib.sha256(PNG).digest(), 48, 80, "")


def _numbers(result: Result) -> np.ndarray:
    assert result.probabilities is not None
    return np.frombuffer(result.probabilities)


def test_what_another_user_may_not_read_is_said(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can become another user")
    (path,) = write(tmp_path, mine=PNG)
    path.chmod(0)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(65534)
    try:
        opened = opening.read_bytes(os.fsencode(path))
    finally:
        os.seteuid(0)
    assert opened.problem == "a file that cannot be read (Permission denied)"


def test_too_large_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(opening.MOST_BYTES + 1)
    opened = opening.read_bytes(os.fsencode(path))
    assert opened.content is None
    assert opened.size == opening.MOST_BYTES + 1
    assert "too large" in opened.problem


def test_captions_that_are_missing_are_said_and_their_files_all_the_same(tmp_path: Path) -> None:
    model = load(write_deployed(tmp_path / "system", reads=("image", "caption")))
    (path,) = write(tmp_path, a=PNG)
    name = os.fsencode(path)
    batch = [
        Listed(1, name, "a ct scan", ""),
        Listed(2, name, "", NO_CAPTION),
        Listed(3, name, "...", ""),
        Listed(4, b"", "a ct scan", "no file is named"),
        Listed(5, name, "zzz qqq", ""),
    ]
    results = classify_batch(model, batch)
    problems = [result.problem for result in results]
    assert problems == ["", NO_CAPTION, NO_WORD, "no file is named", NO_WORD]
    assert [result.width for result in results] == [48, 48, 48, None, 48]
    assert [result.probabilities is None for result in results] == [False, True, True, True, True]


def test_captions_alone_are_classified(tmp_path: Path) -> None:
    model = load(write_deployed(tmp_path / "system", reads=("caption",)))
    found = classify_batch(model, [Listed(1, b"", "ct scan", ""), Listed(2, b"", "brain mri", "")])
    np.testing.assert_allclose(
        [_numbers(one) for one in found], model.classify(None, ["ct scan", "brain mri"])
    )
