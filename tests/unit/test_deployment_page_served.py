"""The page as it is served: by a process of its own, to a browser that is looked at."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from browser import browser
from deployed_samples import write_deployed
from pairdx.deployment.page.words import percent
from pairdx.deployment.session import load

REPOSITORY = Path(__file__).parents[2]
PICTURES = os.environ.get("PAIRDX_SCREENSHOTS")  # a folder for them, to be looked at
# No upload may reach the disk, whatever the library that reads it has for that.
SERVE = """
import sys, tempfile
def refuse(*_, **__):
    raise AssertionError("a temporary file")
for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
    setattr(tempfile, name, refuse)
from pairdx.deployment.page.server import serve
serve(sys.argv[1], host=sys.argv[2], port=0)
"""
# A file that is dropped beside the field for files.
DROP = """
    const dropped = new DataTransfer();
    dropped.items.add(new File(["GIF89a0123456789"], "film.gif", {type: "image/gif"}));
    document.querySelector("h1").dispatchEvent(
        new DragEvent("drop", {dataTransfer: dropped, bubbles: true, cancelable: true})
    );
"""
# Of the served page after images of 89 million pixels and during them; 84 and 779 were measured.
MEGABYTES_AFTER, MEGABYTES_AT_MOST = 250, 1200
pytestmark = pytest.mark.slow


@contextmanager
def served(folder: Path, host: str = "127.0.0.1") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a folder's page while the block runs; its address, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), host],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.fullmatch(r"The page is at (http://\S+/) \(Ctrl-C ends it\)\n", said)
        assert found, said
        yield found[1], process
    finally:
        process.kill()
        process.communicate()


def photograph(seed: int, side: int) -> bytes:
    """Encode noise, which no format makes small."""
    colours = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, format="PNG")
    return file.getvalue()


def post(url: str, content: bytes) -> tuple[int, str]:
    """Send an image as a program does."""
    head = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(  # noqa: S310 - this machine
        f"{url}classify",
        data=head + content + b"\r\n--edge--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=edge"},
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_large_uploads_are_read_in_memory_and_larger_ones_refused(tmp_path: Path) -> None:
    with served(write_deployed(tmp_path / "deployed")) as (url, _):
        large = photograph(1, 2500)
        assert len(large) > 15_000_000
        status, said = post(url, large)
        assert (status, '"problem":""' in said) == (200, True)
        status, said = post(url, large * 7)
        assert (status, "This is too much at once" in said) == (413, True)


def begun(url: str, path: str, size: int) -> socket.socket:
    """Announce an upload of so many bytes and send none of them."""
    to = urlsplit(url)
    opened = socket.create_connection((to.hostname, to.port), timeout=20)
    opened.sendall(
        f"POST {path} HTTP/1.1\r\nHost: {to.netloc}\r\nContent-Length: {size}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n".encode()
    )
    return opened


def test_what_is_far_too_large_is_refused_in_the_same_words_before_it_is_sent(
    tmp_path: Path,
) -> None:
    with served(write_deployed(tmp_path / "deployed")) as (url, _):
        for path, kind in (("/", "text/html"), ("/classify", "application/json")):
            with begun(url, path, 10_000_000_000) as opened, opened.makefile("rb") as answer:
                said = answer.read().decode()  # to its end: the connection is closed
            assert said.startswith("HTTP/1.1 413 ")
            assert f"Content-Type: {kind}" in said
            assert "Content-Security-Policy: default-src" in said
            assert "This is too much at once" in said


def test_uploads_that_stop_half_way_block_nobody(tmp_path: Path) -> None:
    with served(write_deployed(tmp_path / "deployed")) as (url, _), ExitStack() as all_of_them:
        for _ in range(100):
            all_of_them.enter_context(begun(url, "/classify", 1_000_000))
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            assert answer.status == 200
        assert post(url, photograph(1, 30))[0] == 200


def resident(process: subprocess.Popen[str], name: str) -> int:
    """Return a process's memory in megabytes: VmRSS, now, or VmHWM, at most."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{name}:\s+([0-9]+) kB", status)
    assert found
    return int(found[1]) // 1000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this machine")
