"""From the files of a job to what a family's functions take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pairdx.errors import PairDxError
from pairdx.files import read_table
from pairdx.joins import joined
from pairdx.models.base import Pairs
from pairdx.packing import open_packed
from pairdx.subsets import SUBSETS

RESOURCES = ("word_vectors", "vocabulary", "features")


def read_subset(
    pairs: str | Path,
    split: str | Path,
    images: str | Path,
    classes: Sequence[str],
    subset: str,
    *,
    with_images: bool = True,
) -> Pairs:
    """Read the pairs of one subset, and their images into memory unless nobody looks at them.

    Args:
        pairs: ``pairs.parquet``.
        split: ``split.parquet``.
        images: ``images.npy``, row i for row i of the pairs.
        classes: The labels, in order.
        subset: ``train``, ``validation`` or ``test``.
        with_images: Whether images are read; otherwise they have a side of 0 pixels.

    Raises:
        PairDxError: The packed images, or the split, are not those of these pairs, or a file is
            damaged.
    """
    table = read_table(pairs)
    what = "the split and the pairs"
    placed = joined(read_table(split), table[["pair_id"]], "pair_id", what=what)
    subsets = placed.set_index("pair_id")["subset"]
    rows = np.flatnonzero(table["pair_id"].map(subsets) == subset)
    pixels = np.zeros((len(rows), 0, 0, 3), dtype=np.uint8)
    if with_images:  # opening them reads the whole file: its checksum is looked at
        pixels = _packed_images(images, len(table))[rows]
    return Pairs(table.iloc[rows].reset_index(drop=True), pixels, tuple(classes))


def _packed_images(path: str | Path, pairs: int) -> np.ndarray:
    packed = open_packed(path)
    if len(packed) != pairs:
        raise PairDxError(
            f"{len(packed)} images are packed for {pairs} pairs",
            where=path,
            remedy="delete packed/images.npy of the run; it is made again",
        )
    return packed


def subset_sizes(split: str | Path) -> dict[str, int]:
    """Count the pairs of every subset of ``split.parquet``."""
    counts = read_table(split, columns=["subset"])["subset"].value_counts()
    return {name: int(counts.get(name, 0)) for name in SUBSETS}


def resources(inputs: Mapping[str, str | Sequence[str]]) -> dict[str, Path]:
    """Pick out of a job's named inputs what a system is built from.

    Args:
        inputs: May hold ``pretrained`` (a weights file, or the files of one folder),
            ``word_vectors``, ``vocabulary`` and ``features``.

    Returns:
        ``weights`` (a file, or the folder of several), ``word_vectors``, ``vocabulary`` and
        ``features``, as far as they are there.
    """
    found = {name: Path(str(inputs[name])) for name in RESOURCES if name in inputs}
    pretrained = inputs.get("pretrained")
    if pretrained is not None:
        files = [pretrained] if isinstance(pretrained, str) else list(pretrained)
        found["weights"] = Path(files[0]) if len(files) == 1 else Path(files[0]).parent
    return found
