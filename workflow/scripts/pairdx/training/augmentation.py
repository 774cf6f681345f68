"""Random changes to training images, on the device they are trained on (paper, Section 3.2).

The paper names RandomHorizontalFlip, RandomRotation and ColorJitter and states none of their
values. The meaning of each value here is torchvision's: every image is rotated and its colours are
changed, each by an amount of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError

COLOURS = ("brightness", "contrast", "saturation", "hue")
# The largest value of each setting; the smallest is 0, which leaves images unchanged.
LIMITS = {
    "flip": 1.0,
    "rotation_degrees": 180.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "hue": 0.5,
}


def augmentation(settings: Mapping[str, float] | None) -> Callable[[Tensor], Tensor]:
    """Build the augmentation: float32 images, shape (B, 3, S, S), in [0, 1], to images like them.

    Every image of a batch is changed by random amounts of its own, drawn from PyTorch's generators.
    Only the order of the four colour changes is drawn once per batch. Inside an autocast block it
    computes in float32 all the same.

    Args:
        settings: ``flip``: probability of a mirror image; ``rotation_degrees``: largest angle to
            either side (what turns into the image from outside is black); ``brightness``,
            ``contrast``, ``saturation``: factors drawn from 1 - value to 1 + value; ``hue``:
            largest shift to either side, in turns of the colour circle. Absent or 0: no such
            change. None: no augmentation at all.

    Raises:
        PairDxError: An unknown setting, or a value out of range.
    """
    strengths = _checked(settings or {})
    stages: list[nn.Module] = []
    if any(strengths.values()):
        # Imported here, because kornia takes a second to load and only training needs it.
        from kornia.augmentation import ColorJitter, RandomHorizontalFlip, RandomRotation

        if strengths["flip"]:
            stages.append(RandomHorizontalFlip(p=strengths["flip"]))
        if strengths["rotation_degrees"]:
            stages.append(RandomRotation(strengths["rotation_degrees"], p=1.0))
        colours: dict[str, Any] = {name: strengths[name] for name in COLOURS}
        if any(colours.values()):
            stages.append(ColorJitter(**colours, p=1.0))
    return _InTurn(stages)


class _InTurn:
    """The stages one after another, in float32; images keep their memory layout."""

    def __init__(self, stages: list[nn.Module]) -> None:
        self.stages = stages

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        channels_last = images.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        # Where bfloat16 is allowed, matrices of rotation would be rounded to it, and the corners of
        # an image of 224 pixels land up to 0.75 pixels away.
        with torch.autocast(images.device.type, enabled=False):
            for stage in self.stages:
                images = stage(images)
        # Most stages hand out their own layout.
        return images.contiguous(memory_format=layout)


def _checked(settings: Mapping[str, float]) -> dict[str, float]:
    for name, value in settings.items():
        where = f"systems: … settings: augmentation: {name}"
        if name not in LIMITS:
            raise PairDxError(
                f"there is no augmentation called {name}",
                where=where,
                remedy=f"use {', '.join(LIMITS)}",
            )
        if not 0 <= value <= LIMITS[name]:
            raise PairDxError(
                f"{name} must be between 0 and {LIMITS[name]:g}, not {value}", where=where
            )
    return {name: float(settings.get(name, 0.0)) for name in LIMITS}
