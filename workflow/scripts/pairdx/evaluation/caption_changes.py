"""Changed captions: another pair's, without the names of the classes, with typos, with gaps.

What a system reads of its captions, and how carefully they must be written; not in the paper.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pairdx.curation.readings import readings
from pairdx.errors import PairDxError
from pairdx.evaluation.corruptions import pair_generator
from pairdx.ordering import seeded_rank

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Between the parts of a name: a space, a hyphen in any of its forms, or nothing ("x-ray", "xray").
_JOINT = r"[\s\-\u00ad\u2010-\u2015\u2212]*"
_PLURAL = r"(?:'s|\u2019s|e?s)?"


def other_pairs(pair_ids: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Give every pair another one, each of them once: a derangement.

    The pairs stand in a random ring and each takes from the next. The other pair may be of the same
    class: what is measured is a caption that does not belong, not one that argues for another
    class.

    Args:
        pair_ids: N names; the ring depends on them and on the seed, not on their order.
        seed: Of the ring.

    Returns:
        int64 of shape (N,): position of the other pair, never the pair's own.

    Raises:
        PairDxError: There is only one pair.
    """
    if len(pair_ids) < 2:
        raise PairDxError(
            "captions cannot be swapped: there are fewer than two test pairs",
            where="config key input_probes",
            remedy="use more pairs, or set input_probes.systems to []",
        )
    ring = np.argsort(seeded_rank(pair_ids, seed, "swapped captions").to_numpy(), kind="stable")
    others = np.empty(len(ring), dtype=np.int64)
    others[ring] = np.roll(ring, -1)
    return others


def word_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Compile what finds any of ``words`` in a caption; None if there are none.

    Case does not count, and words are found whole: next to a hyphen or slash ("CT-guided",
    "PET/CT"), not within another word ("ct" in "fracture"). Plurals and possessives are found too.
    Parts of a name may be written together, with a space or with a hyphen. ``*`` at an end stands
    for any letters there.
    """
    # Longer ones first: "computed tomography" before "computed".
    spelled = sorted({word.strip() for word in words if word.strip(" *-")}, key=len, reverse=True)
    if not spelled:
        return None
    joined = "|".join(_spelling(word) for word in spelled)
    return re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])", re.IGNORECASE)


def _spelling(word: str) -> str:
    parts = [part for part in re.split(r"[\s-]+", word.strip("*")) if part]
    middle = _JOINT.join(re.escape(part) for part in parts)
    before = r"[^\W\d_]*" if word.startswith("*") else ""
    after = r"[^\W\d_]*" if word.endswith("*") else _PLURAL
    return before + middle + after


def mask_words(caption: str, pattern: re.Pattern[str] | None) -> str:
    """Take out what ``pattern`` finds; the other words stay as they are and in their order.

    It is found in any form of its letters (:mod:`pairdx.curation.readings`). Punctuation that then
    stands alone goes with it, and runs of white space become one space.
    """
    if pattern is None:
        return caption
    spans = {
        copy.span(*found.span())
        for copy in readings(caption)
        for found in pattern.finditer(copy.text)
    }
    kept, place = [], 0
    for start, end in sorted(spans):
        if end > place:  # else it lies in one that another copy found
            kept.append(caption[place : max(start, place)])
            place = end
    left = " ".join([*kept, caption[place:]]).split()
    return " ".join(token for token in left if any(map(str.isalnum, token)))


def misspell(caption: str, share: float, generator: np.random.Generator) -> str:
    """Put one typo into ``share`` of the words of two or more letters, in random places.

    A typo is two neighbours swapped, a letter left out, doubled, or replaced. With the same
    generator a higher share keeps the typos of a lower one.
    """
    tokens = re.split(r"(\s+)", caption)
    for position, token in enumerate(tokens):
        if len(token) < 2 or token.isspace():
            continue
        drawn = generator.random(4)
        if drawn[0] < share:
            tokens[position] = _typo(token, *drawn[1:])
    return "".join(tokens)


def _typo(word: str, kind: float, place: float, letter: float) -> str:
    """Change one place of a word; each number, from 0 to 1, decides one thing."""
    at = int(place * (len(word) - 1))
    head, here, after, tail = word[:at], word[at], word[at + 1], word[at + 2 :]
    other = LETTERS[int(letter * len(LETTERS))]
    changed = (after + here, after, here + here + after, other + after)
    return head + changed[int(kind * len(changed))] + tail


def drop_words(caption: str, share: float, generator: np.random.Generator) -> str:
    """Leave out ``share`` of the words, chosen at random; the others keep their order.

    With the same generator a higher share leaves out the words of a lower one too.
    """
    words = caption.split()
    kept = generator.random(len(words)) >= share
    return " ".join(word for word, stays in zip(words, kept, strict=True) if stays)


CAPTION_CORRUPTIONS: dict[str, Callable[[str, float, np.random.Generator], str]] = {
    "typos": misspell,
    "dropped_words": drop_words,
}
CAPTION_AXES = {"typos": "Share of words with a typo", "dropped_words": "Share of words dropped"}


def corrupt_captions(
    captions: Sequence[str], pair_ids: Sequence[str], kind: str, level: float, seed: int
) -> list[str]:
    """Damage N captions, each in its own way.

    Args:
        captions: N captions.
        pair_ids: The N pairs.
        kind: A key of :data:`CAPTION_CORRUPTIONS`.
        level: Share of the words, from 0 (unchanged but for white space) to 1.
        seed: Of the choices.

    Raises:
        PairDxError: There is no such kind.
    """
    if kind not in CAPTION_CORRUPTIONS:
        raise PairDxError(
            f"there is no corruption {kind!r} of captions",
            where="config key input_probes.caption_corruptions",
            remedy=f"use {', '.join(CAPTION_CORRUPTIONS)}",
        )
    damage = CAPTION_CORRUPTIONS[kind]
    return [
        damage(caption, level, pair_generator(pair_id, seed, kind))
        for caption, pair_id in zip(captions, pair_ids, strict=True)
    ]
