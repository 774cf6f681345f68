"""What the reader of CheXpert says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.corpus.chest_sources import (
    CLASSES,
    ONE_PATIENT,
    PERSONS,
    archives,
    files_outside,
    lacking,
    problems,
    record,
    settings,
    store,
    unpacked,
)

__all__ = ["archives", "problems", "record", "settings", "store", "unpacked"]

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = True
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = (
    "CheXpert is given out by the Stanford AIMI Center to who registers and agrees to its terms; "
    "name the folder that holds train.csv, valid.csv, test.csv and the folders of images"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Irvin et al. CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and "
        "Expert Comparison. AAAI 2019. https://doi.org/10.1609/aaai.v33i01.3301590"
    ),
    "source": "CheXpert: chest X-rays of Stanford Hospital",
    "labels": (
        "Of training images a program read the findings out of the reports; those of validation "
        "are by the majority of three radiologists, those of the test of five."
    ),
    "caption_labels": "There are no captions: the reports do not belong to this data set.",
    "licences": "Stanford University Dataset Research Use Agreement: nothing may be handed on.",
    "patients": ONE_PATIENT,
    "classes": CLASSES,
    "persons": f"{PERSONS}; age and sex are stated of training and validation images.",
}
# As the tables spell them, in their order.
FINDINGS = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion"),
    *("Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion"),
    *("Pleural Other", "Fracture", "Support Devices"),
)
# Names under which the labels of the test images are given out: per image, or per study.
TESTS = ("test.csv", "test_labels.csv", "groundtruth.csv")


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Reports are no part of it."""
    return lacking(captions="the reports do not belong to this data set")


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the table of each subset that is read, and the folder of images."""
    folder = str(source["path"]).rstrip("/")
    there = [name for name in TESTS if Path(folder, name).is_file()]
    files = {"train": "train.csv", "valid": "valid.csv", "test": [*there, TESTS[0]][0]}
    stated = {name: f"{folder}/{files[name]}" for name in source["subsets"]}
    return {**stated, "images": folder}


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read."""
    return files_outside(name, source, tables(source, config))
