"""NCT-CRC-HE-100K and CRC-VAL-HE-7K: two folders, or the zip files that were published.

Each holds a folder per class of TIFF images. The first is for training, the second for the test;
validation images are taken out of the first by the split (:func:`pairdx.splits.published`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.class_folders import candidates_of, images_by_folder
from pairdx.corpus.crc.description import ARCHIVES, CLASSES


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read both sets into one row per image.

    Args:
        tables: ``train`` and ``test``: where the two lie.
        settings: What the dataset's ``source`` states: licence.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`, in the order of sets, folders
        and files. label is the folder's name, archive the set's. pair_id is ``train`` or ``test``
        and the file's name without its ending. Every image is a case of its own.

    Raises:
        PairDxError: A set is missing or damaged, or has no image of one of the classes.
    """
    parts = []
    for archive, subset in ARCHIVES.items():
        images = images_by_folder(
            tables[subset],
            CLASSES,
            remedy=f"set `source.path` to the folder that holds {' and '.join(ARCHIVES)}, each "
            "with all of its folders, or the zip files of these names as they were published",
        )
        names = f"{subset}_" + images["file"].map(lambda file: Path(file).stem)
        licence = settings["licence"]
        parts.append(candidates_of(images, names, archive=archive, subset=subset, licence=licence))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(row=range(len(found)))
