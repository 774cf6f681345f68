"""What it costs to classify one image: parameters, floating-point operations and milliseconds.

Several systems are compared in one process: in every round each is asked once, in an order that is
drawn anew, so that what the machine does besides falls on all of them alike. A ratio of two times
is over the same rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pairdx.errors import PairDxError
from pairdx.evaluation.timing import limited_threads
from pairdx.machine import cpu_model

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Priced:
    """What is asked, and what its time is compared with.

    Attributes:
        name: Its key.
        ask: Classifies (or encodes) one image on the CPU; the same one every time.
        parameters: Number of parameters that this takes.
        against: The key of what its time is divided by; None: it is compared with nothing.
    """

    name: str
    ask: Callable[[], object]
    parameters: int
    against: str | None = None


def price(
    priced: Sequence[Priced], *, rounds: int, warm_up: int, threads: int, seed: int
) -> dict[str, Any]:
    """Count the operations of one image, and time all of them side by side on the CPU.

    Args:
        priced: What is asked, by different names.
        rounds: How often each is timed.
        warm_up: Rounds before these that are not counted.
        threads: CPU threads.
        seed: Of the orders, and of the resamples of the ratios' intervals.

    Returns:
        ``threads``, ``rounds``, ``warm_up``, ``cpu_model``; and by name under ``systems``:
        ``parameters``, ``flops`` (of one image; a multiplication and the addition of its product
        are two), ``seconds`` (of every round), ``against``, and ``ratio``, ``ratio_low``,
        ``ratio_high`` (:func:`ratio_of_medians`), None where nothing is compared.

    Raises:
        PairDxError: Nothing is asked, two have one name, or one is compared with what is not there.
    """
    names = [one.name for one in priced]
    strangers = [one.against for one in priced if one.against not in {None, *names}]
    if not names or len(set(names)) != len(names) or strangers or rounds < 1:
        raise PairDxError(
            "nothing can be priced: it takes a round, and systems of different names of which each "
            "is compared with one of them",
            where=", ".join(map(str, [*names, *strangers])) or "no system",
        )
    with limited_threads(threads):
        flops = {one.name: flops_of(one.ask) for one in priced}
        asked = {one.name: one.ask for one in priced}
        seconds = interleaved_seconds(asked, rounds=rounds, warm_up=warm_up, seed=seed)
    systems = {}
    for one in priced:
        compared: tuple[float | None, ...] = (None, None, None)
        if one.against is not None:
            compared = ratio_of_medians(seconds[one.name], seconds[one.against], seed)
        systems[one.name] = {
            "parameters": one.parameters,
            "flops": flops[one.name],
            "seconds": seconds[one.name].tolist(),
            "against": one.against,
            **dict(zip(("ratio", "ratio_low", "ratio_high"), compared, strict=True)),
        }
    return {
        "threads": threads,
        "rounds": rounds,
        "warm_up": warm_up,
        "cpu_model": cpu_model(),
        "systems": systems,
    }


def flops_of(ask: Callable[[], object]) -> int:
    """Count the floating-point operations of matrix products and convolutions in a call.

    A multiplication and the addition of its product are two; fvcore and the paper count one.
    Normalisation, activation and bias are not counted, by neither. PyTorch's fused attention layers
    hide their products from the counter, so that they are taken apart meanwhile.
    """
    counter = FlopCounterMode(display=False)
    with _nothing_fused(), counter:
        ask()
    return int(counter.get_total_flops())


def interleaved_seconds(
    asked: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int, seed: int
) -> dict[str, np.ndarray]:
    """Time calls in turn: in every round each once, in an order drawn from seed and round.

    Returns:
        By name the seconds of each counted round, float64 of shape (rounds,).
    """
    names = list(asked)
    found = np.zeros((len(names), rounds))
    for at in range(-warm_up, rounds):
        for which in np.random.default_rng((seed, at + warm_up)).permutation(len(names)):
            ask = asked[names[which]]
            started = time.perf_counter()
            ask()
            taken = time.perf_counter() - started
            if at >= 0:
                found[which, at] = taken
    return dict(zip(names, found, strict=True))


def ratio_of_medians(
    numerator: np.ndarray, denominator: np.ndarray, seed: int
) -> tuple[float, float, float]:
    """Divide the median of one series by that of another of the same rounds.

    Args:
        numerator: Seconds of R rounds.
        denominator: Those of the same rounds.
        seed: Of the resamples.

    Returns:
        The ratio, and the ends of its 95 % percentile interval over :data:`RESAMPLES` resamples of
        the rounds.
    """
    draws = np.random.default_rng(seed).integers(0, len(numerator), (RESAMPLES, len(numerator)))
    ratios = np.median(numerator[draws], axis=1) / np.median(denominator[draws], axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return float(np.median(numerator) / np.median(denominator)), float(low), float(high)


@contextmanager
def _nothing_fused() -> Iterator[None]:
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
