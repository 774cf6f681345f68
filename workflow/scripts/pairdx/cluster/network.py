"""Which hosts of downloads can be reached, through a proxy if one is set."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from urllib.parse import urlsplit

SECONDS = 5.0


def hosts_reached(addresses: Iterable[str], seconds: float = SECONDS) -> dict[str, str]:
    """Ask each host for its start page's headers.

    Args:
        addresses: http or https addresses; only scheme, host and port are used.
        seconds: Time limit of all of them together, names looked up included.

    Returns:
        By host: empty if it answered anything at all, otherwise why it did not.
    """
    roots = {urlsplit(address).netloc: urlsplit(address) for address in addresses}
    found = dict.fromkeys(roots, f"no answer within {seconds:g} s")

    def look(host: str) -> None:
        found[host] = _answers(f"{roots[host].scheme}://{host}/", seconds)

    # Threads of their own that nobody waits for: looking up a name knows no time limit.
    threads = [threading.Thread(target=look, args=(host,), daemon=True) for host in roots]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(found)


def _answers(address: str, seconds: float) -> str:
    if urlsplit(address).scheme not in ("http", "https"):
        return "not an http or https address"
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310 - checked above
            return ""
    except urllib.error.HTTPError:
        return ""  # it answers, if only to say no to this page
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return str(getattr(reason, "strerror", None) or reason)
