"""Which text of a bank goes to which image.

By the cosine of their features, which a frozen encoder of the CLIP family makes; or by chance, by
the pairs' own captions, or by their classes, as controls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.ordering import seeded_rank
from pairdx.pairing.matches import matches_of

Indices = NDArray[np.int64]
Numbers = NDArray[np.float32]
# Cosines of a block of images with all texts, 4 bytes each: 64 MiB at a time, however many images.
COSINES_AT_ONCE = 1 << 24
# Cosines are compared to so many decimals: the last bits depend on how a product is cut into
# blocks, and texts that are equally similar shall be taken in their order.
DECIMALS = 6
NONE = -1


@dataclass(frozen=True)
class Candidates:
    """Texts to choose from, and who may not have which.

    Attributes:
        text_ids: M texts, in the order that breaks ties.
        labels: The class that each tells, or "".
        features: float32 (M, D), rows of length 1.
        own: int64 (N,): of each of N pairs, the text that is its caption; -1 where it has none.
        allowed: bool (M,): the texts that may be chosen for pairs of other cases.
        case: int64 (N,): of each of N pairs, its case, as a position in ``barred``.
        barred: Of each case, which of the allowed texts its pairs may not have, ascending: the
            captions of all of them.
    """

    text_ids: Sequence[str]
    labels: Sequence[str]
    features: Numbers
    own: Indices
    allowed: NDArray[np.bool_]
    case: Indices
    barred: Sequence[Indices]


def candidates_of(
    texts: pd.DataFrame, features: Numbers, pairs: pd.DataFrame, subsets: pd.Series
) -> Candidates:
    """Say which texts may be chosen, and which is whose caption.

    Args:
        texts: A bank's texts (:func:`pairdx.pairing.bank.read_texts`).
        features: float32 (M, D), row i for text i.
        pairs: pair_id and, of captions, case_id of N pairs, those of the split.
        subsets: Subset by pair_id. Of captions, those of training pairs are candidates.
    """
    numbers = {name: row for row, ids in enumerate(texts["pair_ids"]) for name in ids}
    own = np.array([numbers.get(name, NONE) for name in pairs["pair_id"]], dtype=np.int64)
    allowed = np.ones(len(texts), dtype=bool)
    case, barred = np.zeros(len(pairs), dtype=np.int64), [np.empty(0, dtype=np.int64)]
    if numbers:
        trained_on = set(subsets.index[subsets == "train"])
        allowed = np.array([not trained_on.isdisjoint(ids) for ids in texts["pair_ids"]])
        case = _cases(pairs["case_id"])
        barred = _texts_of_cases(case, own, allowed)
    ids, labels = texts["text_id"].tolist(), texts["label"].tolist()
    return Candidates(ids, labels, features, own, allowed, case, barred)


def _cases(names: pd.Series) -> Indices:
    """Number the cases of pairs; a pair whose case is not known ("") is one by itself."""
    case, known = pd.factorize(names.where(names != ""))
    alone = case < 0
    case[alone] = len(known) + np.arange(alone.sum())
    return np.asarray(case, dtype=np.int64)


def _texts_of_cases(case: Indices, own: Indices, allowed: NDArray[np.bool_]) -> list[Indices]:
    """Return the allowed texts that are captions of a case's pairs, case by case."""
    found = pd.DataFrame({"case": case, "text": own})[(own >= 0) & allowed[own]]
    found = found.drop_duplicates().sort_values(["case", "text"])
    ends = np.bincount(found["case"], minlength=case.max(initial=0) + 1).cumsum()
    return np.split(found["text"].to_numpy(), ends[:-1])


def choose_texts(
    settings: Mapping[str, Any], pairs: pd.DataFrame, images: Numbers, candidates: Candidates
) -> pd.DataFrame:
    """Choose a text for every pair.

    Args:
        settings: ``choose`` (``nearest``, ``random``, ``own``, ``class``), ``rank``, ``keep``,
            ``seed``.
        pairs: pair_id, label; N pairs.
        images: float32 (N, D), rows of length 1, row i for pair i.
        candidates: The texts.

    Returns:
        The columns of :mod:`pairdx.pairing.matches`.

    Raises:
        PairDxError: There are fewer texts than the rank asks for, or none at all for a pair.
    """
    if images.shape[1] != candidates.features.shape[1]:
        raise PairDxError(
            f"features of images have {images.shape[1]} numbers, and those of texts "
            f"{candidates.features.shape[1]}: they are of two encoders",
            remedy="delete both, which are made again",
        )
    rank, choose = settings["rank"], settings["choose"]
    if choose == "nearest":
        found = _nearest_candidates(images, candidates, settings["keep"], rank)
    elif choose == "class":
        found = _of_classes(images, candidates, pairs["label"].tolist(), settings["keep"], rank)
    else:
        ids = pairs["pair_id"].tolist()
        one = _own(candidates) if choose == "own" else drawn(ids, candidates, settings["seed"])
        found, rank = one[:, None], 1
    cosines = np.stack(
        [_cosines(images, candidates.features, column) for column in found.T], axis=1
    )
    return matches_of(pairs["pair_id"].tolist(), candidates.text_ids, found, cosines, rank)


def nearest(
    images: Numbers,
    texts: Numbers,
    keep: int,
    barred: Sequence[Indices] | None = None,
    cosines_at_once: int = COSINES_AT_ONCE,
) -> Indices:
    """Return the ``keep`` most similar texts of every image, the most similar first; int64 (N, K).

    Of texts that are equally similar, the first of the bank stands first. Memory does not grow
    with the number of images.

    Args:
        images: float32 (N, D), rows of length 1.
        texts: float32 (M, D), rows of length 1; M is at least ``keep``, and more by as many as an
            image may not have.
        keep: K.
        barred: Of each of N images, the texts that it may not have.
        cosines_at_once: How many cosines are held in memory.
    """
    found = np.empty((len(images), keep), dtype=np.int64)
    rows = max(1, cosines_at_once // max(1, len(texts)))
    for start in range(0, len(images), rows):
        block = slice(start, start + rows)
        cosines = np.round(images[block] @ texts.T, DECIMALS)
        each = np.arange(len(cosines))
        for row, others in enumerate(barred[block] if barred is not None else ()):
            if len(others):
                cosines[row, others] = -np.inf
        for place in range(keep):
            best = cosines.argmax(axis=1)  # the first of equals
            found[block, place] = best
            cosines[each, best] = -np.inf
    return found


def drawn(pair_ids: Sequence[str], candidates: Candidates, seed: int) -> Indices:
    """Draw a text for every pair, uniformly and with replacement; of captions, of another case.

    What a pair draws is a function of the seed and its name, and of the texts that there are for
    it; not of the order of either.
    """
    at = np.flatnonzero(candidates.allowed)
    _room(candidates, 1, 1)
    order = at[np.argsort(np.array(candidates.text_ids, dtype=object)[at], kind="stable")]
    place = np.full(len(candidates.text_ids), NONE, dtype=np.int64)
    place[order] = np.arange(len(order))
    found = seeded_rank(pair_ids, seed, "pairing").to_numpy(copy=True)
    # Of each barred text, how many free ones stand before it: what is drawn passes it from there.
    free = [np.sort(place[barred]) - np.arange(len(barred)) for barred in candidates.barred]
    for row, case in enumerate(candidates.case.tolist()):
        found[row] %= len(order) - len(free[case])
        found[row] += np.searchsorted(free[case], found[row], side="right")
    return np.asarray(order[found], dtype=np.int64)


def _nearest_candidates(images: Numbers, candidates: Candidates, keep: int, rank: int) -> Indices:
    at = np.flatnonzero(candidates.allowed)
    kept = _room(candidates, keep, rank)
    if len(at) == 1:
        logger.warning("every image gets the one text that there is, which tells them nothing")
    elif kept < keep:
        logger.warning(
            "some images have %d texts to choose from: as many are kept, not %d", kept, keep
        )
    place = np.full(len(candidates.text_ids), NONE, dtype=np.int64)
    place[at] = np.arange(len(at))
    places = [place[barred] for barred in candidates.barred]
    barred = [places[case] for case in candidates.case.tolist()]
    return np.asarray(at[nearest(images, candidates.features[at], kept, barred)], dtype=np.int64)


def _of_classes(
    images: Numbers, candidates: Candidates, labels: Sequence[str], keep: int, rank: int
) -> Indices:
    """Return the most similar prompts of each pair's own class."""
    told, wanted = np.array(candidates.labels, dtype=object), np.array(labels, dtype=object)
    by_class = {label: np.flatnonzero(told == label) for label in dict.fromkeys(labels)}
    missing = [label for label, at in by_class.items() if not len(at)]
    if missing:
        raise PairDxError(
            f"the text bank has no prompt of the class(es) {', '.join(map(repr, missing))}",
            remedy="delete the bank's texts.parquet, which is made again for the classes as they "
            "are configured",
        )
    fewest = min(by_class, key=lambda label: len(by_class[label]))
    if (texts := len(by_class[fewest])) < rank:
        raise PairDxError(
            f"the text bank has {texts} prompts of the class {fewest!r}, and the text of rank "
            f"{rank} is asked for",
            remedy="set `rank` of the pairing lower, or give the bank more `templates`",
        )
    kept = min(texts, keep)
    found = np.empty((len(labels), kept), dtype=np.int64)
    for label, at in by_class.items():
        rows = np.flatnonzero(wanted == label)
        found[rows] = at[nearest(images[rows], candidates.features[at], kept)]
    return found


def _own(candidates: Candidates) -> Indices:
    lacking = int((candidates.own < 0).sum())
    if lacking:
        raise PairDxError(
            f"{lacking} of {len(candidates.own)} pairs have no caption that could be their text",
            remedy="set `choose` of the pairing to nearest or random, or reject pairs without a "
            "caption (`curation` of the dataset)",
        )
    return candidates.own


def _room(candidates: Candidates, keep: int, rank: int) -> int:
    """Return how many texts are kept of those that there are for every pair."""
    allowed = int(candidates.allowed.sum())
    barred = max(map(len, candidates.barred), default=0)
    texts = allowed - barred
    if texts >= rank:
        return min(texts, keep)
    number, why = len(candidates.allowed), ""
    if allowed < number or barred:
        why = (
            f"; of its {number} texts, no candidates are those of no training pair "
            f"({number - allowed}) and those of the image's own case ({barred})"
        )
    raise PairDxError(
        f"the text bank has {texts} texts to choose from for an image, and the text of rank {rank} "
        f"is asked for{why}",
        remedy="set `rank` of the pairing lower, or `bank` to one with more texts"
        if texts
        else "set `bank` of the pairing to one with texts from elsewhere, or `choose` to own",
    )


def _cosines(images: Numbers, texts: Numbers, chosen: Indices) -> Numbers:
    """Return the cosine of every image and its text, block by block; float32 (N,)."""
    found = np.empty(len(images), dtype=np.float32)
    rows = max(1, COSINES_AT_ONCE // max(1, images.shape[1]))
    for start in range(0, len(images), rows):
        block = slice(start, start + rows)
        found[block] = np.einsum("nd,nd->n", images[block], texts[chosen[block]])
    return found
