"""GET requests that bear with dropped connections and busy servers, and explain what fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import requests

from pairdx.errors import PairDxError
from pairdx.logs import logger

Result = TypeVar("Result")

# Ranges of bytes must be ranges of the file itself, so nothing may be compressed on the way.
HEADERS = {"User-Agent": "pairdx-workflow", "Accept-Encoding": "identity"}
LONGEST_REQUESTED_PAUSE = 120.0


@dataclass(frozen=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        attempts: Attempts in a row that bring no new byte before giving up.
        pause: Seconds before the second attempt; doubles with every further one.
        connect: Seconds to wait for a connection.
        read: Seconds to wait for the next bytes.
    """

    attempts: int = 5
    pause: float = 2.0
    connect: float = 15.0
    read: float = 60.0


PATIENCE = Patience()


class TransientError(Exception):
    """Worth another attempt: a dropped connection, a busy server.

    Args:
        what: What went wrong.
        wait: Seconds that the server asks to wait, if it does.
    """

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


def persist(
    step: Callable[[], Result],
    *,
    url: str,
    config_key: str,
    patience: Patience,
    held: Callable[[], int] = lambda: 0,
) -> Result:
    """Return what ``step`` returns; call it again, after longer and longer pauses, where it fails.

    Args:
        step: What to do. Only its :class:`TransientError` is worth another attempt.
        url: The address it speaks to, for messages.
        config_key: The config key that takes the path of a file on this machine instead.
        patience: How often and how long to try.
        held: Returns the number of bytes held; attempts that add to it are not counted.

    Raises:
        PairDxError: Too many attempts in a row brought nothing.
    """
    fruitless = 0
    while True:
        before = held()
        try:
            return step()
        except TransientError as error:
            fruitless = 1 if held() > before else fruitless + 1
            if fruitless >= patience.attempts:
                what = f"{error} ({fruitless} attempts)"
                raise PairDxError(what, where=url, remedy=remedy_for(config_key)) from error
            pause = patience.pause * 2 ** (fruitless - 1) if error.wait is None else error.wait
            logger.info("%s: %s; trying again in %.0f s", url, error, pause)
            time.sleep(pause)


@contextmanager
def answer(
    url: str, config_key: str, patience: Patience, headers: Mapping[str, str] | None = None
) -> Iterator[requests.Response]:
    """Give the server's answer to a GET request, with its body still to be read.

    Errors while the body is read, inside the ``with`` block, are treated alike.

    Raises:
        TransientError: The connection failed or was dropped, or the server is busy (429, 5xx).
        PairDxError: The server refuses (any other 4xx except 416), or the address is malformed.
    """
    timeout = (patience.connect, patience.read)
    dropped = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    try:
        sent = {**HEADERS, **(headers or {})}
        with requests.get(url, headers=sent, timeout=timeout, stream=True) as response:
            _raise_for_refusal(response, config_key)
            yield response
    except dropped as error:
        raise TransientError(f"no connection, or it was dropped: {error}") from error
    except requests.RequestException as error:
        what = f"the request failed: {error}"
        raise PairDxError(what, where=url, remedy=remedy_for(config_key)) from error


def _raise_for_refusal(response: requests.Response, config_key: str) -> None:
    codes, status = requests.codes, response.status_code
    if status < codes.bad_request or status == codes.requested_range_not_satisfiable:
        return
    what = f"the server answered {status} {response.reason}"
    if status == codes.too_many_requests or status >= codes.internal_server_error:
        wait = response.headers.get("Retry-After", "")
        raise TransientError(
            what, min(float(wait), LONGEST_REQUESTED_PAUSE) if wait.isdecimal() else None
        )
    raise PairDxError(what, where=response.url, remedy=remedy_for(config_key))


def remedy_for(config_key: str) -> str:
    """Return what a user can do where a download fails."""
    return (
        "check the address in config (downloads), and that this node reaches the internet "
        "(compute nodes often do not: start the workflow on a login node); or download it on "
        f"another machine and set `{config_key}` to its path here"
    )
