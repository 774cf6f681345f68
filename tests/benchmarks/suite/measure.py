"""Ways of doing the same work, timed in turns, and their ratios with spread."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

LOW, HIGH = 10, 90  # percentiles that a spread reaches from and to
FEWEST_ROUNDS = 3


@dataclass(frozen=True)
class Spread:
    """A median, and the 10th and 90th percentile of what it is the median of."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """For example ``0.94 (0.91 to 0.96)``."""
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def interleaved(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    warm_up: int = 1,
    *,
    at_most_seconds: float | None = None,
) -> dict[str, np.ndarray]:
    """Time every way once per round, so that what else the machine does meets all of them.

    Each round begins with another way: what one leaves behind (caches, frequency) falls upon no
    other one always.

    Args:
        ways: What is called, by name.
        rounds: How often each is timed.
        warm_up: How often each is called before, untimed.
        at_most_seconds: No further round begins after so long, warming up included, once three
            rounds are measured.

    Returns:
        Seconds by way, float64 of shape (rounds,); fewer where time was up.
    """
    began, names = perf_counter(), list(ways)
    for _ in range(warm_up):
        for way in ways.values():
            way()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        late = at_most_seconds is not None and perf_counter() - began > at_most_seconds
        if late and turn >= FEWEST_ROUNDS:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = perf_counter()
            ways[name]()
            seconds[name].append(perf_counter() - started)
    return {name: np.array(found) for name, found in seconds.items()}


def spread(numbers: np.ndarray) -> Spread:
    """Return the median of some numbers and their 10th to 90th percentile."""
    low, median, high = np.percentile(numbers, [LOW, 50, HIGH])
    return Spread(float(median), float(low), float(high))


def ratio_with_spread(one: np.ndarray, other: np.ndarray) -> Spread:
    """Return ``one / other`` round by round: its median and 10th to 90th percentile.

    Args:
        one: Seconds per round, shape (rounds,).
        other: The same of what it is compared with.
    """
    return spread(np.asarray(one, dtype=float) / np.asarray(other, dtype=float))


def as_json(value: object) -> str:
    """Write what a part found, numpy's numbers included."""

    def plain(number: object) -> object:
        if isinstance(number, np.generic):
            return number.item()
        raise TypeError(f"no number, text or list: {number!r}")

    return json.dumps(value, indent=2, default=plain, ensure_ascii=False) + "\n"
