"""A system's weights as the library that its network is of loads them, without this workflow.

A family whose networks are a library's has a module ``library.py`` with
``write(classifier, folder, image) -> LibraryWeights | None``: what is written into the folder, and
the lines that load it. The lines are run in the folder above, which has the picture
:data:`PICTURE`, and end with what :attr:`LibraryWeights.gives` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pairdx.squaring import PAD_COLOUR

FOLDER = "weights"
WEIGHTS = f"{FOLDER}/model.safetensors"
PICTURE = "picture.png"
# Upright, as its file states it.
PICTURE_LINE = f'picture = ImageOps.exif_transpose(Image.open("{PICTURE}")).convert("RGB")'
PROBABILITIES, FEATURES = "probabilities", "features"


@dataclass(frozen=True)
class LibraryWeights:
    """What was written, and for whom.

    Attributes:
        library: Name of the library: open_clip, timm or torchvision.
        what: What the file holds, in one or two sentences.
        lines: Python that loads it and applies it to one picture.
        gives: The name of what the lines end with: ``probabilities`` (1, C), not calibrated, or
            ``features`` (1, D) where the library's network is a part of the system only.
    """

    library: str
    what: str
    lines: str
    gives: str


def square_lines(image: Mapping[str, Any]) -> list[str]:
    """Write the lines that make a square of a picture, as training saw it: ``square``.

    The same as :func:`pairdx.squaring.fit_to_square`.

    Args:
        image: ``size``, in pixels, and ``squaring``.
    """
    size = image["size"]
    read = PICTURE_LINE
    if image["squaring"] == "squash":
        return [read, f"square = picture.resize(({size}, {size}), Image.Resampling.BICUBIC)"]
    if image["squaring"] == "pad":
        shrink = f"max(1, round(side / (max(picture.size) / {size})))"
        return [
            read,
            f"width, height = ({shrink} for side in picture.size)",
            f'square = Image.new("RGB", ({size}, {size}), {PAD_COLOUR})',
            "resized = picture.resize((width, height), Image.Resampling.BICUBIC)",
            f"square.paste(resized, (({size} - width) // 2, ({size} - height) // 2))",
        ]
    return [
        read,
        f"width, height = (int({size} * side / min(picture.size)) for side in picture.size)",
        f"left, top = round((width - {size}) / 2), round((height - {size}) / 2)",
        "resized = picture.resize((width, height), Image.Resampling.BICUBIC)",
        f"square = resized.crop((left, top, left + {size}, top + {size}))",
    ]


def normalised_lines(mean: Sequence[float], std: Sequence[float]) -> list[str]:
    """Write the lines that make numbers of ``square``: ``images``, float32 (1, 3, S, S)."""
    return [
        "images = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None] / 255",
        f"mean, std = torch.tensor({_numbers(mean)}), torch.tensor({_numbers(std)})",
        "images = (images - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)",
    ]


def _numbers(values: Sequence[float]) -> str:
    # As single precision has them, in the fewest digits: 0.485.
    return repr([float(str(np.float32(one))) for one in values])


def resized_lines(side: int | None) -> list[str]:
    """Write the line that resizes ``images`` to what a network reads; none where it reads them."""
    if side is None:
        return []
    return [
        "images = torch.nn.functional.interpolate(",
        f'    images, ({side}, {side}), mode="bilinear", align_corners=False, antialias=True',
        ")",
    ]


def result_lines(gives: str) -> list[str]:
    """Write the lines that apply ``model`` to ``images``."""
    end = ".softmax(dim=1)" if gives == PROBABILITIES else ""
    return ["with torch.inference_mode():", f"    {gives} = model(images){end}"]


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Write keyword arguments behind others: ``, img_size=32``."""
    return "".join(f", {name}={value!r}" for name, value in arguments.items())
