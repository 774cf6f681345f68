"""The augmentation by kornia, stage by stage: what the library's own is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import kornia.enhance as enhance
import torch
from kornia.augmentation import ColorJitter, RandomHorizontalFlip, RandomRotation
from kornia.geometry.transform import rotate
from torch import Tensor

from pairdx.training.augmentation import COLOURS

STEPS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "brightness": enhance.adjust_brightness_accumulative,
    "contrast": enhance.adjust_contrast_with_mean_subtraction,
    "saturation": enhance.adjust_saturation_with_gray_subtraction,
    "hue": lambda images, turns: enhance.adjust_hue(images, 2 * math.pi * turns),
}


def moved(images: Tensor, flipped: Tensor, degrees: Tensor) -> Tensor:
    """Mirror the chosen images (B, 3, S, S), then rotate every one by its angle."""
    return rotate(torch.where(flipped[:, None, None, None], images.flip(-1), images), degrees)


def recoloured(images: Tensor, colours: Mapping[str, Tensor]) -> Tensor:
    """Change the colours of images by kornia's functions in turn, each of which clips."""
    for name, amounts in colours.items():
        images = STEPS[name](images, amounts.float())
    return images


def augmentation(settings: Mapping[str, float]) -> Callable[[Tensor], Tensor]:
    """Build the pipeline that the library used before its own, with the same settings."""
    colours: dict[str, Any] = {name: settings[name] for name in COLOURS}
    stages = [
        RandomHorizontalFlip(p=settings["flip"]),
        RandomRotation(settings["rotation_degrees"], p=1.0),
        ColorJitter(**colours, p=1.0),
    ]

    @torch.no_grad()
    def augment(images: Tensor) -> Tensor:
        channels_last = images.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        with torch.autocast(images.device.type, enabled=False):
            for stage in stages:
                images = stage(images)
        return images.contiguous(memory_format=layout)

    return augment
