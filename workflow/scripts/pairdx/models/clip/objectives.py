"""CLIP as a classifier by class prompts, and the two readings of how the paper fine-tunes it.

The paper's Figure 4 shows contrastive learning of images and captions; its Section 3.4 speaks of a
cross-entropy loss. Neither can be excluded: see :class:`Contrastive` and :class:`Prompts`. A third
is a baseline of CLIP-IT: :class:`ClassContrastive`. Relaxed positive pairs are the matter of
:mod:`pairdx.models.clip.relaxed`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.models.clip.cut_texts import encode_cut_texts, reads_cut_texts
from pairdx.models.clip.relaxation import Relaxation, relaxed_loss, without
from pairdx.training.batches import Batch
from pairdx.training.distributed import gathered
from pairdx.training.optimisation import Objective
from pairdx.training.text_groups import TextGroups, lengths_of, whole_steps

# The temperature of CLIP is kept from falling below 1/100 (OpenAI CLIP, Section 2.5).
LARGEST_LOGIT_SCALE = math.log(100)


class ClipNetwork(nn.Module):
    """An open_clip model with its normalisation and the prompts of the classes.

    Args:
        clip: The open_clip model.
        normalise: Turns images in [0, 1] into what the model was trained on.
        prompts: For each of C classes, int64 of shape (T, L): the tokens of its T prompts. Of
            several labels per pair 2 C such: those that say that it is there, and after those of
            all classes, those that say that it is not.
        several: Whether any number of classes can be true of an image.
    """

    prompts: Tensor
    first_of_class: Tensor

    def __init__(
        self,
        clip: nn.Module,
        normalise: nn.Module,
        prompts: Sequence[Tensor],
        *,
        several: bool = False,
    ) -> None:
        super().__init__()
        self.clip: Any = clip
        self.normalise = normalise
        self.several = several
        self.per_class = [len(of_class) for of_class in prompts]
        none = torch.zeros((0, 0), dtype=torch.int64)
        tokens = torch.cat(list(prompts)) if self.per_class else none
        self.register_buffer("prompts", tokens, persistent=False)
        starts = [sum(self.per_class[:index]) for index in range(len(self.per_class))]
        self.register_buffer("first_of_class", tokens[starts], persistent=False)
        # Texts are read without their padding in training only: predictions are made of whole ones.
        self.cuts_texts = reads_cut_texts(clip)
        self.prompt_length = tokens.shape[1]
        if self.per_class and self.cuts_texts:
            longest = lengths_of(tokens.numpy()).max(keepdims=True)
            self.prompt_length = int(whole_steps(longest, tokens.shape[1])[0])

    def image_features(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, S, S) in [0, 1]: float32 (B, D) of length 1 (paper, Equation 1)."""
        return F.normalize(self.clip.encode_image(self.normalise(images)).float(), dim=-1)

    def text_features(self, tokens: Tensor, groups: TextGroups | None = None) -> Tensor:
        """Encode tokens (B, L): float32 (B, D) of length 1.

        Args:
            tokens: Padded with zeros.
            groups: How they can be read with less padding, where the encoder allows it.
        """
        if groups is None or not self.cuts_texts:
            features = self.clip.encode_text(tokens)
        else:
            features = groups.read(partial(encode_cut_texts, self.clip), tokens)
        return F.normalize(features.float(), dim=-1)

    def prompt_features(self, tokens: Tensor) -> Tensor:
        """Encode prompts (T, L): float32 (T, D) of length 1; in training without their padding."""
        if not self.training or not self.cuts_texts:
            return self.text_features(tokens)
        features = encode_cut_texts(self.clip, tokens[:, : self.prompt_length])
        return F.normalize(features.float(), dim=-1)

    def class_features(self) -> Tensor:
        """Encode the prompts: float32 (C, D), the mean over a class's prompts, of length 1.

        Of several labels per pair (2 C, D): those of the positive prompts, then of the negative.
        """
        return mean_features(self.prompt_features(self.prompts), self.per_class)

    def class_scores(self, images: Tensor, classes: Tensor) -> Tensor:
        """Compare features of images (B, D) with those of :meth:`class_features`: float32 (B, C).

        Their similarities; of several labels per pair, :func:`finding_scores`.
        """
        return finding_scores(images, classes) if self.several else similarities(images, classes)

    def first_prompts(self) -> Tensor:
        """Encode the first prompt of every class: float32 (C, D) of length 1."""
        return self.prompt_features(self.first_of_class)

    def scale(self) -> Tensor:
        """Return the learned factor on similarities, 1 / temperature."""
        factor: Tensor = self.clip.logit_scale.exp()
        return factor


