"""Material for the tests of the CLIP family: a tiny CLIP of ours, and open_clip's own."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch

import tiny_models as tiny
from pairdx.models import clip


def build(seed: int = 1, weights: Path | None = None, **changes: Any) -> clip.ClipClassifier:
    """A tiny CLIP, random or with the given weights."""
    changes = {"weights": None if weights is None else "given"} | changes
    resources = {} if weights is None else {"weights": weights}
    return clip.build(tiny.settings(tiny.CLIP, **changes), tiny.CLASSES, resources, seed)


def plain_open_clip(**changes: Any) -> open_clip.CLIP:
    """The same architecture, built by open_clip itself from other random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(99)
        return open_clip.CLIP(**deepcopy(tiny.TINY_CLIP | changes)).eval()
