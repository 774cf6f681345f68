"""The network of CLIP-IT (Karimian et al., Section 3.3 and 3.4): what classifies images alone.

An image encoder gives v; ``h_v`` classifies v; ``h_d`` predicts from v the features of the text
that is not there; ``h_t`` classifies these; ``g`` fuses both classifications:
y = g(h_t(h_d(v)), h_v(v)). The parts that settings leave out are not built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pairdx.errors import PairDxError
from pairdx.models.clip_it.backbones import Backbone
from pairdx.models.neural import Normalise
from pairdx.training.randomness import seeded

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Seen:
    """What the network makes of B images.

    Attributes:
        scores: float of shape (B, C), of which probabilities are the softmax.
        image: float of shape (B, D), the image's features v.
        text: float of shape (B, T), the predicted features of a text; None without a text branch.
    """

    scores: Tensor
    image: Tensor
    text: Tensor | None


class ClipItNetwork(nn.Module):
    """An image encoder and its classifiers.

    Of a backbone that is not trained (``trains: head``) no gradients are kept, and of one that is
    trained by adapters or not at all the statistics of batch normalisation stay as they are. Its
    features are computed anew in every epoch: images may be changed at random.

    Args:
        backbone: The image encoder.
        settings: ``trains``, ``text_branch``, ``fusion``, and ``resize_to`` (see config/systems).
        classes: Number of classes C.
        seed: Of the initial weights. Each part has numbers of its own, so that a part more or less
            leaves the others as they are.

    Raises:
        PairDxError: The fusion does not go with the text branch.
    """

    def __init__(
        self, backbone: Backbone, settings: Mapping[str, Any], classes: int, seed: int
    ) -> None:
        super().__init__()
        branch, facts = settings["text_branch"], backbone.facts
        require_fusion(settings["fusion"], has_branch=branch is not None)
        self.backbone, self.trains = backbone.network, settings["trains"]
        self.normalise = Normalise(facts.mean, facts.std)
        self.resize_to: int | None = settings.get("resize_to")
        self.to_text: nn.Module | None = None
        if branch is not None:
            with seeded(CPU, "h_d", seed):
                self.to_text = predictor(branch, facts.dimension)
        self.classify = FUSIONS[settings["fusion"]](facts.dimension, branch, classes, seed)
        if self.trains == "head":
            self.backbone.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> ClipItNetwork:
        """Switch to training; what of the backbone is frozen stays in evaluation mode."""
        super().train(mode)
        if self.trains == "head":
            self.backbone.eval()
        elif self.trains == "adapters":
            for part in self.backbone.modules():
                if isinstance(part, _BatchNorm):
                    part.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Classify float32 images (B, 3, S, S) in [0, 1]: scores of shape (B, C)."""
        return self.see(images).scores

    def see(self, images: Tensor) -> Seen:
        """Classify images, as ``forward``, and keep what is made on the way."""
        if self.resize_to is not None and images.shape[-1] != self.resize_to:
            side = (self.resize_to, self.resize_to)
            images = F.interpolate(
                images, side, mode="bilinear", align_corners=False, antialias=True
            )
        images = self.normalise(images)
        if self.trains == "head":
            with torch.no_grad():
                image: Tensor = self.backbone(images)
        else:
            image = self.backbone(images)
        text = None if self.to_text is None else self.to_text(image)
        return Seen(self.classify(image, text), image, text)


class _Alone(nn.Module):
    """``h_v`` alone."""

    def __init__(self, width: int, _: Mapping[str, Any] | None, classes: int, seed: int) -> None:
        super().__init__()
        with seeded(CPU, "h_v", seed):
            self.image = nn.Linear(width, classes)

    def forward(self, image: Tensor, text: Tensor | None) -> Tensor:  # noqa: ARG002
        """Classify features of images (B, D): scores (B, C)."""
        scores: Tensor = self.image(image)
        return scores


class _Late(_Alone):
    """``g`` of the scores of ``h_v`` and ``h_t``, in this order (that of the authors' code)."""

    def __init__(self, width: int, branch: Mapping[str, Any], classes: int, seed: int) -> None:
        super().__init__(width, branch, classes, seed)
        # It starts anew: it is not the classifier that was trained on the real texts.
        with seeded(CPU, "h_t", seed):
            self.text = nn.Sequential(
                nn.Linear(branch["dimension"], branch["hidden"]),
                nn.LeakyReLU(branch["negative_slope"]),
                nn.Linear(branch["hidden"], classes),
            )
        with seeded(CPU, "g", seed):
            self.fuse = nn.Linear(2 * classes, classes)

    def forward(self, image: Tensor, text: Tensor | None) -> Tensor:
        """Classify features of images (B, D) and predicted ones of texts (B, T): scores (B, C)."""
        scores: Tensor = self.fuse(torch.cat([self.image(image), self.text(text)], dim=1))
        return scores


class _Early(nn.Module):
    """One linear layer that reads features of images and predicted ones of texts side by side."""

    def __init__(self, width: int, branch: Mapping[str, Any], classes: int, seed: int) -> None:
        super().__init__()
        with seeded(CPU, "g", seed):
            self.fuse = nn.Linear(width + branch["dimension"], classes)

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """Classify features of images (B, D) and predicted ones of texts (B, T): scores (B, C)."""
        scores: Tensor = self.fuse(torch.cat([image, text], dim=1))
        return scores


FUSIONS: dict[str, Any] = {"late": _Late, "early": _Early, "none": _Alone}


def require_fusion(fusion: str, *, has_branch: bool) -> None:
    """Refuse a fusion of what is not there.

    Raises:
        PairDxError: It is unknown, or there is nothing to fuse.
    """
    if fusion in FUSIONS and (fusion == "none" or has_branch):
        return
    raise PairDxError(
        f"the fusion {fusion!r} has nothing to fuse without a text branch"
        if fusion in FUSIONS
        else f"there is no fusion {fusion!r}",
        where="systems: … settings: fusion",
        remedy=f"use {', '.join(FUSIONS)}; none without text_branch",
    )


def predictor(branch: Mapping[str, Any], width: int) -> nn.Module:
    """Build ``h_d``: from features of images to those of texts, by one layer or by two."""
    last = nn.Linear(width, branch["dimension"])
    if branch["layers"] == 1:
        return last
    # The layer between is as wide as the image's features, as in the authors' code.
    return nn.Sequential(nn.Linear(width, width), nn.LeakyReLU(branch["negative_slope"]), last)
