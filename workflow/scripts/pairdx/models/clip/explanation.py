"""Why a CLIP model decided: Grad-CAM of its image encoder, for the predicted class's prompts.

In a vision transformer the class is read from the class token of the last block's output, on which
that block's other tokens have no influence any more. So the positions are taken where they last
have one: the patch tokens that the last block's attention reads, after its first layer
normalisation (the choice of the package pytorch-grad-cam for vision transformers). A ResNet has
the output of its last convolutional block. The score is the similarity of image and prompts.

Captions are not read, so there is no attention over them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.models.clip.objectives import similarities
from pairdx.models.clip.system import ClipClassifier
from pairdx.models.explained import Explanation
from pairdx.models.explanation import grad_cam, heat_maps
from pairdx.models.neural import images_for, network_device


def explain(classifier: ClipClassifier, image: np.ndarray, caption: str) -> Explanation:  # noqa: ARG001
    """Explain the class that is predicted for a uint8 image (S, S, 3).

    Raises:
        PairDxError: The image encoder is neither a vision transformer nor a ResNet.
    """
    network, images = classifier.network, image[None]
    probabilities = classifier.probabilities(images, None)[0]
    # A tensor from inference mode takes no part in gradients; its copy does.
    classes = classifier.class_features().clone()
    inputs = images_for(network, images, classifier.settings)
    layer, as_map = last_positions(network.clip.visual)
    maps = grad_cam(
        layer,
        lambda: similarities(network.image_features(inputs), classes),
        torch.tensor([probabilities.argmax()], device=network_device(network)),
        as_map,
    )
    positions = (maps.shape[1], maps.shape[2])
    return Explanation(probabilities, heat_maps(maps, len(image))[0], positions, None)


def last_positions(visual: Any) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Find the last layer of an image encoder whose output at each position bears on the result.

    Args:
        visual: open_clip's own vision transformer or ResNet, or one of the timm library (as
            BiomedCLIP's).

    Returns:
        The layer, and what turns its output into maps of shape (B, K, h, w).

    Raises:
        PairDxError: It is neither.
    """
    trunk = getattr(visual, "trunk", visual)
    if hasattr(trunk, "layer4"):
        return trunk.layer4, lambda output: output
    if hasattr(trunk, "blocks") and hasattr(trunk, "num_prefix_tokens"):
        return trunk.blocks[-1].norm1, _patches(trunk.num_prefix_tokens)
    if hasattr(visual, "transformer") and hasattr(visual, "class_embedding"):
        return visual.transformer.resblocks[-1].ln_1, _patches(1)
    raise PairDxError(
        f"where the image encoder {type(trunk).__name__} keeps positions is not known, so its "
        "decisions cannot be explained",
        where="systems: … settings: architecture",
        remedy="name its layer in workflow/scripts/pairdx/models/clip/explanation.py, or set "
        "explanations: per_class to 0 and pairs to []",
    )


def _patches(others: int) -> Callable[[Tensor], Tensor]:
    """Return what drops the first tokens and puts the rest in rows and columns of the image.

    Images are square, and so are patches: there are as many rows as columns.
    """

    def as_map(tokens: Tensor) -> Tensor:
        patches = tokens[:, others:].transpose(1, 2)
        return patches.unflatten(2, (math.isqrt(patches.shape[2]), -1))

    return as_map
