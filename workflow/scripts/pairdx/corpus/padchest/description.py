"""What the reader of PadChest says of itself (see :mod:`pairdx.plan.descriptions`)."""

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
PUBLISHED_SPLIT = False
SEVERAL = True
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = (
    "PadChest is given out by BIMCV (Medical Imaging Databank of the Valencia Region) to who asks "
    "for it; name the folder that holds the table and the numbered folders of images"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Bustos, Pertusa, Salinas, de la Iglesia-Vaya. PadChest: A large chest x-ray image dataset "
        "with multi-label annotated reports. Medical Image Analysis 2020, 66, 101797. "
        "https://doi.org/10.1016/j.media.2020.101797"
    ),
    "source": "PadChest: chest X-rays of Hospital San Juan in Alicante",
    "labels": (
        "Physicians labelled the reports of about a quarter of the images; a network that learned "
        "from these labelled the others."
    ),
    "caption_labels": "Findings themselves are derived from the reports.",
    "licences": "CC BY-SA 4.0.",
    "patients": ONE_PATIENT,
    "classes": CLASSES,
    "persons": f"{PERSONS}; sex and year of birth are stated.",
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Reports are given out as stems of Spanish words."""
    return lacking(
        captions="the reports are given out as stems of Spanish words, which are not read"
    )


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the table, and the folder of images."""
    folder = str(source["path"]).rstrip("/")
    stem = "PADCHEST_chest_x_ray_images_labels_160K"
    return {
        "table": newest(folder, f"{stem}*.csv*", f"{stem}_01.02.19.csv.gz"),
        "images": folder,
    }


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read."""
    return files_outside(name, source, tables(source, config))
