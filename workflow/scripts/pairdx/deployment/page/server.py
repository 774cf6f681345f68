"""Serve the page of a deployed system on this machine, until somebody ends it."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from pathlib import Path
from typing import Any

from pairdx.deployment.page.limits import Limits
from pairdx.deployment.page.loopback import is_loopback
from pairdx.deployment.page.work import MOST_WAITING, Worker
from pairdx.deployment.session import DEFAULT_RUNTIME, load
from pairdx.errors import PairDxError

HOST, PORT = "127.0.0.1", 8000
MOST_PORT = 65535
# That answer: as many as may wait for the one that classifies, and two for all that needs no work.
THREADS = 1 + MOST_WAITING + 2
# A connection costs next to nothing until it sends something; one that sends nothing more is closed
# after SILENT_SECONDS, looked for every CLEANUP_SECONDS. Some systems give a process 256 files.
MOST_CONNECTIONS, SILENT_SECONDS, CLEANUP_SECONDS = 200, 30, 5
# What is a little too large is read to its end, so that every browser shows the answer. What is
# larger still is answered before it is read.
SPARE_BYTES = 50_000_000


def serve(
    folder: str | Path,
    *,
    host: str = HOST,
    port: int = PORT,
    threads: int = 1,
    runtime: str = DEFAULT_RUNTIME,
) -> None:
    """Serve the page of a deployed system until Ctrl-C; its address is printed.

    Args:
        folder: The deployed system.
        host: Address or name to serve at. Other than this machine's own, others can use the page.
        port: 0 for one that is free.
        threads: CPU threads that the network may use.
        runtime: What computes it.

    Raises:
        PairDxError: The packages of the page are missing, the folder is no deployed system, or
            nothing can be served at that address.
    """
    try:
        from waitress import create_server

        from pairdx.deployment.page.application import application
    except ImportError as error:
        raise PairDxError(
            f"the page needs a package that is not installed ({error})",
            remedy="install the environment for deployed systems (`make deployment`)",
        ) from error
    limits, opened, worker = Limits(), _open(host, port), Worker()
    with opened:
        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # of a moment's waiting
        model = load(folder, threads=threads, runtime=runtime)
        server = create_server(
            application(model, host, limits, worker),
            sockets=[opened],
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=SILENT_SECONDS,
            cleanup_interval=CLEANUP_SECONDS,
            ident=None,
            # kept in memory as a whole: waitress would put the rest into a temporary file
            inbuf_overflow=limits.request_bytes + 2 * SPARE_BYTES,
            max_request_body_size=limits.request_bytes + SPARE_BYTES,
        )
        _refuse_in_our_words(server)
        try:
            _say_where(opened, host)
            server.run()
        except KeyboardInterrupt:
            pass  # how it is ended
        finally:
            worker.close()
            server.close()


def _refuse_in_our_words(server: Any) -> None:
    """Let the page answer what is too large for waitress, which has a few words of its own.

    The page sees how much was announced, refuses that, and the connection is closed.
    """
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask, WSGITask
    from waitress.utilities import RequestEntityTooLarge

    def refuse(channel: Any, request: Any) -> Any:
        if not isinstance(request.error, RequestEntityTooLarge):
            return ErrorTask(channel, request)
        task = WSGITask(channel, request)
        task.set_close_on_finish()
        return task

    server.channel_class = type(
        "Channel", (HTTPChannel,), {"error_task_class": staticmethod(refuse)}
    )


def _open(host: str, port: int) -> socket.socket:
    """Return a socket at an address, bound."""
    remedy = "name another by --port (0 takes one that is free) or --host"
    if not 0 <= port <= MOST_PORT:
        raise PairDxError(f"{port} is no port: these are 0 to {MOST_PORT}", remedy=remedy)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
        except BaseException:
            opened.close()
            raise
    except (OSError, UnicodeError) as error:
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "another program has this port" if in_use else str(error)
        raise PairDxError(
            f"the page cannot be served: {why}", where=f"{host}:{port}", remedy=remedy
        ) from error
    return opened


def _say_where(opened: socket.socket, host: str) -> None:
    """Print the address to open; a warning, where others can open it, too."""
    if not is_loopback(host):
        print(
            "Warning: whoever reaches this machine can use the page and sees what it says of the "
            "system; nobody is asked for a password and nothing is encrypted. Without --host, it "
            "is for this machine alone.",
            file=sys.stderr,
            flush=True,
        )
    name = f"[{host}]" if ":" in host else host
    print(f"The page is at http://{name}:{opened.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
