"""How a CLIP model wants its images prepared, as open_clip's ``preprocess_cfg`` says it.

All systems read the same packed images, which are made as OpenAI's CLIP makes them (packing.py): a
model that was trained on images made in another way is refused. Mean and deviation are its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

from pairdx.errors import PairDxError
from pairdx.logs import logger

# What packed images are. open_clip's `random` concerns training; it predicts with bicubic filters.
PACKED = {
    "mode": ("RGB",),
    "resize_mode": ("shortest",),
    "interpolation": ("bicubic", "random"),
}
# The colour beside an image that is padded, which only another resize_mode does.
WITHOUT_EFFECT = ("fill_color",)
CHANNELS = 3


def normalisation(
    preprocessing: Mapping[str, Any] | None, image_size: int, where: object
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of the three colour channels.

    Args:
        preprocessing: ``preprocess_cfg`` of an open_clip configuration; what is absent or null is
            as in OpenAI's CLIP.
        image_size: Side in pixels of the images that the model reads.
        where: Where it was read, for errors.

    Raises:
        PairDxError: It asks for images that are resized in another way or to another size, or its
            mean or deviation is none.
    """
    stated = {name: value for name, value in (preprocessing or {}).items() if value is not None}
    for name, possible in PACKED.items():
        if stated.pop(name, possible[0]) not in possible:
            raise _refused(name, (preprocessing or {})[name], possible[0], where)
    size = stated.pop("size", image_size)
    sides = {size} if isinstance(size, int) else set(size[-2:])
    if sides != {image_size}:
        raise _refused("size", size, image_size, where)
    mean = _channels("mean", stated.pop("mean", OPENAI_DATASET_MEAN), where)
    std = _channels("std", stated.pop("std", OPENAI_DATASET_STD), where)
    if min(std) <= 0:
        raise PairDxError(f"std is {list(std)}, and a deviation is above 0", where=_key(where))
    unknown = sorted(set(stated) - set(WITHOUT_EFFECT))
    if unknown:
        logger.warning("%s: %s is not looked at", _key(where), ", ".join(unknown))
    return mean, std


def _channels(name: str, value: Any, where: object) -> Sequence[float]:
    values = [value] * CHANNELS if isinstance(value, int | float) else value
    numbers = isinstance(values, Sequence) and all(
        isinstance(one, int | float) and math.isfinite(one) for one in values
    )
    if not numbers or len(values) != CHANNELS:
        raise PairDxError(
            f"{name} is {value!r}, and should be a number for each of {CHANNELS} colours",
            where=_key(where),
        )
    return values


def _refused(name: str, wanted: Any, packed: Any, where: object) -> PairDxError:
    return PairDxError(
        f"this model wants its images prepared with {name}: {wanted!r}; those that all systems "
        f"read are packed with {packed!r}",
        where=_key(where),
        remedy=f"use a model that was trained on such images; or, if you accept that it sees "
        f"others than it was trained on, take {name} out of this file",
    )


def _key(where: object) -> str:
    return f"{where}: preprocess_cfg"
