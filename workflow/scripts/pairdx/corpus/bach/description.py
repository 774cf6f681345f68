"""What the reader of BACH says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = False
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = (
    "BACH is given out under terms of its own (no commercial use, no changed copies): ask for the "
    "training data (ICIAR2018_BACH_Challenge) at iciar2018-challenge.grand-challenge.org, and name "
    "the folder or zip file here"
)

TEXTS: Mapping[str, str] = {
    "citation": (
        "Aresta et al. BACH: Grand challenge on breast cancer histology images. Medical Image "
        "Analysis 2019, 56, 122-139. https://doi.org/10.1016/j.media.2019.05.010"
    ),
    "source": (
        "BACH (ICIAR 2018): microscopy images of 2048 x 1536 pixels of stained breast tissue, at "
        "0.42 micrometres per pixel"
    ),
    "labels": "Two experts labelled each image by the disease that prevails in it.",
    "caption_labels": "There are no captions.",
    "licences": "CC BY-NC-ND 4.0: no commercial use, and no changed copies may be handed on.",
    "patients": (
        "No patients are stated here: every image counts as one. According to its makers no "
        "patient is in both training and test images of the split; validation images are taken out "
        "of training, where patients are not known."
    ),
    "classes": (
        "classes are diagnoses of single images: systems that tell them apart are no medical "
        "devices, and classes are as frequent as in no clinic"
    ),
    "persons": "Images of tissue: nothing in them is known to tell of a person.",
}
ARCHIVE = "bach"
# In the order of their folders' names, by which the published split counts images.
CLASSES = ("Benign", "InSitu", "Invasive", "Normal")


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
    """Name the one that there is."""
    return [ARCHIVE]


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where the folder or zip file lies."""
    return str(source["path"])


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the same: folders tell the classes."""
    return {ARCHIVE: str(source["path"])}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: a zip file is read as it is."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all but the path: the licence."""
    return {key: value for key, value in source.items() if key != "path"}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name none: whoever wants the data agrees to their terms first."""
    return None


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List the one folder or zip file."""
    return {f"datasets.{name}.source.path": [str(source["path"])]}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Say nothing: there is no more to the source than its schema says."""
    yield from ()
