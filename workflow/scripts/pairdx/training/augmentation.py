"""Random changes to training images, on the device they are trained on (paper, Section 3.2).

The paper names RandomHorizontalFlip, RandomRotation and ColorJitter and states none of their
values. The meaning of each value here is torchvision's: every image is rotated and its colours are
changed, each by an amount of its own, x being a pixel and g(x) = 0.299 r + 0.587 g + 0.114 b
(ITU-R BT.601) its grey:

- flip and rotation: one grid of places, at which images are read bilinearly; what turns into an
  image from outside is black, and its middle stays where it is (kornia's RandomRotation, with
  corners aligned);
- brightness: f x; contrast: f x + (1 - f) times the mean of g over the image; saturation:
  f x + (1 - f) g(x);
- hue: a shift along the colour circle of HSV, which leaves the largest and the smallest of a
  pixel's three numbers as they are (kornia's adjust_hue; the formula is that of :func:`turned`).

Brightness, contrast and saturation are linear, and the grey of each is linear in the grey before
it, so that any number of them is a x + b g(x) + e, with three numbers per image: one 3 x 4 matrix.
The hue of a pixel does not depend on a positive factor, nor on what all three of its numbers are
shifted by, so that those before a shift of the hue move behind it. Hence an image is turned in hue
and written once, whatever the order of the four.

Between the four nothing is clipped to [0, 1], as torchvision and kornia do; at the end everything
is. Where no step leaves [0, 1] the result is theirs but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.training.device import sent

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
GREY = (0.299, 0.587, 0.114)
# Where red, green and blue stand on the colour circle, in sixths of a turn.
PLACES = (0.0, 2.0, 4.0)
# Below any difference of float32 channels that is not 0, and its inverse is a number.
LEAST = 1e-30


def augmentation(settings: Mapping[str, float] | None) -> Callable[[Tensor], Tensor]:
    """Build the augmentation: float32 images, shape (B, 3, S, S), in [0, 1], to images like them.

    Every image of a batch is changed by random amounts of its own, drawn from PyTorch's generator
    of the CPU, so that they are the same on every device. Only the order of the four colour changes
    is drawn once per batch. Inside an autocast block it computes in float32 all the same. Images
    keep their memory layout.

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

    @torch.no_grad()
    def augment(images: Tensor) -> Tensor:
        return Changes.drawn(len(images), strengths).of(images)

    return augment if any(strengths.values()) else lambda images: images


@dataclass(frozen=True)
class Changes:
    """What is done to each of B images, on the CPU.

    Attributes:
        flipped: bool (B,), which are mirrored, before they are rotated; None: no image is.
        degrees: float64 (B,), by how much they are rotated, counter-clockwise; None: not at all.
        colours: For some of ``COLOURS``, in the order in which they are carried out, float64 (B,):
            factors, and the shift of the hue in turns.
    """

    flipped: Tensor | None
    degrees: Tensor | None
    colours: Mapping[str, Tensor]

    @classmethod
    def drawn(cls, count: int, strengths: Mapping[str, float]) -> Self:
        """Draw the changes of ``count`` images; strength 0 is none.

        As many numbers are drawn whatever the strengths, so that one of them changes no other.
        """
        order = torch.randperm(len(COLOURS)).tolist()
        drawn = torch.rand((len(LIMITS), count), dtype=torch.float64)
        draws = dict(zip(LIMITS, drawn, strict=True))
        amounts = {name: (2 * draws[name] - 1) * strengths[name] for name in LIMITS}
        on = [COLOURS[place] for place in order if strengths[COLOURS[place]]]
        return cls(
            flipped=draws["flip"] < strengths["flip"] if strengths["flip"] else None,
            degrees=amounts["rotation_degrees"] if strengths["rotation_degrees"] else None,
            colours={name: amounts[name] + (name != "hue") for name in on},
        )

    def of(self, images: Tensor) -> Tensor:
        """Carry them out: float32 (B, 3, S, S) in [0, 1] to the same, in the same layout."""
        layout = _layout(images)
        # Where bfloat16 is allowed, matrices of rotation would be rounded to it, and the corners of
        # an image of 224 pixels land up to 0.75 pixels away.
        with torch.autocast(images.device.type, enabled=False):
            changed = moved(images, self.flipped, self.degrees)
            if self.colours:
                return recoloured(changed, self.colours, layout)
        return changed.contiguous(memory_format=layout)


