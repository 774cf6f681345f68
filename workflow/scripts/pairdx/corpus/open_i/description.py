"""What the reader of Open-I says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairdx.corpus.chest_sources import (
    CLASSES,
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
PUBLISHED_SPLIT = False
SEVERAL = True
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = (
    "the Indiana University collection is open: get the reports (NLMCXR_reports, which unpacks as "
    "ecgen-radiology) and the PNG images (NLMCXR_png) from Open-I of the National Library of "
    "Medicine, unpack both into one folder, and name it"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Demner-Fushman et al. Preparing a collection of radiology examinations for distribution "
        "and retrieval. Journal of the American Medical Informatics Association 2016, 23(2), "
        "304-310. https://doi.org/10.1093/jamia/ocv080"
    ),
    "source": "Open-I: chest X-rays of the Indiana Network for Patient Care, with their reports",
    "labels": "People, and for the automatic terms a program, gave MeSH terms to the reports.",
    "caption_labels": "Findings themselves are terms for the reports.",
    "licences": "CC BY-NC-ND 4.0: no commercial use, and no changed copies may be handed on.",
    "patients": "Every report counts as one patient: no more is stated.",
    "classes": CLASSES,
    "persons": f"{PERSONS}; reports have XXXX where something told of a person.",
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Ages and sexes are not given out; reports are read where sections are named."""
    unread = {} if source["sections"] else {"captions": "no sections are named (source.sections)"}
    return lacking(ages="they are not given out", sexes="they are not given out", **unread)


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the folder: reports are found in it."""
    return {"reports": str(source["path"])}


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read."""
    return files_outside(name, source, tables(source, config))
