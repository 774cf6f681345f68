"""Near duplicates: exactly those of a comparison of all with all, and found with little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairdx.curation.duplicates import _bands, _sharing, near_duplicates
from properties import examples

BITS = 256


def as_hashes(bits: np.ndarray) -> pd.Series:
    """Write each row of bits as hexadecimal digits."""
    return pd.Series([row.tobytes().hex() for row in np.packbits(bits.astype(np.uint8), axis=1)])


def compared_with_all(bits: np.ndarray, distance: int) -> list[list[int]]:
    distances = (bits[:, None, :] != bits[None, :, :]).sum(axis=2)
    return np.argwhere(np.triu(distances <= distance, k=1)).tolist()


@examples(50)
@given(
    width=st.sampled_from([8, 56, 64, 72, 256, 264]),
    distance=st.integers(0, 20),
    size=st.integers(0, 40),
    centres=st.integers(1, 40),
    flipped=st.sampled_from([0.0, 0.02, 0.05, 0.2, 0.5]),
    seed=st.integers(0, 2**31),
)
def test_pairs_are_those_of_a_comparison_of_all_with_all(
    width: int, distance: int, size: int, centres: int, flipped: float, seed: int
) -> None:
    """Whatever the length of the hash, the distance and how much the hashes resemble each other."""
    rng = np.random.default_rng(seed)
    near = rng.integers(0, 2, (centres, width))[rng.integers(0, centres, size)]
    bits = near ^ (rng.random((size, width)) < flipped)
    found = near_duplicates(as_hashes(bits), distance)
    assert found.dtype == np.int64
    assert found.shape == (len(found), 2)
    assert found.tolist() == compared_with_all(bits, distance)


@pytest.mark.parametrize("distance", [0, 1, 3, 12, 31])
def test_the_limit_itself_is_near_and_one_bit_more_is_not(distance: int) -> None:
    """Also where the differing bits stand next to each other, or one in every band."""
    rng = np.random.default_rng(distance)
    original = rng.integers(0, 2, BITS)
    places: list[Callable[[int], np.ndarray]] = [
        lambda number: np.arange(number),
        lambda number: np.arange(BITS - number, BITS),
        lambda number: rng.choice(BITS, number, replace=False),
        lambda number: np.linspace(0, BITS - 1, number).astype(int),
    ]
    for place in places:
        at_the_limit, beyond = original.copy(), original.copy()
        at_the_limit[place(distance)] ^= 1
        beyond[place(distance + 1)] ^= 1
        for other, expected in ((at_the_limit, [[0, 1]]), (beyond, [])):
            hashes = as_hashes(np.stack([original, other]))
            assert near_duplicates(hashes, distance).tolist() == expected


def test_a_distance_of_all_bits_makes_everything_a_near_duplicate() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (9, 16))
    assert len(near_duplicates(as_hashes(bits), 16)) == 9 * 8 // 2
    assert len(near_duplicates(as_hashes(bits), 40)) == 9 * 8 // 2


def test_hashes_of_one_layout_are_not_all_compared() -> None:
    """Charts and discs agree in whole rows of the hash: the bands must not follow the rows."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (3000, BITS)).astype(np.uint8)
    bits[:, :48] = bits[0, :48]
    bands = _bands(bits, 13)
    compared = sum(len(first) for band in bands for first, _ in _sharing(band))
    assert compared < 0.01 * 3000 * 2999 / 2


def test_memory_does_not_grow_with_the_pairs_that_share_a_band() -> None:
    """2,000 hashes that agree in one band are 2 million candidate pairs, none of them near."""
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2, (2000, BITS)).astype(np.uint8)
    bits[:, ::13] = 1
    hashes = as_hashes(bits)
    tracemalloc.start()
    found = near_duplicates(hashes, 12)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 0
    assert peak < 4_000_000  # the candidate pairs alone, at 16 bytes each, would be 32 MB


def test_a_pair_that_agrees_in_many_bands_is_reported_once() -> None:
    bits = np.zeros((50, BITS), dtype=np.uint8)
    bits[np.arange(50), np.arange(50)] = 1
    found = near_duplicates(as_hashes(bits), 12)
    assert len(found) == len(np.unique(found, axis=0)) == 50 * 49 // 2
