"""What is of this machine alone. Without Flask: what starts the page says if that is missing."""

from __future__ import annotations

import ipaddress

LOOPBACK = "localhost"


def is_loopback(host: str) -> bool:
    """Say whether an address or name is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK
