"""Copies of one image: the same bytes, or the same picture compressed again.

Near duplicates are pairs of 256-bit perceptual hashes that differ in at most a few bits. Comparing
all with all is quadratic; instead the hash is cut into more bands than bits may differ, so that two
near duplicates agree in at least one whole band (pigeonhole principle), and only hashes that share
a band are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

BITS_PER_WORD = 64


def near_duplicates(hashes: pd.Series, max_distance: int) -> np.ndarray:
    """Find all pairs of hashes that differ in at most ``max_distance`` bits.

    Memory grows with the number of hashes and of pairs found, not with that of pairs compared.

    Args:
        hashes: Hexadecimal strings of equal length.
        max_distance: Largest Hamming distance, in bits.

    Returns:
        int64 array of shape (P, 2): positions in ``hashes``, the smaller first, each pair once.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    if len(hashes) > 1:
        octets = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8)
        bits = np.unpackbits(octets.reshape(len(hashes), -1), axis=1)
        words, bands = _words(bits), _bands(bits, max_distance + 1)
        for band in range(len(bands)):
            for first, second in _sharing(bands[band]):
                close = _distance(words[first], words[second]) <= max_distance
                first, second = first[close], second[close]
                # A pair that an earlier band has found already is not reported again.
                new = (bands[:band, first] != bands[:band, second]).all(axis=0)
                found.append(np.column_stack([first[new], second[new]]))
    pairs = np.sort(np.concatenate(found), axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _bands(bits: np.ndarray, number: int) -> np.ndarray:
    """Return each hash's value in each band: uint64 (number, N), equal where the band is equal.

    Neighbouring bits of a perceptual hash describe neighbouring frequencies and often agree in
    images of one layout. A band takes every ``number``-th bit instead, so that no band groups
    images by layout alone. Of a long band only the first word counts, which adds comparisons and
    loses no pair.
    """
    return np.stack([_words(bits[:, band::number])[:, 0] for band in range(number)])


def _words(bits: np.ndarray) -> np.ndarray:
    """Pack bits (N, B) into uint64 (N, at least 1), filled up with zeros."""
    words = max(1, -(-bits.shape[1] // BITS_PER_WORD))
    filled = np.zeros((len(bits), words * BITS_PER_WORD), dtype=np.uint8)
    filled[:, : bits.shape[1]] = bits
    return np.packbits(filled, axis=1).view(np.uint64)


def _sharing(band: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield all pairs of positions with an equal value, in portions of at most N pairs.

    In sorted order equal values stand together: the n-th portion pairs each item with its n-th
    successor, as long as that one is equal.
    """
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    left = np.arange(len(band))
    for gap in count(1):
        left = left[: np.searchsorted(left, len(band) - gap)]
        left = left[ordered[left] == ordered[left + gap]]
        if not len(left):
            return
        yield order[left], order[left + gap]


def _distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Hamming distances of hashes, row by row: (N, words) and (N, words) to (N,)."""
    return np.bitwise_count(left ^ right).sum(axis=1, dtype=np.uint16)


def clusters(links: np.ndarray, names: pd.Series) -> pd.Series:
    """Name every connected group after its alphabetically first member.

    Args:
        links: int array of shape (P, 2), positions that belong together.
        names: N unique names.

    Returns:
        The name of the group of every item, on the index of ``names``.
    """
    size = len(names)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    first = names.groupby(component).min()
    return pd.Series(first.loc[component].to_numpy(), index=names.index)


def copies(found: Mapping[str, np.ndarray], size: int) -> dict[int, tuple[str, int]]:
    """Decide which of linked items are copies of an item that is kept.

    Items are visited in order; one that is linked to an item kept before is its copy. A chain of
    near duplicates is not removed whole: its third item may resemble only the removed second.

    Args:
        found: Per reason, links as int array of shape (P, 2), positions; the first reason wins.
        size: Number of items.

    Returns:
        For each copy its reason and the position of the kept item.
    """
    earlier: dict[int, list[tuple[str, int]]] = {}
    for reason, links in found.items():
        for first, second in np.sort(links, axis=1).tolist():
            earlier.setdefault(second, []).append((reason, first))
    removed: dict[int, tuple[str, int]] = {}
    for item in range(size):
        kept = [(reason, first) for reason, first in earlier.get(item, []) if first not in removed]
        if kept:
            removed[item] = kept[0]
    return removed


def same_value_links(values: pd.Series) -> np.ndarray:
    """Link every item to the first of the same value: int64 positions of shape (P, 2)."""
    codes, _ = pd.factorize(values)
    positions = np.arange(len(values))
    first = pd.Series(positions).groupby(codes).transform("min").to_numpy()
    return np.column_stack([first, positions])[first != positions]
