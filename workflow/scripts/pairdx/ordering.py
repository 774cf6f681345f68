"""A random order that belongs to each item: a function of the seed and the item's name alone.

Sorting by it is a shuffle that does not depend on the order of the input, and in which adding an
item moves no other item past another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pandas as pd


def seeded_rank(names: Iterable[object], seed: int, purpose: str) -> pd.Series:
    """Return a 63-bit number per name, uniform over names: int64, in the order of ``names``.

    Args:
        names: Unique names.
        seed: The seed of the run.
        purpose: What the order is for, so that two uses of one seed are independent.
    """
    numbers = [
        int.from_bytes(hashlib.blake2b(f"{purpose}:{seed}:{name}".encode(), digest_size=8).digest())
        >> 1
        for name in names
    ]
    return pd.Series(numbers, dtype="int64")
