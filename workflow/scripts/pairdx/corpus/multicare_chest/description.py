"""What the reader of MultiCaRe's chest X-rays says (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairdx.corpus.chest_sources import CLASSES
from pairdx.corpus.multicare import description as multicare
from pairdx.corpus.multicare.description import (
    archives,
    from_outside,
    problems,
    record,
    store,
    tables,
    unpacked,
)

__all__ = ["archives", "from_outside", "problems", "record", "store", "tables", "unpacked"]

DRAWN = False
SCREENED = True
ARTICLES = True
PUBLISHED_SPLIT = False
SEVERAL = True
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = ""
TEXTS: Mapping[str, str] = {
    **multicare.TEXTS,
    "source": (
        "MultiCaRe's chest X-rays: figures of open-access case reports in PubMed Central that its "
        "classifier takes for X-rays of the thorax, with their captions"
    ),
    "labels": (
        "There are none: nobody said which findings an image shows. That it is an X-ray of the "
        "thorax was predicted from its pixels by MultiCaRe's classifier (an ensemble of ResNet-50 "
        "networks), which is not always right."
    ),
    "caption_labels": "None are read: nothing is known of the findings.",
    "classes": CLASSES,
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Nothing is known of findings: nothing is tested, and captions are not held against any."""
    return {
        "labels": "nobody said which findings these images show",
        "modalities": "findings have no parts",
        "caption_labels": "nothing is known of the findings that captions could be held against",
    }


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the views that are kept."""
    return {"views": source["views"]}
