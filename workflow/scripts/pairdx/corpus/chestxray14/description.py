"""What the reader of ChestX-ray14 says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairdx.corpus.chest_sources import (
    CLASSES,
    ONE_PATIENT,
    PERSONS,
    archives,
    files_outside,
    lacking,
    newest,
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
    "ChestX-ray14 is open: get Data_Entry_2017_v2020.csv, train_val_list.txt, test_list.txt and "
    "the archives of images from the NIH Clinical Center, unpack them into one folder, and name it"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Wang, Peng, Lu, Lu, Bagheri, Summers. ChestX-ray8: Hospital-scale Chest X-ray Database "
        "and Benchmarks on Weakly-Supervised Classification and Localization of Common Thorax "
        "Diseases. CVPR 2017. https://doi.org/10.1109/CVPR.2017.369"
    ),
    "source": "ChestX-ray14 of the NIH Clinical Center: 112,120 frontal chest X-rays",
    "labels": (
        "Its makers had a program read the findings out of the reports; they state that some "
        "labels are wrong."
    ),
    "caption_labels": "There are no captions: the reports are not given out.",
    "licences": "No restriction on use is stated; its makers ask to be named.",
    "patients": ONE_PATIENT,
    "classes": CLASSES,
    "persons": f"{PERSONS}; age and sex are stated.",
}
# As the data spell them. "No Finding" is none of them.
FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis"),
    *("Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia"),
    "Pneumothorax",
)


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Reports are not given out."""
    return lacking(captions="the reports are not given out")


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the table of images, the lists of subsets, and the folder, which is looked through."""
    folder = str(source["path"]).rstrip("/")
    return {
        "entries": newest(folder, "Data_Entry_2017*.csv", "Data_Entry_2017_v2020.csv"),
        "train_val": f"{folder}/train_val_list.txt",
        "test": f"{folder}/test_list.txt",
        "images": folder,
    }


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read."""
    return files_outside(name, source, tables(source, config))
