"""Copies of one image: the same bytes, or the same picture compressed again.

Near duplicates are pairs of 256-bit perceptual hashes that differ in at most a few bits. Comparing
all with all is quadratic; instead the hash is cut into more bands than bits may differ, so that two
near duplicates agree in at least one whole band (pigeonhole principle), and only hashes that share
a band are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

LARGEST_BLOCK = 4096  # compared at once, to bound memory


def near_duplicates(hashes: pd.Series, max_distance: int) -> np.ndarray:
    """Find all pairs of hashes that differ in at most ``max_distance`` bits.

    Args:
        hashes: Hexadecimal strings of equal length.
        max_distance: Largest Hamming distance, in bits.

    Returns:
        int64 array of shape (P, 2): positions in ``hashes``, the smaller first, each pair once.
    """
    if len(hashes) < 2:
        return np.empty((0, 2), dtype=np.int64)
    octets = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), -1)
    bits = np.unpackbits(octets, axis=1)
    edges = np.linspace(0, bits.shape[1], max_distance + 2).astype(int)
    found = [
        _close_in_band(bits[:, start:stop], octets, max_distance) for start, stop in pairwise(edges)
    ]
    return np.unique(np.concatenate(found), axis=0)


def _close_in_band(band: np.ndarray, octets: np.ndarray, max_distance: int) -> np.ndarray:
    _, block = np.unique(np.packbits(band, axis=1), axis=0, return_inverse=True)
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    found = [np.empty((0, 2), dtype=np.int64)]
    for members in np.split(order, starts[1:]):
        for start in range(0, len(members) if len(members) > 1 else 0, LARGEST_BLOCK):
            part = members[start : start + LARGEST_BLOCK]
            found.append(_close_pairs(part, members[start:], octets, max_distance))
    return np.concatenate(found)


def _close_pairs(
    left: np.ndarray, right: np.ndarray, octets: np.ndarray, max_distance: int
) -> np.ndarray:
    distance = np.zeros((len(left), len(right)), dtype=np.uint16)
    for column in octets.T:
        distance += np.bitwise_count(column[left][:, None] ^ column[right][None, :])
    rows, columns = np.nonzero(distance <= max_distance)
    pairs = np.column_stack([left[rows], right[columns]]).astype(np.int64)
    return np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)


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