def moved(images: Tensor, flipped: Tensor | None, degrees: Tensor | None) -> Tensor:
    """Mirror and rotate images (B, 3, S, S); the arguments are those of :class:`Changes`.

    In coordinates from -1 to 1, corner to corner, a place (x, y) of the result is read at
    (s (x cos a - y sin a), x sin a + y cos a), s being -1 for a mirrored image: that is read the
    other way round after it was turned back.
    """
    if degrees is None:
        if flipped is None:
            return images
        chosen = sent(flipped, images.device).view(-1, 1, 1, 1)
        return torch.where(chosen, images.flip(-1), images)
    cosines, sines = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    sign = 1.0 if flipped is None else torch.where(flipped, -1.0, 1.0)
    columns = torch.stack([sign * cosines, sines, -sign * sines, cosines], dim=1).float()
    by_x, by_y = sent(columns, images.device).view(-1, 2, 1, 2).unbind(1)
    line = torch.linspace(-1, 1, images.shape[-1], device=images.device).unsqueeze(1)
    grid = (line * by_x).unsqueeze(1) + (line * by_y).unsqueeze(2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def recoloured(
    images: Tensor, colours: Mapping[str, Tensor], layout: torch.memory_format
) -> Tensor:
    """Change the colours of images, float32 (B, 3, S, S) in [0, 1], and clip them to that again.

    Args:
        images: In any layout.
        colours: As in :class:`Changes`.
        layout: That of the result.
    """
    form = linear_form(colours)
    rows = sent(torch.stack([*form.values()]).float(), images.device).view(len(form), -1, 1, 1, 1)
    weights = dict(zip(form, rows, strict=True))
    shift = torch.zeros_like(weights["pixel"])
    shift = _with_grey(shift, images, weights.get("first"), weights.get("first_mean"))
    if "hue" in colours:
        images = turned(images, colours["hue"])
    shift = _with_grey(shift, images, weights.get("grey"), weights.get("grey_mean"))
    result = torch.empty_like(images, memory_format=layout)
    return torch.addcmul(shift, images, weights["pixel"], out=result).clamp_(0, 1)


def linear_form(colours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what all changes but that of the hue come to, carried out in their order.

    A pixel becomes the sum of these weights, float64 (B,), those that are all 0 left out, times

    - ``pixel``: itself, turned in hue;
    - ``grey`` and ``grey_mean``: its grey then, and the mean of that over the image;
    - ``first`` and ``first_mean``: the same as they were before it was turned in hue.
    """
    one = next(iter(colours.values()))
    pixel = torch.ones_like(one)
    weights = {name: torch.zeros_like(one) for name in ("first", "grey", "first_mean", "grey_mean")}
    now = "first"
    for name, factor in colours.items():
        if name == "hue":
            now = "grey"
        elif name == "saturation":
            weights[now] += (1 - factor) * pixel
        elif name == "contrast":
            weights[f"{now}_mean"] += (1 - factor) * pixel
            for kind in ("first", "grey"):
                weights[f"{kind}_mean"] += (1 - factor) * weights[kind]
                weights[kind] *= factor
        else:
            weights = {kind: weight * factor for kind, weight in weights.items()}
        pixel = pixel * factor if name != "hue" else pixel
    kept = {name: weight for name, weight in weights.items() if bool(weight.any())}
    return {"pixel": pixel, **kept}


def _with_grey(
    shift: Tensor, images: Tensor, weight: Tensor | None, of_mean: Tensor | None
) -> Tensor:
    if weight is None and of_mean is None:
        return shift
    own = grey(images)
    if of_mean is not None:
        shift = torch.addcmul(shift, own.mean((2, 3), keepdim=True), of_mean)
    return shift if weight is None else torch.addcmul(shift, own, weight)


def grey(images: Tensor) -> Tensor:
    """Return the grey of RGB images: (B, 3, S, S) to (B, 1, S, S)."""
    red, green, blue = images.split(1, dim=1)
    return (red * GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of RGB images, float32 (B, 3, S, S), by as many turns as float64 (B,) says.

    M and m are the largest and smallest number of a pixel, C = M - m, and h its hue in sixths of a
    turn: (g - b) / C from red, 2 + (b - r) / C from green or 4 + (r - g) / C from blue, whichever
    is the largest. A channel at place p of the circle becomes m + C min(1, max(0, 2 - d)), with d
    the way from h to p around the circle, at most 3 (Smith, Color gamut transform pairs, 1978).
    """
    red, green, blue = images.split(1, dim=1)
    largest = torch.maximum(torch.maximum(red, green), blue)
    smallest = torch.minimum(torch.minimum(red, green), blue)
    chroma = largest - smallest
    from_green = torch.sub(blue, red).add_(chroma, alpha=2)
    from_blue = torch.sub(red, green).add_(chroma, alpha=4)
    hue = torch.where(green == largest, from_green, from_blue)
    hue = torch.where(red == largest, green - blue, hue)
    hue.div_(chroma.clamp_min(LEAST))
    away = torch.stack([6 * turns - place + 3 for place in PLACES], dim=1).float()
    way = hue + sent(away, images.device).view(-1, 3, 1, 1)
    way.remainder_(6).sub_(3).abs_().clamp_(1, 2)
    # m + C (2 - d), d kept between 1 and 2
    return torch.addcmul(smallest.add_(chroma, alpha=2), way, chroma, value=-1)


def _layout(images: Tensor) -> torch.memory_format:
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format


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
