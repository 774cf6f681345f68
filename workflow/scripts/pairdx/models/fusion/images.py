"""PairDxFusion's image encoder, a ResNet (paper, Section 3.5).

Apart from the caption encoder, because torchvision takes two seconds to import: it loads PyTorch's
compiler. A system that reads captions alone does without.
"""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import ResNet, ResNet18_Weights
from torchvision.models.resnet import BasicBlock

from pairdx.errors import PairDxError
from pairdx.models.fusion.encoders import ImageFeatures
from pairdx.models.neural import Normalise

# Blocks per stage. resnet18 is the paper's; resnet10 is the demo's.
IMAGE_ENCODERS = {"resnet18": (2, 2, 2, 2), "resnet10": (1, 1, 1, 1)}


class ImageEncoder(ResNet):
    """A randomly initialised ResNet without its last layer: images to 512 numbers each.

    The last convolutional block has 512 channels; global average pooling is part of the ResNet.

    Args:
        blocks: Residual blocks of each of the four stages.
    """

    def __init__(self, blocks: tuple[int, int, int, int]) -> None:
        super().__init__(BasicBlock, list(blocks))
        self.fc = nn.Identity()

    def features(self, images: Tensor) -> ImageFeatures:
        """Encode float32 images of shape (B, 3, S, S); as ``forward``, which gives the vectors."""
        found = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        found = self.layer4(self.layer3(self.layer2(self.layer1(found))))
        return ImageFeatures(
            vectors=self.avgpool(found).flatten(1), positions=found.flatten(2).transpose(1, 2)
        )


def image_encoder(name: str) -> ImageEncoder:
    """Build an image encoder by its name in the settings.

    Raises:
        PairDxError: There is none of that name.
    """
    if name not in IMAGE_ENCODERS:
        raise PairDxError(
            f"there is no image encoder {name!r}",
            where="systems: … settings: image_encoder",
            remedy=f"use {' or '.join(IMAGE_ENCODERS)}",
        )
    return ImageEncoder(IMAGE_ENCODERS[name])


def imagenet_normalisation() -> Normalise:
    """Return ImageNet's mean and deviation (paper, Section 3.2), as torchvision states them."""
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms()
    return Normalise(preset.mean, preset.std)
