"""What the reader of the published PairDx says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.corpus.multicare.description import CITATION, CLASSES, FREQUENCIES, PERSONS
from pairdx.corpus.release import ARCHIVE

DRAWN = False
SCREENED = False
ARTICLES = True
PUBLISHED_SPLIT = True
SEVERAL = False
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = ""

# The paper that it was published with: this reader's own data, whatever they are compared with.
PAIRDX = (
    "Aljuhani, Dahab, Alsenani. Enhancing Document Classification Through Multimodal Image-Text "
    "Classification: Insights from Fine-Tuned CLIP and Multimodal Deep Fusion. Sensors 2025, "
    "25(24), 7596. https://doi.org/10.3390/s25247596."
)
TEXTS: Mapping[str, str] = {
    "citation": f"{PAIRDX} {CITATION}",
    "frequencies": FREQUENCIES,
    "classes": CLASSES,
    "persons": PERSONS,
    "source": "PairDx as its authors published it, made by them from MultiCaRe",
    "labels": (
        "Labels are those of the published PairDx, which was made from MultiCaRe; MultiCaRe's "
        "authors state that a classifier predicted theirs from the pixels alone. A system that "
        "agrees with the labels agrees with that classifier, which is not always right."
    ),
    "caption_labels": "The published dataset states no labels derived from captions.",
    "licences": (
        "The published dataset states one licence for all of its pairs. Those of the articles, "
        "which may restrict more, are not stated in it."
    ),
    "patients": (
        "The published dataset names no cases: articles are counted, or images where the article "
        "is not known."
    ),
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """No patients' ages, and no parts of classes; subsets where a column states them."""
    found = {
        "ages": "the published dataset states none",
        "modalities": "the published dataset states no subtypes",
    }
    if source["columns"]["subset"] is None:
        found["subsets"] = "the table has no column of them (source.columns.subset)"
    return found


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the one that there is."""
    return [ARCHIVE]


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where the folder or zip file lies, or will lie the manifest of what is downloaded."""
    number = config["downloads"]["release"]["record"]
    return source["path"] or f"<resources>/pairdx_release/{number}/manifest.json"


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the same: the table of images is found inside."""
    return {"release": store(source, config, ARCHIVE)}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: all files are read as they are."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all but the path: names of files, columns, classes and subsets, licence, articles."""
    return {key: value for key, value in source.items() if key != "path"}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name the Zenodo record that is downloaded, unless the files lie on disk already."""
    return None if source["path"] else str(config["downloads"]["release"]["record"])


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List the one file or folder."""
    key = f"datasets.{name}.source.path" if source["path"] else "downloads.release"
    return {key: [store(source, config, ARCHIVE)]}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Try the pattern of articles."""
    try:
        re.compile(source["article_pattern"])
    except re.error as error:
        yield f"config key {key}.article_pattern: this is no regular expression: {error}"
