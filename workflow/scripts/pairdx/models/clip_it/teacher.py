"""The text side of a training: what the features of the paired texts are. No part of what is saved.

Without a text encoder these are the features of the bank, computed once by the frozen encoder of
the pairing. With one, texts are encoded anew in every step: because the encoder is trained by
adapters, or because words are left out at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.models.adapters import adapt_layers
from pairdx.models.clip.loading import ClipParts, build_clip
from pairdx.models.clip.weights import load_clip_weights
from pairdx.models.clip_it.paired_texts import PairedTexts
from pairdx.models.features import encoder_identity, encoder_source
from pairdx.models.sources import require_resource, weights_file

# Of an entry of feature_extractors, what decides features of texts.
OF_TEXTS = ("architecture", "quick_gelu", "weights", "context_length")


class Teacher(nn.Module):
    """The features of a bank, by position.

    What is known of the bank is no parameter, so that nothing trains it, and no buffer, which would
    be sent from process to process in every step of a training on several GPUs. It is on the
    module's device, and in no saved state.

    Args:
        features: float32 of shape (M, T), rows of length 1.
    """

    def __init__(self, features: np.ndarray) -> None:
        super().__init__()
        self.features = torch.from_numpy(np.array(features))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move what is known of the bank along with the module."""
        super()._apply(fn, recurse)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, fn(value))
        return self

    def forward(self, positions: Tensor) -> Tensor:
        """Return the features of the texts at int64 positions (B,): float32 (B, T)."""
        return self.features.index_select(0, positions)


class EncodingTeacher(Teacher):
    """A text encoder of the CLIP family that runs in training.

    A frozen one is not asked in evaluation mode: there its features are those of the bank.

    Args:
        features: As for :class:`Teacher`.
        parts: The CLIP model, of which the text encoder is taken.
        texts: M texts.
        word_dropout: Share of the words of a text that is left out in training, others each time.
        lora: Adapters of the text encoder (:func:`pairdx.models.adapters.adapt_layers`); None
            leaves it as it is.
        seed: Of the adapters.
    """

    def __init__(
        self,
        features: np.ndarray,
        parts: ClipParts,
        texts: Sequence[str],
        *,
        word_dropout: float,
        lora: Mapping[str, Any] | None,
        seed: int,
    ) -> None:
        super().__init__(features)
        self.clip: Any = parts.clip
        self.clip.visual = nn.Identity()
        self.clip.requires_grad_(requires_grad=False)
        self.texts, self.tokenise, self.word_dropout = list(texts), parts.tokenise, word_dropout
        self.tokens = parts.tokenise(self.texts)
        self.adapted = lora is not None
        if lora is not None:
            adapt_layers(
                self.clip,
                lora,
                seed,
                encode=lambda: self.clip.encode_text(self.tokens[:1]),
                who="the text encoder",
            )

    def train(self, mode: bool = True) -> EncodingTeacher:
        """Switch to training; an encoder that is not trained stays in evaluation mode."""
        super().train(mode)
        if not self.adapted:
            self.clip.eval()
        return self

    @torch.compiler.disable
    def forward(self, positions: Tensor) -> Tensor:
        """Return the features of the texts at int64 positions (B,): float32 (B, T) of length 1."""
        if not self.training and not self.adapted:
            return super().forward(positions)
        tokens = self.tokens.index_select(0, positions)
        if self.training and self.word_dropout > 0:
            tokens = self._with_words_left_out(positions)
        with torch.set_grad_enabled(self.adapted and torch.is_grad_enabled()):
            return F.normalize(self.clip.encode_text(tokens).float(), dim=-1)

    def _with_words_left_out(self, positions: Tensor) -> Tensor:
        """Draw from PyTorch's generator, which is seeded anew in every step of training."""
        draw = np.random.default_rng(int(torch.randint(2**62, (1,))))
        texts = [self.texts[at] for at in positions.tolist()]
        room = self.tokens.shape[1]
        left = [without_words(text, self.word_dropout, draw, room) for text in texts]
        return self.tokenise(left).to(positions.device)


def without_words(
    text: str, share: float, draw: np.random.Generator, room: int | None = None
) -> str:
    """Leave out so large a share of a text's words, rounded down; the others keep their order.

    Args:
        text: A text.
        share: Of all of its words.
        draw: What is left out.
        room: How many tokens an encoder reads, which cuts off the others: reports are far longer,
            and words that it would not read need not be turned into tokens. None keeps them.
    """
    words = text.split()
    kept = len(words) - int(share * len(words))
    left = [words[at] for at in sorted(draw.choice(len(words), kept, replace=False))]
    return " ".join(left if room is None else _read(left, room))


def _read(words: list[str], room: int) -> list[str]:
    """Return the first words, so many that their tokens fill the room; all of them if in doubt."""
    sure = 0
    for count, word in enumerate(words, start=1):
        # Tokenisers mend other characters, by what stands elsewhere in the text, or drop them.
        if not (word.isascii() and word.isprintable()) or "&" in word:
            return words
        # At least one token; of a word of punctuation alone some tokenisers make none.
        sure += any(map(str.isalnum, word))
        if sure == room:
            return words[:count]
    return words


def make_teacher(
    settings: Mapping[str, Any], paired: PairedTexts, resources: Mapping[str, Path], seed: int
) -> Teacher:
    """Make what tells the features of paired texts.

    Args:
        settings: ``text_encoder``, ``word_dropout``, and ``pairing`` with the ``encoder`` of it.
        paired: The texts.
        resources: ``text_encoder``, the weights of that encoder, where it runs and has any.
        seed: Of adapters.

    Raises:
        PairDxError: The encoder's weights are missing, or others than those of the features.
    """
    if not runs_encoder(settings):
        return Teacher(paired.features.texts)
    own = settings["text_encoder"]
    return EncodingTeacher(
        paired.features.texts,
        _encoder(settings["pairing"]["encoder"], paired, resources),
        paired.texts(),
        word_dropout=settings["word_dropout"],
        lora=own["lora"] if own["trains"] == "adapters" else None,
        seed=seed,
    )


def runs_encoder(settings: Mapping[str, Any]) -> bool:
    """Whether training needs the text encoder itself."""
    return settings["text_encoder"]["trains"] != "nothing" or settings["word_dropout"] > 0


def _encoder(
    encoder: Mapping[str, Any], paired: PairedTexts, resources: Mapping[str, Path]
) -> ClipParts:
    """Build the encoder that made the features, and see that it is the same."""
    stated = paired.features.encoder
    path = None
    if encoder["weights"] is not None:
        path = require_resource(resources, "text_encoder")
    source = encoder_source(encoder, {} if path is None else {"weights": path})
    seed = stated.get("seed") or 0
    own = encoder_identity(encoder, seed, source)
    same = all(own["settings"].get(key) == stated["settings"].get(key) for key in OF_TEXTS)
    if not same or own["weights"] != stated["weights"]:
        raise PairDxError(
            "the features of the bank's texts were made by another encoder than the one that is to "
            "run in training",
            where=paired.files["text_features"],
            remedy="delete the file, which is made again, or put the encoder's weights back",
        )
    parts = build_clip(encoder, path if path is not None and path.is_dir() else None, seed)
    if path is not None:
        load_clip_weights(parts, weights_file(path))
    return parts
