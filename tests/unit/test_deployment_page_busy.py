"""The page while it works: who waits, who is told to come back, what is answered meanwhile."""

from __future__ import annotations

import ctypes
import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from threading import Event, get_ident
from typing import NoReturn

import numpy as np
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from deployed_samples import write_deployed
from pairdx.deployment.folder import DeployedFolder, read_folder
from pairdx.deployment.page import server
from pairdx.deployment.page.application import application
from pairdx.deployment.page.limits import Limits
from pairdx.deployment.page.work import BUSY, ENDED, MOST_WAITING, BusyError, Worker
from pairdx.deployment.preprocessing import Square
from pairdx.deployment.session import Model
from pairdx.errors import PairDxError
from pairdx.image_formats.foreign import Refusal

PATHS = ("/", "/results", "/classify")
SECONDS = 20.0  # after which a test that hangs fails
TAKEN = 1 + MOST_WAITING  # requests that are worked on or wait
SHARES = [0.5, 0.3, 0.2]

AtOnce = Callable[[Callable[[], TestResponse], int], "Queue[TestResponse]"]


def png(side: int = 20) -> bytes:
    """A picture."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, format="PNG")
    return file.getvalue()


def send(app: Flask, path: str = "/classify", images: int = 1) -> TestResponse:
    """Post pictures as a client of its own."""
    files = [(io.BytesIO(png()), f"{at}.png") for at in range(images)]
    return app.test_client().post(path, data={"image": files})


def system(folder: Path) -> DeployedFolder:
    return read_folder(write_deployed(folder / "deployed", temperature=None))


class Slow:
    """A network that answers when it is told to, and the threads that it was asked in."""

    def __init__(self) -> None:
        self.may_answer, self.threads = Event(), set[int]()

    def __call__(self, given: Mapping[str, np.ndarray]) -> np.ndarray:
        """Wait, then give every image the same shares."""
        self.threads.add(get_ident())
        assert self.may_answer.wait(SECONDS)
        return np.array([SHARES] * len(given["images"]), dtype=np.float32)


@pytest.fixture
def slow() -> Iterator[Slow]:
    network = Slow()
    yield network
    network.may_answer.set()  # also after a failure: the threads must end


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    """Do something several times at once; answers are put into a queue as they come."""
    with ThreadPoolExecutor(2 * TAKEN) as clients:

        def start(ask: Callable[[], TestResponse], times: int) -> Queue[TestResponse]:
            answers: Queue[TestResponse] = Queue()
            for _ in range(times):
                clients.submit(lambda: answers.put(ask()))
            return answers

        yield start


@pytest.mark.parametrize("path", PATHS)
def test_beyond_those_who_may_wait_everybody_is_told_to_come_back(
    tmp_path: Path, at_once: AtOnce, slow: Slow, path: str
) -> None:
    app = application(Model(system(tmp_path), slow), "127.0.0.1")
    answers = at_once(lambda: send(app, path), TAKEN + 2)
    for _ in range(2):
        refused = answers.get(timeout=SECONDS)
        assert refused.status_code == 503
        assert BUSY in refused.text
        assert refused.is_json == (path == "/classify")
        assert refused.headers["Retry-After"] == "5"
    for without_work in ("/", "/card", "/static/page.css"):
        assert app.test_client().get(without_work).status_code == 200
    assert answers.empty()
    slow.may_answer.set()
    done = [answers.get(timeout=SECONDS) for _ in range(TAKEN)]
    assert [one.status_code for one in done] == [200] * TAKEN
    assert all("50.0 %" in one.text or '"probability":0.5' in one.text for one in done)
    assert send(app, path).status_code == 200  # the places are free again


def test_all_is_decoded_and_classified_in_one_thread(
    tmp_path: Path, at_once: AtOnce, slow: Slow
) -> None:
    """What each thread gives back stays with that thread."""
    looking = set[int]()

    class Watched(Model):
        def look(self, content: bytes) -> Square | Refusal:
            looking.add(get_ident())
            return super().look(content)

    app = application(Watched(system(tmp_path), slow), "127.0.0.1")
    slow.may_answer.set()
    answers = at_once(lambda: send(app), TAKEN)
    for _ in range(TAKEN):
        assert answers.get(timeout=SECONDS).status_code == 200
    assert len(looking) == 1
    assert looking == slow.threads
    assert get_ident() not in looking


def test_a_request_that_fails_leaves_its_place_to_others(tmp_path: Path) -> None:
    def fail(_: object) -> np.ndarray:
        raise PairDxError("the network failed: no memory")

    app = application(Model(system(tmp_path), fail), "127.0.0.1")
    statuses = [send(app).status_code for _ in range(2 * TAKEN)]
    assert statuses == [500] * (2 * TAKEN)


def test_what_is_too_large_is_not_asked_to_come_back(
    tmp_path: Path, at_once: AtOnce, slow: Slow
) -> None:
    app = application(Model(system(tmp_path), slow), "127.0.0.1", Limits(request_bytes=2_000))
    answers = at_once(lambda: send(app), TAKEN + 1)
    assert answers.get(timeout=SECONDS).status_code == 503
    assert send(app, images=50).status_code == 413


def test_it_works_where_no_library_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def another_system(_: object) -> NoReturn:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", another_system)
    assert Worker().do(lambda: "done") == "done"


def test_who_waits_while_the_page_is_ended_is_told() -> None:
    worker, may_end, begun = Worker(), Event(), Event()

    def work() -> str:
        begun.set()
        assert may_end.wait(SECONDS)
        return "done"

    with ThreadPoolExecutor(2) as clients:
        try:
            first = clients.submit(worker.do, work)
            assert begun.wait(SECONDS)
            second = clients.submit(worker.do, work)
            while worker._thread._work_queue.empty():
                assert not second.done()
            worker.close()
            with pytest.raises(BusyError, match=ENDED):
                second.result(SECONDS)
        finally:
            may_end.set()
        assert first.result(SECONDS) == "done"


def test_after_so_many_pixels_no_other_image_is_decoded(tmp_path: Path) -> None:
    """Those before keep their answers."""
    looked_at: list[bytes] = []

    class Counted(Model):
        def look(self, content: bytes) -> Square | Refusal:
            looked_at.append(content)
            return super().look(content)

    def answer(given: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.array([SHARES] * len(given["images"]), dtype=np.float32)

    model = Counted(system(tmp_path), answer)
    found = send(application(model, "127.0.0.1", Limits(pixels=500)), images=4).json
    assert found is not None
    problems = [one["problem"] for one in found["results"]]
    assert problems[:2] == ["", ""]
    for problem in problems[2:]:
        assert "the images before it have 800 pixels, and after 500 no other" in problem
    assert len(looked_at) == 2
    assert Limits().pixels == 200_000_000


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/", "GET, HEAD, POST"),
        ("OPTIONS", "/static/page.css", "GET, HEAD, POST"),
        ("PUT", "/classify", "GET, HEAD, POST"),
        ("TRACE", "/card", "GET, HEAD, POST"),
        ("POST", "/card", "GET, HEAD"),
        ("GET", "/classify", "POST"),
    ],
)
def test_kinds_of_requests_that_nothing_needs_are_refused(
    tmp_path: Path, slow: Slow, method: str, path: str, allowed: str
) -> None:
    client = application(Model(system(tmp_path), slow), "127.0.0.1").test_client()
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert "Nothing here answers requests of that kind." in answer.text
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")
    elsewhere = client.open(path, method="OPTIONS", headers={"Origin": "http://elsewhere.example"})
    assert elsewhere.status_code == 403


def test_pages_without_work_have_threads_of_their_own() -> None:
    assert server.THREADS > TAKEN


def test_without_flask_what_starts_the_page_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules.update(flask=None, werkzeug=None, waitress=None)\n"
        "from pairdx.deployment.command import main\n"
        "sys.exit(main(['nowhere', '--serve']))\n"
    )
    scripts = Path(server.__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert ended.returncode == 2
    assert "a package that is not installed" in ended.stderr
    assert "Traceback" not in ended.stderr
