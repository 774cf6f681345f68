"""Looking into networks while they compute, through hooks that leave their results as they are.

Grad-CAM (Selvaraju et al., 2017, Section 3) needs a layer whose output still has positions of the
image. A family's module ``explanation`` says which layer that is; a family without such a module is
not explained. The paper explains no decision; it leaves interpretability to future work.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.models.explained import Explanation


class Explainer(Protocol):
    """Explains what a classifier of one family makes of a uint8 image (S, S, 3) and its caption."""

    def __call__(self, classifier: Any, image: np.ndarray, caption: str) -> Explanation:
        """Return the explanation of the predicted class."""


def explainer(family: str) -> Explainer:
    """Import the family's way to explain a decision."""
    module = importlib.import_module(f"pairdx.models.{family}.explanation")
    explain: Explainer = module.explain
    return explain


@contextmanager
def recorded(*layers: nn.Module) -> Iterator[list[Tensor]]:
    """Keep what the layers put out inside the block, in the order in which they are called."""
    outputs: list[Tensor] = []

    def keep(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        outputs.append(output.detach())

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def grad_cam(
    layer: nn.Module,
    scores: Callable[[], Tensor],
    classes: Tensor,
    as_map: Callable[[Tensor], Tensor] = lambda output: output,
) -> Tensor:
    """Return where a layer's output speaks for a class: float of shape (B, h, w), never negative.

    ReLU(sum over k of alpha_k A_k), where A_k is the k-th of the layer's K maps and alpha_k the
    mean over positions of the gradient of the class's score, before any softmax, with respect to
    A_k (Selvaraju et al., 2017, Equations 1 and 2). A positive factor on the scores changes nothing
    but the scale.

    The gradient goes down to the layer and no further, so that frozen layers are no obstacle and
    no parameter gets a gradient.

    Args:
        layer: It must be called once for all images, and have a single tensor as its output.
        scores: Computes the class scores of B images, (B, C), through the layer. In evaluation
            mode: images must not influence each other.
        classes: int64 of shape (B,): whose score is explained.
        as_map: Turns the layer's output, or its gradient, into maps of shape (B, K, h, w).
    """
    kept: list[Tensor] = []

    def cut_graph(_layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    handle = layer.register_forward_hook(cut_graph)
    try:
        with torch.enable_grad():
            explained = scores().gather(1, classes[:, None]).sum()
    finally:
        handle.remove()
    (output,) = kept
    (gradient,) = torch.autograd.grad(explained, output)
    maps, weights = as_map(output.detach()), as_map(gradient).mean(dim=(2, 3), keepdim=True)
    return (weights * maps).sum(dim=1).relu()


def heat_maps(maps: Tensor, size: int) -> np.ndarray:
    """Enlarge maps (B, h, w), none negative, to images of ``size`` pixels: float32 (B, size, size).

    Bilinear; each is divided by its maximum, so that it lies in [0, 1]. A map of zeros stays one.
    """
    large = F.interpolate(maps[:, None].float(), (size, size), mode="bilinear")[:, 0]
    highest = large.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0, large / highest, 0.0).cpu().numpy()
