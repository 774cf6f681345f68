"""How systems read texts: with which tokeniser, how many tokens of each, and what for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pairdx.report_texts.sentences import sentences
from pairdx.words import read_words
from pairdx.words import tokenise as words_of


@dataclass(frozen=True)
class Reading:
    """How one system would read N captions.

    Attributes:
        tokeniser: What tables call its tokeniser.
        used_for: Which texts it reads, and when.
        context: Most tokens that it reads of one text; None without a limit.
        token_counts: int64 of shape (N,): tokens of every caption before cutting, those of CLIP
            and BERT with the marks of start and end, as in ``context``. None if not known.
        out_of_vocabulary: Share of all words that have no vector, 0 to 1; None without vectors.
        sentence_counts: int64 of shape (N,): sentences of every caption, for a system that draws
            of them in training; None for others.
    """

    tokeniser: str
    used_for: str
    context: int | None
    token_counts: np.ndarray | None
    out_of_vocabulary: float | None = None
    sentence_counts: np.ndarray | None = None


def read_captions(
    system: Mapping[str, Any],
    captions: Sequence[str],
    folder: Path | None,
    vocabulary: Mapping[str, Any] | None,
) -> Reading:
    """Count the tokens of all captions as a system counts them.

    A system whose tokeniser is not known here still has a row: what it reads, and no counts.

    Args:
        system: ``trained``, ``reads``, and ``tokeniser`` and ``settings`` as its family's
            ``text_reader`` returns them (:class:`pairdx.plan.descriptions.Family`).
        captions: N captions.
        folder: The model folder, where ``architecture`` is null.
        vocabulary: Content of vocabulary.json, for a system that reads word vectors.

    Raises:
        PairDxError: The tokeniser cannot be made.
    """
    settings = system["settings"]
    if system["tokeniser"] == "open_clip":
        from pairdx.models.clip.loading import tokeniser_of

        tokeniser = tokeniser_of(settings, folder)
        counts = tokeniser.token_counts(list(captions))
        found = _reading(tokeniser.name, system, settings["context_length"], counts)
        if not settings.get("sentence_sampling"):
            return found
        of_each = [len(sentences(caption)) for caption in captions]
        return replace(found, sentence_counts=np.array(of_each, dtype=np.int64))
    if system["tokeniser"] != "words":
        return Reading("Not known", used_for(system), None, None)
    rate, known = None, frozenset[str]()
    if vocabulary is not None:
        rate, known = float(vocabulary["out_of_vocabulary_rate"]), frozenset(vocabulary["words"])
    counts = [
        len(read_words(caption, known) if known else words_of(caption)) for caption in captions
    ]
    return _reading("Words", system, settings.get("tokens"), counts, rate)


def used_for(system: Mapping[str, Any]) -> str:
    """Say which texts a system reads, and when."""
    when = ["in training"] if system["trained"] else []
    if "caption" in system["reads"]:
        return f"captions {' and '.join([*when, 'at test time'])}"
    if system["trained"] and system["settings"].get("objective") == "contrastive":
        return "captions in training, prompts at test time"
    return "prompts only"


def _reading(
    name: str,
    system: Mapping[str, Any],
    context: int | None,
    counts: Sequence[int],
    out_of_vocabulary: float | None = None,
) -> Reading:
    whole = np.array(counts, dtype=np.int64)
    return Reading(name, used_for(system), context, whole, out_of_vocabulary)
