"""A web server on this machine that drops connections, refuses and changes its files as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Resource:
    """What the server holds at one path, and how it misbehaves."""

    content: bytes
    etag: str | None = '"first"'
    ranges: bool = True
    honours_if_range: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes sent before each dropped connection
    refusals: list[int] = field(default_factory=list)  # a status for each refused request
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """A web server of resources by path, and the Range header of every request it has seen."""

    base_url: str
    resources: dict[str, Resource] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self.base_url}{path}"

    def holds(self, path: str, content: bytes, **how: Any) -> Resource:
        """Put content at a path."""
        self.resources[path] = Resource(content, **how)
        return self.resources[path]

    def holds_json(self, path: str, content: Any, **how: Any) -> None:
        """Put JSON at a path."""
        self.holds(path, json.dumps(content).encode(), **how)


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server on this machine while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name that http.server asks for
            _answer(self, state)

        def log_message(self, *_: Any) -> None:
            """Say nothing on the screen."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    state = Server(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, state: Server) -> None:
    asked = handler.headers.get("Range")
    state.requests.append((handler.path, asked))
    resource = state.resources.get(handler.path) or state.resources.get(urlsplit(handler.path).path)
    if resource is None or resource.refusals:
        _send(handler, 404 if resource is None else resource.refusals.pop(0), {"Retry-After": "0"})
        return
    headers = dict(resource.headers)
    if resource.etag is not None:
        headers["ETag"] = resource.etag
    content, first, status = resource.content, 0, 200
    unchanged = handler.headers.get("If-Range") == resource.etag or not resource.honours_if_range
    if asked is not None and resource.ranges and unchanged:
        first, status = int(asked.removeprefix("bytes=").removesuffix("-")), 206
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        if first >= len(content):
            _send(handler, 416, headers | {"Content-Range": f"bytes */{len(content)}"})
            return
    cut = resource.cuts.pop(0) if resource.cuts else None
    _send(handler, status, headers, content[first:], cut)


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: dict[str, str],
    body: bytes = b"",
    cut: int | None = None,
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:cut])
    handler.close_connection = cut is not None
