"""CLIP as a classifier by class prompts, and the two readings of how the paper fine-tunes it.

The paper's Figure 4 shows contrastive learning of images and captions; its Section 3.4 speaks of a
cross-entropy loss. Neither can be excluded: see :class:`Contrastive` and :class:`Prompts`. A third
is a baseline of CLIP-IT: :class:`ClassContrastive`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.training.batches import Batch
from pairdx.training.distributed import gathered
from pairdx.training.optimisation import Objective

# The temperature of CLIP is kept from falling below 1/100 (OpenAI CLIP, Section 2.5).
LARGEST_LOGIT_SCALE = math.log(100)


class ClipNetwork(nn.Module):
    """An open_clip model with its normalisation and the prompts of the classes.

    Args:
        clip: The open_clip model.
        normalise: Turns images in [0, 1] into what the model was trained on.
        prompts: For each of C classes, int64 of shape (T, L): the tokens of its T prompts.
    """

    prompts: Tensor

    def __init__(self, clip: nn.Module, normalise: nn.Module, prompts: Sequence[Tensor]) -> None:
        super().__init__()
        self.clip: Any = clip
        self.normalise = normalise
        self.per_class = [len(of_class) for of_class in prompts]
        none = torch.zeros((0, 0), dtype=torch.int64)
        tokens = torch.cat(list(prompts)) if self.per_class else none
        self.register_buffer("prompts", tokens, persistent=False)

    def image_features(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, S, S) in [0, 1]: float32 (B, D) of length 1 (paper, Equation 1)."""
        return F.normalize(self.clip.encode_image(self.normalise(images)).float(), dim=-1)

    def text_features(self, tokens: Tensor) -> Tensor:
        """Encode tokens (B, L): float32 (B, D) of length 1."""
        return F.normalize(self.clip.encode_text(tokens).float(), dim=-1)

    def class_features(self) -> Tensor:
        """Encode the prompts: float32 (C, D), the mean over a class's prompts, of length 1."""
        features = self.text_features(self.prompts)
        classes, most = len(self.per_class), self.per_class[0]
        if self.per_class == [most] * classes:
            means = features.unflatten(0, (classes, most)).mean(dim=1)
        else:
            means = torch.stack([one.mean(dim=0) for one in features.split(self.per_class)])
        return F.normalize(means, dim=-1)

    def first_prompts(self) -> Tensor:
        """Encode the first prompt of every class: float32 (C, D) of length 1."""
        starts = [sum(self.per_class[:index]) for index in range(len(self.per_class))]
        return self.text_features(self.prompts[starts])

    def scale(self) -> Tensor:
        """Return the learned factor on similarities, 1 / temperature."""
        factor: Tensor = self.clip.logit_scale.exp()
        return factor


def similarities(images: Tensor, others: Tensor) -> Tensor:
    """Return the cosine similarities of rows of length 1: (B, D) and (C, D) to float32 (B, C).

    Always in float32: divided by a small temperature, bfloat16's rounding would show.
    """
    with torch.autocast(images.device.type, enabled=False):
        return images.float() @ others.float().T


def contrastive_loss(
    images: Tensor, texts: Tensor, scale: Tensor, tokens: Tensor | None = None
) -> Tensor:
    """Return CLIP's loss over B image-text pairs: each image finds its text, each text its image.

    The mean of the two cross-entropies (symmetric InfoNCE), as in open_clip's ClipLoss.

    Args:
        images: float32 (B, D) of length 1.
        texts: float32 (B, D) of length 1; row i belongs to image i.
        scale: Factor on the similarities.
        tokens: int64 (B, L), or labels (B, 1). If given, texts with the same are not each other's
            negatives:
            panels of one figure often share its caption, and the loss would push an image away from
            its own text.
    """
    scores = scale * similarities(images, texts)
    if tokens is not None:
        same = (tokens.unsqueeze(0) == tokens.unsqueeze(1)).all(dim=2)
        same.fill_diagonal_(fill_value=False)
        scores = scores.masked_fill(same, -math.inf)
    pairs = torch.arange(len(images), device=images.device)
    towards_text = F.cross_entropy(scores, pairs)
    towards_image = F.cross_entropy(scores.T, pairs)
    return (towards_text + towards_image) / 2


