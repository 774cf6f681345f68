"""PairDxFusion's image encoder as torchvision loads it (:mod:`pairdx.models.library_weights`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.models.fusion.images import IMAGE_ENCODERS
from pairdx.models.library_weights import (
    FEATURES,
    WEIGHTS,
    LibraryWeights,
    normalised_lines,
    result_lines,
    square_lines,
)
from pairdx.models.weights import save_weights


def write(classifier: Any, folder: Path, image: Mapping[str, Any]) -> LibraryWeights | None:
    """Write the image encoder without its last layer; nothing of a system without one.

    Args:
        classifier: A :class:`pairdx.models.fusion.system.FusionClassifier`.
        folder: Where; it is there.
        image: ``size`` and ``squaring`` of the images that it reads.
    """
    network = classifier.network
    if network.images is None:
        return None
    save_weights(network.images, folder / Path(WEIGHTS).name)
    blocks = list(IMAGE_ENCODERS[classifier.settings["image_encoder"]])
    mean, std = (one.flatten().tolist() for one in (network.normalise.mean, network.normalise.std))
    lines = [
        "import numpy as np",
        "import torch",
        "from PIL import Image, ImageOps",
        "from safetensors.torch import load_file",
        "from torchvision.models.resnet import BasicBlock, ResNet",
        "",
        f"model = ResNet(BasicBlock, {blocks})",
        "model.fc = torch.nn.Identity()",
        f'model.load_state_dict(load_file("{WEIGHTS}"))',
        "model.eval()",
        *square_lines(image),
        *normalised_lines(mean, std),
        *result_lines(FEATURES),
    ]
    layers = "ResNet-18" if sum(blocks) == 8 else f"ResNet of {sum(blocks)} blocks"
    return LibraryWeights(
        library="torchvision",
        what=f"The image encoder alone, a {layers} of torchvision without its last layer: it gives "
        "512 features of an image and no class. What reads captions, fuses both and classifies is "
        "no library's, and lies in model.onnx.",
        lines="\n".join(lines) + "\n",
        gives=FEATURES,
    )
