"""What keeps other web pages and other machines from using the page, in every request and answer.

A page of the web that is open in the same browser can send requests to this machine. It is known by
the name it asks for (a name of its own that it has pointed here) and by its origin.
"""

from __future__ import annotations

import ipaddress
import platform
import socket
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, request
from werkzeug.exceptions import MethodNotAllowed

from pairdx.deployment.page.loopback import is_loopback

# Everything from this server alone: no script or style within a page, no frame around it. `data:`
# and `blob:` are the images that are classified, as the system and the browser show them.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With none at all, a browser would not say that a form is this page's own.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
METHODS = ("GET", "HEAD", "POST")


def guard(app: Flask, host: str) -> None:
    """Refuse what comes from elsewhere, and send every answer with :data:`HEADERS`.

    Args:
        app: The page.
        host: What it is served at, as the user says.
    """

    @app.before_request
    def refuse() -> None:
        if not asked_for_us(request.host, host):
            abort(403, "This page is not known by that name: open it at the address printed.")
        if request.method not in ("GET", "HEAD") and not from_our_page(request):
            abort(403, "This was sent by another web page, and only this one's forms are answered.")
        if request.method not in METHODS:
            raise MethodNotAllowed(METHODS)

    @app.after_request
    def say(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response


def asked_for_us(stated: str, host: str) -> bool:
    """Say whether a request's Host is a name of this server; the port may be a tunnel's.

    Args:
        stated: Of the request, with or without a port.
        host: What the page is served at. Served to this machine alone, it is loopback's names; else
            any address in numbers (no page of the web is at one by a name) and the machine's names.
    """
    try:
        name = urlsplit(f"//{stated}").hostname or ""
    except ValueError:
        return False
    if is_loopback(name) or name == host.lower():
        return True
    if is_loopback(host):
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in {platform.node().lower(), socket.getfqdn().lower()}
    return True


def from_our_page(asked: Request) -> bool:
    """Say whether a browser sent this from our own page; programs say no origin, and may."""
    origin = asked.headers.get("Origin")
    if origin is not None:
        return origin == f"{asked.scheme}://{asked.host}"
    return asked.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
