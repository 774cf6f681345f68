"""The microscopy images of BACH, and the split of them that is in use: 254, 14 and 132 images.

The challenge's own test images have no public labels. The benchmark eva (kaiko.ai) divides the 400
labelled ones by their place in the order of folders and files; its images for validation are the
test images here, as in CLIP-IT's experiments, and every twentieth of its training images is for
validation. Places are read from the numbers in file names (``b001`` is the first of its class), so
that they stay where files are missing. Source of the ranges: github.com/kaiko-ai/eva, its data set
``bach``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.corpus.bach.description import ARCHIVE, CLASSES
from pairdx.corpus.class_folders import candidates_of, images_by_folder
from pairdx.logs import logger

IMAGES_PER_CLASS = 100
# Places of eva's training images, end excluded; all others are its images for validation.
TRAINING = ((0, 41), (59, 60), (90, 139), (169, 240), (258, 260), (273, 345), (368, 400))
EVERY = 20  # so many training images to one that is for validation


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the labelled images into one row each.

    Args:
        tables: ``bach``: the folder or zip file.
        settings: What the dataset's ``source`` states: licence.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`, in the order of folders and
        files. label is the folder's name, pair_id the file's without its ending. Every image is a
        case of its own. published_subset is "" for an image whose name has no number from 1 to 100.

    Raises:
        PairDxError: The source is missing or damaged, or has no image of one of the classes.
    """
    images = images_by_folder(
        tables[ARCHIVE],
        CLASSES,
        remedy="set `source.path` to the folder or zip file of the training data as it was given "
        f"out (ICIAR2018_BACH_Challenge), which has Photos with {', '.join(CLASSES)}",
    )
    names = images["file"].map(lambda file: Path(file).stem)
    places = pd.Series(map(place_of, images["folder"], names), dtype="Int64")
    subsets = places.map(subset_at, na_action="ignore").fillna("").astype(str)
    in_classes = images["folder"].isin(CLASSES)
    if odd := int((in_classes & places.isna()).sum()):
        logger.warning(
            "%d images have names without a number from 1 to %d, such as %s: they are in no subset",
            *(odd, IMAGES_PER_CLASS, names[in_classes & places.isna()].iloc[0]),
        )
    licence = settings["licence"]
    return candidates_of(images, names, archive=ARCHIVE, subset=subsets, licence=licence)


def place_of(folder: str, name: str) -> int | None:
    """Return the place of an image among all 400, from 0; None where its name does not tell."""
    number = re.search(r"([0-9]{1,9})\Z", name)
    if folder not in CLASSES or number is None or not 1 <= int(number[1]) <= IMAGES_PER_CLASS:
        return None
    return IMAGES_PER_CLASS * CLASSES.index(folder) + int(number[1]) - 1


def subset_at(place: int) -> str:
    """Return the subset of the image at a place: train, validation or test."""
    training = np.concatenate([np.arange(*ends) for ends in TRAINING])
    position = int(np.searchsorted(training, place))
    if position == len(training) or training[position] != place:
        return "test"
    return "validation" if position % EVERY == 0 else "train"
