"""Damage to files, as storage does it."""

from __future__ import annotations

import numpy as np


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """One bit or byte changed, an end cut off, or some bytes added or zeroed, as storage does."""
    at = int(random.integers(len(content)))
    changed = bytearray(content)
    match random.integers(5):
        case 0:
            changed[at] ^= 1 << int(random.integers(8))
        case 1:
            changed[at] ^= int(random.integers(1, 256))
        case 2:
            del changed[at:]
        case 3:
            changed[at:at] = random.bytes(int(random.integers(1, 9)))
        case _:
            changed[at : at + 512] = bytes(len(changed[at : at + 512]))
            if changed == content:  # they were zero before
                changed[0] ^= 1
    return bytes(changed)
