"""What the reader of the colorectal patches says of itself (see :mod:`pairdx.plan.descriptions`).

Names of archives, folders and classes: the listing and description of the Zenodo record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = False
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = ""

TEXTS: Mapping[str, str] = {
    "citation": (
        "Kather, Halama, Marx. 100,000 histological images of human colorectal cancer and healthy "
        "tissue. Zenodo 2018. https://doi.org/10.5281/zenodo.1214456. Kather et al. Predicting "
        "survival from colorectal cancer histology slides using deep learning: A retrospective "
        "multicenter study. PLoS Medicine 2019, 16(1), e1002730. "
        "https://doi.org/10.1371/journal.pmed.1002730"
    ),
    "source": (
        "NCT-CRC-HE-100K and CRC-VAL-HE-7K: patches of 224 x 224 pixels of stained colorectal "
        "tissue at 0.5 micrometres per pixel, their colours normalised by their makers"
    ),
    "labels": "Its makers cut patches out of regions of one tissue that they had outlined by hand.",
    "caption_labels": "There are no captions.",
    "licences": "CC BY 4.0.",
    "patients": (
        "No patients are stated: every patch counts as one, and patches of one patient may stand "
        "in training and validation. According to the makers no patient is in both published sets."
    ),
    "classes": (
        "classes are kinds of tissue, in patches that show one kind only: systems that tell them "
        "apart are no medical devices"
    ),
    "persons": "Patches of tissue: nothing in them is known to tell of a person.",
}
# The archives, and the subset of the published split that each is.
ARCHIVES: Mapping[str, str] = {"NCT-CRC-HE-100K": "train", "CRC-VAL-HE-7K": "test"}
CLASSES = ("ADI", "BACK", "DEB", "LYM", "MUC", "MUS", "NORM", "STR", "TUM")


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Whatever is more than an image and its class."""
    return {
        "captions": "the data set has none",
        "ages": "the data set states none",
        "modalities": "the data set states no parts of classes",
        "groups": "the data set names no patients",
        "caption_labels": "the data set has no captions",
        "sexes": "the data set states none",
    }


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the two sets."""
    return list(ARCHIVES)


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where a set lies, or will lie: the folder where it was unpacked, else the zip file."""
    if source["path"] is None:
        return f"<resources>/crc/{config['downloads']['crc']['record']}/{archive}.zip"
    folder = f"{source['path'].rstrip('/')}/{archive}"
    zipped = f"{folder}.zip"
    return zipped if Path(zipped).is_file() and not Path(folder).is_dir() else folder


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the same: folders tell the classes."""
    return {name: store(source, config, archive) for archive, name in ARCHIVES.items()}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: zip files are read as they are."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all but the path: the licence."""
    return {key: value for key, value in source.items() if key != "path"}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name the Zenodo record that is downloaded, unless the files lie on disk already."""
    return None if source["path"] else str(config["downloads"]["crc"]["record"])


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List the two folders or zip files."""
    key = f"datasets.{name}.source.path" if source["path"] else "downloads.crc"
    return {key: [*tables(source, config).values()]}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Say nothing: there is no more to the source than its schema says."""
    yield from ()