def mean_features(features: Tensor, per_class: Sequence[int]) -> Tensor:
    """Average the features (T, D) of each class's prompts, by how many it has: (C, D), length 1."""
    classes, most = len(per_class), per_class[0]
    if [*per_class] == [most] * classes:
        means = features.unflatten(0, (classes, most)).mean(dim=1)
    else:
        means = torch.stack([one.mean(dim=0) for one in features.split([*per_class])])
    return F.normalize(means, dim=-1)


def similarities(images: Tensor, others: Tensor) -> Tensor:
    """Return the cosine similarities of rows of length 1: (B, D) and (C, D) to float32 (B, C).

    Always in float32: divided by a small temperature, bfloat16's rounding would show.
    """
    with torch.autocast(images.device.type, enabled=False):
        return images.float() @ others.float().T


def finding_scores(images: Tensor, prompts: Tensor) -> Tensor:
    """Return how much more similar images are to positive prompts than to negative ones.

    The softmax of the pair, which CheXzero takes for the probability of a finding (Tiu et al.
    2022), is the logistic function of this difference.

    Args:
        images: float32 (B, D) of length 1.
        prompts: float32 (2 C, D) of length 1: C positive ones, then C negative ones.

    Returns:
        float32 (B, C), above 0 where the finding is the more probable.
    """
    present, absent = similarities(images, prompts).chunk(2, dim=1)
    return present - absent


def repeated(*numbers: Tensor) -> Tensor:
    """Return which of B texts repeat each other: bool (B, B), symmetric, false on the diagonal.

    Args:
        numbers: int64 (B, L), tokens for one; L can differ. Rows that are equal in any of them
            repeat each other.
    """
    same = torch.stack([(one.unsqueeze(0) == one.unsqueeze(1)).all(dim=2) for one in numbers])
    return same.any(dim=0).fill_diagonal_(fill_value=False)


def contrastive_loss(
    images: Tensor,
    texts: Tensor,
    scale: Tensor,
    same: Tensor | None = None,
    relaxation: tuple[Relaxation, Tensor] | None = None,
) -> Tensor:
    """Return CLIP's loss over B image-text pairs: each image finds its text, each text its image.

    The mean of the two cross-entropies (symmetric InfoNCE), as in open_clip's ClipLoss.

    Args:
        images: float32 (B, D) of length 1.
        texts: float32 (B, D) of length 1; row i belongs to image i.
        scale: Factor on the similarities.
        same: bool (B, B), of :func:`repeated`. If given, those are not each other's negatives:
            panels of one figure often share its caption, and the loss would push an image away from
            its own text.
        relaxation: How positive pairs are relaxed, and the threshold, a scalar; None: not at all.
    """
    cosines = similarities(images, texts)
    if relaxation is not None:
        return relaxed_loss(cosines, scale, same, *relaxation)
    scores = without(scale * cosines, same)
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
        self.groups_texts = network.cuts_texts

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the contrastive loss and the similarities to the class prompts."""
        images = self.network.image_features(batch.images)
        texts = self.network.text_features(batch.texts, batch.text_groups)
        scores = self.network.class_scores(images.detach(), self.prepared)
        if self.network.training:  # several processes share a batch, and its negatives
            images, texts = gathered(images), gathered(texts)
        return self.loss(images, texts, self.duplicates(batch)), scores

    def duplicates(self, batch: Batch) -> Tensor | None:
        """Return which texts are not each other's negatives, bool (B, B); None for none.

        Those of which the same is read; and those that are the same as a whole, whatever sentences
        were drawn of them: each of these is a text of the other's image as well. In training the
        batch is that of all processes.
        """
        if not self.ignore_duplicate_captions:
            return None
        numbers = [batch.texts]
        if batch.text_ids is not None:
            numbers.append(batch.text_ids.unsqueeze(1))
        if self.network.training:
            numbers = [gathered(one) for one in numbers]
        return repeated(*numbers)

    def loss(self, images: Tensor, texts: Tensor, same: Tensor | None) -> Tensor:
        """Return the loss of features, (B, D) each (see :func:`contrastive_loss`)."""
        return contrastive_loss(images, texts, self.network.scale(), same)


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
        fixed = None if self.temperature is None else images.new_full((), 1 / self.temperature)
        scale = self.network.scale() if fixed is None else fixed
        same = repeated(labels[:, None]) if self.ignore_duplicates else None
        return contrastive_loss(images, texts, scale, same), scores


class Prompts(_ByPrompts):
    """Cross-entropy of the similarities to the class prompts; captions play no part."""

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy and the scores; in training, prompts are encoded anew."""
        images = self.network.image_features(batch.images)
        classes = self.network.class_features() if self.network.training else self.prepared
        scores = self.network.scale() * similarities(images, classes)
        return F.cross_entropy(scores, batch.labels), scores
