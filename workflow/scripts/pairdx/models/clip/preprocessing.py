"""How a CLIP model wants its images prepared, as open_clip's ``preprocess_cfg`` says it.

All systems read the same packed images, and ``packing.squaring`` says how they become square
(squaring.py): a model that states that it was trained on images made in another way is refused, and
of one that states nothing it is said what it sees. Mean and deviation are its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.squaring import PAD_COLOUR

# What packed images are. open_clip's `random` concerns training; it predicts with bicubic filters.
PACKED = {"mode": ("RGB",), "interpolation": ("bicubic", "random")}
# What open_clip calls each way in which images become square.
RESIZE_MODES = {"crop": "shortest", "squash": "squash", "pad": "longest"}
UNSTATED = "shortest"  # what open_clip does where a model states nothing
CHANNELS = 3


def normalisation(
    preprocessing: Mapping[str, Any] | None, image_size: int, squaring: str, where: object
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of the three colour channels.

    Args:
        preprocessing: ``preprocess_cfg`` of an open_clip configuration; what is absent or null is
            as in OpenAI's CLIP. None where there is no such configuration.
        image_size: Side in pixels of the images that the model reads.
        squaring: How the packed images became square: ``crop``, ``squash`` or ``pad``.
        where: Where it was read, for errors.

    Raises:
        PairDxError: It asks for images that are resized in another way or to another size, or its
            mean or deviation is none.
    """
    stated = {name: value for name, value in (preprocessing or {}).items() if value is not None}
    for name, possible in PACKED.items():
        if stated.pop(name, possible[0]) not in possible:
            raise _refused(name, (preprocessing or {})[name], possible[0], where)
    if preprocessing is not None:
        _check_squaring(stated, squaring, where)
    size = stated.pop("size", image_size)
    sides = {size} if isinstance(size, int) else set(size[-2:])
    if sides != {image_size}:
        raise _refused("size", size, image_size, where)
    mean = _channels("mean", stated.pop("mean", OPENAI_DATASET_MEAN), where)
    std = _channels("std", stated.pop("std", OPENAI_DATASET_STD), where)
    if min(std) <= 0:
        raise PairDxError(f"std is {list(std)}, and a deviation is above 0", where=_key(where))
    unknown = sorted(stated)
    if unknown:
        logger.warning("%s: %s is not looked at", _key(where), ", ".join(unknown))
    return mean, std


def _check_squaring(stated: dict[str, Any], squaring: str, where: object) -> None:
    """Take out of what is stated how images become square, and compare it with how they did."""
    wanted, packed = stated.pop("resize_mode", None), RESIZE_MODES[squaring]
    colour = stated.pop("fill_color", 0)
    if wanted is None and packed != UNSTATED:
        logger.warning(
            "%s: no resize_mode is stated, which means %r to open_clip; the packed images are made "
            "with %r (packing: squaring: %s), so this model may see others than it was trained on",
            _key(where),
            UNSTATED,
            packed,
            squaring,
        )
    elif wanted not in (None, packed):
        others = {mode: name for name, mode in RESIZE_MODES.items()}
        so = f"set packing: squaring to {others[wanted]}" if wanted in others else ""
        raise _refused("resize_mode", wanted, packed, where, so)
    elif squaring == "pad" and colour not in (PAD_COLOUR[0], list(PAD_COLOUR)):
        logger.warning(
            "%s: this model was trained on images padded with the colour %s; the packed ones are "
            "padded with %s",
            _key(where),
            colour,
            list(PAD_COLOUR),
        )


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


def _refused(name: str, wanted: Any, packed: Any, where: object, instead: str = "") -> PairDxError:
    return PairDxError(
        f"this model wants its images prepared with {name}: {wanted!r}; those that all systems "
        f"read are packed with {packed!r}",
        where=_key(where),
        remedy="use a model that was trained on such images; "
        + (f"or {instead}, for all systems; " if instead else "")
        + "or, if you accept that it sees others than it was trained on, take "
        + f"{name} out of this file",
    )


def _key(where: object) -> str:
    return f"{where}: preprocess_cfg"
