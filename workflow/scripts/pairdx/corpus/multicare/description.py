"""What the reader of MultiCaRe's layout says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DRAWN = False
SCREENED = True
ARTICLES = True
PUBLISHED_SPLIT = False
SEVERAL = False
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = ""

_AGREEMENT = (
    "A system that agrees with the labels agrees with that classifier, which is not always right."
)
# Where images and captions come from. A paper that the dataset is an account of stands before it.
CITATION = (
    "Source of images and captions (MultiCaRe): Nievas Offidani, Roffet, González Galtier, "
    "Massiris, Delrieux. An Open-Source Clinical Case Dataset for Medical Image Classification and "
    "Multimodal AI Applications. Data 2025, 10(8), 123. https://doi.org/10.3390/data10080123"
)
FREQUENCIES = (
    "Case reports describe the unusual: frequencies of findings, ages and sexes are not those of "
    "any clinic."
)
CLASSES = "classes are kinds of images, not diseases"
PERSONS = "Case reports of patients: images, age, sex, and captions about their health."
TEXTS: Mapping[str, str] = {
    "citation": CITATION,
    "source": (
        "MultiCaRe: figures of open-access case reports in PubMed Central, with their captions"
    ),
    "labels": (
        "According to MultiCaRe's authors, class and subtype were predicted from the pixels alone, "
        "by a classifier (an ensemble of ResNet-50 networks); people did not label the images one "
        f"by one. {_AGREEMENT}"
    ),
    "caption_labels": (
        "MultiCaRe also derives labels from the words of some captions, and empties them where "
        "they contradict the predicted ones: agreement below is at best an upper bound."
    ),
    "licences": "Each pair keeps the licence of its article; the whole has none of its own.",
    "patients": "Patients are counted as cases of the source.",
    "frequencies": FREQUENCIES,
    "classes": CLASSES,
    "persons": PERSONS,
}
# File names of the layout, by the names that `read` takes.
TABLES: Mapping[str, str] = {
    "captions": "captions_and_labels.csv",
    "cases": "cases.parquet",
    "metadata": "metadata.parquet",
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Nothing: all of it is in the layout."""
    return {}


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the zip files of images."""
    return list(source["archives"])


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where one of these lies, or will lie once it is fetched."""
    return _file(source, f"{archive}.zip")


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of images, cases and articles."""
    return {name: _file(source, file) for name, file in TABLES.items()}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: all files are read as they are."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return nothing: the layout is one."""
    return {}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name the Zenodo record that is downloaded, unless the files lie on disk already."""
    return None if source["path"] else str(source["record"])


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List tables and archives."""
    key = f"datasets.{name}.source.path" if source["path"] else f"datasets.{name}.source"
    stores = [store(source, config, archive) for archive in archives(source)]
    return {key: [*tables(source, config).values(), *stores]}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Find nothing that the schema does not."""
    yield from ()


def _file(source: Mapping[str, Any], name: str) -> str:
    if source["path"]:
        return f"{source['path'].rstrip('/')}/{name}"
    return f"<resources>/multicare/{source['record']}/{name}"
