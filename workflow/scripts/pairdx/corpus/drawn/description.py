"""What the reader of drawn corpora says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# The layout is MultiCaRe's.
from pairdx.corpus.multicare.description import CITATION, CLASSES, FREQUENCIES, PERSONS, TABLES

DRAWN = True
SCREENED = True
ARTICLES = True
PUBLISHED_SPLIT = False
SEVERAL = False
PATHS: tuple[str, ...] = ()
TO_ASK_FOR = ""

TEXTS: Mapping[str, str] = {
    "citation": CITATION,
    "source": "A corpus that the workflow drew, in MultiCaRe's layout",
    "labels": "The workflow drew each image for its label.",
    "caption_labels": ("The workflow also wrote labels that agree with the words of the captions."),
    "licences": "Each pair keeps the licence of its article; the whole has none of its own.",
    "patients": "Patients are made up, and counted as cases.",
    "frequencies": FREQUENCIES,
    "classes": CLASSES,
    "persons": PERSONS,
}


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Nothing: all of it is drawn."""
    return {}


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the zip files of images."""
    return list(source["archives"])


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where one of these will lie once it is drawn."""
    return f"{folder(source)}/{archive}.zip"


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of images, cases and articles."""
    return {name: f"{folder(source)}/{file}" for name, file in TABLES.items()}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: all files are read as they are."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return nothing: the layout is one."""
    return {}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name none: nothing is downloaded."""
    return None


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List nothing: all is drawn here."""
    return {}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Find nothing that the schema does not."""
    yield from ()


def folder(source: Mapping[str, Any]) -> str:
    """Say where a corpus of so many cases, drawn from this seed, lies."""
    return f"<resources>/drawn/seed{source['seed']}_cases{source['cases']}"
