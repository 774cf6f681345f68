"""How many pairs a class needs, so that none of its subsets is empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor


def apportioned(total: int, fractions: Sequence[float]) -> list[int]:
    """Share ``total`` pairs out by largest remainder, as the stratified split does.

    The same as :func:`pairdx.splits.stratified`, without the time that importing NumPy takes.
    """
    exact = [fraction * total for fraction in fractions]
    sizes = [floor(share + 1e-9) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda part: sizes[part] - exact[part])
    for part in by_remainder[: total - sum(sizes)]:
        sizes[part] += 1
    return sizes


def least_pairs(fractions: Iterable[float]) -> int:
    """Return the least number of pairs of a class of which every subset gets one."""
    shares = list(fractions)
    total = len(shares)
    while min(apportioned(total, shares)) < 1:
        total += 1
    return total
