"""From the files of a job to what a family's functions take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pairdx.files import read_table
from pairdx.image_rows import Images
from pairdx.joins import joined
from pairdx.models.base import Pairs
from pairdx.packed_images import open_packed
from pairdx.subsets import SUBSETS
from pairdx.usable_splits import check_subsets

RESOURCES = (
    *("word_vectors", "vocabulary", "features"),
    *("matches", "texts", "text_features"),
)
# Given as one file, or as the files of one folder; by their names among the resources.
WEIGHTS = {"pretrained": "weights", "text_encoder": "text_encoder"}


def read_subset(
    pairs: str | Path,
    split: str | Path,
    images: str | Path,
    classes: Sequence[str],
    subset: str,
    *,
    with_images: bool = True,
) -> Pairs:
    """Read the pairs of one subset; their images are read when somebody looks at them.

    Args:
        pairs: ``pairs.parquet``.
        split: ``split.parquet``.
        images: Packed images of any size, which are found by the pairs' names.
        classes: The labels, in order.
        subset: ``train``, ``validation`` or ``test``.
        with_images: Whether anybody will; otherwise they have a side of 0 pixels.

    Raises:
        PairDxError: An image of a pair is not packed, the split is not of these pairs, or a file is
            damaged.
    """
    table = read_table(pairs)
    what = "the split and the pairs"
    placed = joined(read_table(split), table[["pair_id"]], "pair_id", what=what)
    subsets = placed.set_index("pair_id")["subset"]
    table = table[table["pair_id"].map(subsets) == subset].reset_index(drop=True)
    pixels: Images = np.zeros((len(table), 0, 0, 3), dtype=np.uint8)
    if with_images:  # opening them reads the whole file: its checksum is looked at
        pixels = open_packed(images).of_pairs(table["pair_id"].tolist())
    return Pairs(table, pixels, tuple(classes))


def require_usable(
    pairs: str | Path,
    split: str | Path,
    classes: Sequence[str],
    name: str,
    *,
    training: bool = False,
) -> None:
    """Refuse a split that no system can be trained and tested on.

    Args:
        pairs: ``pairs.parquet``.
        split: ``split.parquet``.
        classes: The labels.
        name: The split's.
        training: Whether a system is trained on it, or only asked.

    Raises:
        PairDxError: See :func:`pairdx.usable_splits.check_subsets`.
    """
    check_subsets(read_table(pairs), read_table(split), classes, name, training=training)


def subset_sizes(split: str | Path) -> dict[str, int]:
    """Count the pairs of every subset of ``split.parquet``."""
    counts = read_table(split, columns=["subset"])["subset"].value_counts()
    return {name: int(counts.get(name, 0)) for name in SUBSETS}


def resources(inputs: Mapping[str, str | Sequence[str]]) -> dict[str, Path]:
    """Pick out of a job's named inputs what a system is built from.

    Args:
        inputs: May hold ``pretrained`` and ``text_encoder`` (a weights file, or the files of one
            folder), ``word_vectors``, ``vocabulary``, ``features``; and of what training alone
            sees ``matches``, ``texts`` and ``text_features``.

    Returns:
        The same by their names, ``pretrained`` as ``weights`` (a file, or the folder of several),
        as far as they are there.
    """
    found = {name: Path(str(inputs[name])) for name in RESOURCES if name in inputs}
    for given, name in WEIGHTS.items():
        if (stated := inputs.get(given)) is not None:
            files = [stated] if isinstance(stated, str) else list(stated)
            found[name] = Path(files[0]) if len(files) == 1 else Path(files[0]).parent
    return found
