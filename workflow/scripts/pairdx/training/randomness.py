"""Randomness as a function of (seed, epoch, step), so that no generator state need be stored.

A run that was killed and resumed draws the same numbers as one that was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import torch


def mixed_seed(*parts: int | str) -> int:
    """Mix the parts into one seed, 0 to 2^63 - 1; neighbouring parts give unrelated seeds."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which an epoch visits ``count`` examples: int64 of shape (count,)."""
    return np.random.default_rng(mixed_seed("order", seed, epoch)).permutation(count)


@contextmanager
def seeded(device: torch.device, *parts: int | str) -> Iterator[None]:
    """Seed PyTorch's generators with the mixed parts inside the block, then restore them."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        seed = mixed_seed(*parts)
        torch.default_generator.manual_seed(seed)
        if devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def step_randomness(
    device: torch.device, seed: int, epoch: int, step: int, rank: int = 0
) -> AbstractContextManager[None]:
    """Seed the augmentation and the dropout of one training step (see :func:`seeded`).

    Processes that share a batch (``rank``) draw numbers of their own.
    """
    own = (rank,) if rank else ()
    return seeded(device, "step", seed, epoch, step, *own)
