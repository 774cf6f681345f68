"""Headless Chromium, driven by its DevTools protocol over a pipe: without port or driver."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Of CI's container: Chromium's sandbox needs a user that is not root.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *(
        "--disable-extensions",
        "--remote-debugging-pipe",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ),
)
FROM_US, TO_US = 3, 4  # the file numbers at which Chromium reads and writes
SECONDS = 60.0


class Page:
    """One page of a browser.

    Attributes:
        asked_for: The addresses that it requested.
        complaints: What stands in its console as a warning or an error.
    """

    def __init__(self, to: int, from_: int) -> None:
        self._to, self._from, self._waiting, self._number = to, from_, b"", 0
        self.asked_for: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask something of the browser and wait for the answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (heard := self._next()).get("id") != self._number:
            self._note(heard)
        if "error" in heard:
            raise AssertionError(f"{method}: {heard['error']['message']}")
        return heard["result"]

    def open(self, url: str) -> None:
        """Go to an address and wait until all of it is there."""
        self._loaded = False
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        self.wait_for_load()

    def wait_for_load(self) -> None:
        """Wait until a page that is being opened is there."""
        while not self._loaded:
            self._note(self._next())
        self._loaded = False

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in the page and return its value; of a promise, what it gives."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until JavaScript says something that is true, and return it."""
        end = time.monotonic() + SECONDS
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)
        return value

    def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        """Give files to a field as if a user had chosen them."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def write(self, text: str) -> None:
        """Type a text where the focus is."""
        self.call("Input.insertText", text=text)

    def look(self, *, width: int = 1000, dark: bool = False) -> None:
        """Set the window's width and the user's taste."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Emulation.setScrollbarsHidden", hidden=True)  # they would be cut out of pictures
        taste = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[taste])

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG file."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._waiting:
            left = end - time.monotonic()
            assert left > 0, "the browser says nothing"
            if select.select([self._from], [], [], left)[0]:
                read = os.read(self._from, 1 << 16)
                assert read, "the browser has ended"
                self._waiting += read
        first, _, self._waiting = self._waiting.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        method, said = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.asked_for.append(said["request"]["url"])
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("warning", "error"):
            self.complaints.append(said["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"]))


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Open a browser with one page, which ends with the block; its profile goes to a folder."""
    program = shutil.which("chromium")
    assert program, "no Chromium on this machine"
    theirs, to = _pipe()
    from_, ours = _pipe()
    given = [(os.POSIX_SPAWN_DUP2, theirs, FROM_US), (os.POSIX_SPAWN_DUP2, ours, TO_US)]
    quiet = (os.POSIX_SPAWN_OPEN, 2, str(profile) + ".log", os.O_WRONLY | os.O_CREAT, 0o600)
    process = os.posix_spawn(
        program,
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        os.environ,
        file_actions=[*given, quiet],
        setpgroup=0,  # with all its children, to end them together
    )
    os.close(theirs)
    os.close(ours)
    try:
        yield Page(to, from_)
    finally:
        os.close(to)
        os.close(from_)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, of numbers that are not among those Chromium uses."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends[0], ends[1]