def test_memory_is_given_back_whoever_sends_the_largest_images(tmp_path: Path) -> None:
    """Every thread of the server once kept 0.7 GB of such an image."""
    file = io.BytesIO()
    Image.new("RGB", (9000, 9900)).save(file, format="PNG")
    with served(write_deployed(tmp_path / "deployed")) as (url, process):
        after = []
        for _ in range(5):
            status, said = post(url, file.getvalue())
            assert (status, '"problem":""' in said) == (200, True)
            after.append(resident(process, "VmRSS"))
        most = resident(process, "VmHWM")
    assert max(after) < MEGABYTES_AFTER, after
    assert most < MEGABYTES_AT_MOST, most


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    with served(write_deployed(tmp_path / "deployed")) as (_, process):
        process.send_signal(2)
        _, complaints = process.communicate(timeout=20)
        assert (process.returncode, complaints) == (0, "")


def test_serving_others_is_warned_of(tmp_path: Path) -> None:
    with served(write_deployed(tmp_path / "deployed"), "localhost") as (_, process):
        process.send_signal(2)
        assert process.communicate(timeout=20)[1] == ""
    every_address = ".".join("0000")
    with served(write_deployed(tmp_path / "another"), every_address) as (_, process):
        process.send_signal(2)
        assert "Warning: whoever reaches this machine" in process.communicate(timeout=20)[1]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no headless Chromium on this machine")
def test_images_are_dropped_and_read_in_a_browser(tmp_path: Path) -> None:
    """Two images with captions and a bad one, in light, dark and a narrow window."""
    pictures = Path(PICTURES) if PICTURES else tmp_path
    folder = write_deployed(tmp_path / "deployed", reads=("image", "caption"), size=64)
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    first.write_bytes(photograph(1, 200))
    second.write_bytes(photograph(2, 100))
    captions = ["axial ct of the brain", "mri <script>", "ct"]
    model = load(folder)
    squares = np.stack([np.asarray(model.read(file.read_bytes())) for file in (first, second)])
    expected = model.classify(squares, captions[:2])
    with served(folder) as (url, _), browser(tmp_path / "profile") as page:
        page.look()
        page.open(url)
        assert page.run("document.querySelector('form button[type=submit]').disabled")
        page.choose_files("#files", [first, second])
        page.run(DROP)
        page.until("document.querySelectorAll('.entry').length === 3")
        for number, caption in enumerate(captions):
            page.run(f"document.querySelectorAll('.entry textarea')[{number}].focus()")
            page.write(caption)
        page.screenshot(pictures / "page_chosen.png")
        page.run("document.querySelector('form button[type=submit]').click()")
        page.until("document.querySelector('.status').textContent.startsWith('Done: 3 of 3')")
        shown = page.run(
            "[...document.querySelectorAll('.result')].map(result => ({"
            "  file: result.querySelector('.file').textContent,"
            "  title: result.querySelector('h3').textContent,"
            "  text: result.innerText,"
            "  shares: [...result.querySelectorAll('td.number')].map(one => one.innerText.trim())"
            "}))"
        )
        for name, dark, width in (
            ("light", False, 1000),
            ("dark", True, 1000),
            ("narrow", False, 360),
        ):
            page.look(dark=dark, width=width)
            page.screenshot(pictures / f"page_{name}.png")
            sideways = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.run(sideways), name
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.open(url)
        page.choose_files("fieldset input", [second])
        page.run("document.querySelector('fieldset textarea').focus()")
        page.write(captions[1])
        page.run("document.querySelector('form').submit()")
        page.wait_for_load()
        plain = page.run("document.querySelector('.result').innerText")
        page.open(f"{url}card")
        page.screenshot(pictures / "page_card.png")
        assert "A card." in page.run("document.querySelector('.card').innerText")
    assert [one["file"] for one in shown] == ["first.png", "second.png", "film.gif"]
    names = list(model.folder.names.values())
    for result, row, caption in zip(shown[:2], expected, captions[:2], strict=True):
        assert result["shares"] == [percent(share) for share in sorted(row, reverse=True)]
        assert result["title"] == f"{names[row.argmax()]} {percent(row.max())}"
        assert caption in result["text"]
    assert shown[2]["title"] == "Not classified"
    assert "GIF" in shown[2]["text"]
    assert f"{names[expected[1].argmax()]} {percent(expected[1].max())}" in plain
    assert page.complaints == []
    outside = [one for one in page.asked_for if not one.startswith((url, f"blob:{url}", "data:"))]
    assert outside == []
    looked_at = Image.open(pictures / "page_narrow.png")
    assert looked_at.width == 360