class _ByPrompts(Objective):
    """Scores by similarity to the class prompts, whose features ``prepare`` computes."""

    def __init__(self, network: ClipNetwork) -> None:
        self.network = network

    def prepare(self) -> None:
        """Encode the class prompts once for the coming pass: float32 (C, D)."""
        self.prepared = self.network.class_features()

    def after_step(self) -> None:
        """Keep the temperature in CLIP's range."""
        self.network.clip.logit_scale.clamp_(0.0, LARGEST_LOGIT_SCALE)


class Contrastive(_ByPrompts):
    """Align images with their captions; labels play no part in the loss.

    The accuracies of training.csv are those of class prompts: in a training pass, of the prompts'
    features as they were at the start of the epoch, compared with the images as they are trained.
    """

    def __init__(self, network: ClipNetwork, *, ignore_duplicate_captions: bool) -> None:
        super().__init__(network)
        self.ignore_duplicate_captions = ignore_duplicate_captions

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the contrastive loss and the similarities to the class prompts."""
        images = self.network.image_features(batch.images)
        texts = self.network.text_features(batch.texts)
        scores = similarities(images.detach(), self.prepared)
        tokens = batch.texts
        if self.network.training:  # several processes share a batch, and its negatives
            images, texts, tokens = gathered(images), gathered(texts), gathered(tokens)
        loss = contrastive_loss(
            images, texts, self.network.scale(), tokens if self.ignore_duplicate_captions else None
        )
        return loss, scores


class ClassContrastive(_ByPrompts):
    """Align images with the prompt of their class: CLIP's loss, where captions are class prompts.

    The baseline that CLIP-IT is compared with (Karimian et al., arXiv 2504.16181, Table 2). Texts
    are the first prompt of every class; predictions, and the accuracies of training.csv, take all.
    The loss of validation pairs, which is over one batch after another, is computed likewise.
    """

    def __init__(
        self, network: ClipNetwork, *, temperature: float | None, ignore_duplicates: bool
    ) -> None:
        """Compare by a fixed temperature, or by the learned one (None).

        Args:
            network: CLIP.
            temperature: Divides similarities in the loss.
            ignore_duplicates: Whether texts of the same class in a batch are spared as negatives.
        """
        super().__init__(network)
        self.temperature, self.ignore_duplicates = temperature, ignore_duplicates

    def prepare(self) -> None:
        """Encode all class prompts, and the first of each, for the coming pass."""
        super().prepare()
        self.first = self.network.first_prompts()

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the contrastive loss and the similarities to the class prompts."""
        images, labels = self.network.image_features(batch.images), batch.labels
        scores = similarities(images.detach(), self.prepared)
        first = self.network.first_prompts() if self.network.training else self.first
        texts = first[labels]
        if self.network.training:  # several processes share a batch, and its negatives
            images, texts, labels = gathered(images), gathered(texts), gathered(labels)
        fixed = None if self.temperature is None else images.new_tensor(1 / self.temperature)
        scale = self.network.scale() if fixed is None else fixed
        same = labels[:, None] if self.ignore_duplicates else None
        return contrastive_loss(images, texts, scale, same), scores


class Prompts(_ByPrompts):
    """Cross-entropy of the similarities to the class prompts; captions play no part."""

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy and the scores; in training, prompts are encoded anew."""
        images = self.network.image_features(batch.images)
        classes = self.network.class_features() if self.network.training else self.prepared
        scores = self.network.scale() * similarities(images, classes)
        return F.cross_entropy(scores, batch.labels), scores
