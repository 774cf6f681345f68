# ruff: noqa: ARG001 - every reader is asked the same questions, whatever its answers hang on
"""What descriptions of chest-X-ray readers share: where a copy lies, and what such data lack.

Standard library only, as descriptions are. A copy is one folder on disk; ``source.parts`` says by
how many jobs its images are looked at, each an archive of its own with the same folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Source = Mapping[str, Any]

CLASSES = (
    "classes are findings of radiographs, noted by people or by a program that read their reports: "
    "systems that name them are no medical devices, and no system is tested for such use here"
)
PERSONS = "Chest X-rays of patients, de-identified by those who gave them out"
ONE_PATIENT = "Patients are those that the data name: all images of one count as one case."


def archives(source: Source) -> list[str]:
    """Name the parts in which the images are looked at."""
    return [f"part{number}" for number in range(1, source["parts"] + 1)]


def store(source: Source, config: Source, archive: str) -> str:
    """Say where the folder lies: every part is in it."""
    return str(source["path"])


def unpacked(source: Source, config: Source) -> dict[str, str]:
    """Return nothing: all files are read as they are."""
    return {}


def settings(source: Source) -> Source:
    """Return all but the path."""
    return {key: value for key, value in source.items() if key != "path"}


def record(source: Source, config: Source) -> str | None:
    """Name none: nothing is downloaded."""
    return None


def files_outside(
    name: str, source: Source, tables: Mapping[str, str], **keys: str | None
) -> dict[str, list[str]]:
    """List the folder and what is read of it, by ``source.path``, or by another key.

    Args:
        name: The dataset's.
        source: Its section.
        tables: What the reader reads.
        keys: By the name of a table the key of ``source`` that says where it lies; None: the path.
    """
    found: dict[str, list[str]] = {f"datasets.{name}.source.path": [str(source["path"])]}
    for what, path in tables.items():
        of_key = found.setdefault(f"datasets.{name}.source.{keys.get(what) or 'path'}", [])
        of_key += [path] if path not in of_key else []
    return found


def problems(key: str, source: Source) -> Iterator[str]:
    """Say nothing: there is no more to the source than its schema says."""
    yield from ()


def lacking(**others: str) -> dict[str, str]:
    """Return what no chest-X-ray data tell, and what these do not besides.

    Args:
        others: What else is lacking, each with the reason.
    """
    return {
        "modalities": "the data state no parts of classes",
        "caption_labels": "no labels derived from captions are read besides the findings",
        **others,
    }


def either(folder: object, file: str) -> str:
    """Return the path of a file: as it is or, where only that is there, gzipped."""
    path = f"{str(folder).rstrip('/')}/{file}"
    gzipped = f"{path}.gz"
    return gzipped if Path(gzipped).is_file() and not Path(path).is_file() else path


def newest(folder: object, pattern: str, otherwise: str) -> str:
    """Return the table of a name that has a version in it: the last by name, or the expected one.

    What a download was cut short in, or somebody keeps beside it, ends otherwise.
    """
    there = Path(str(folder)).glob(pattern)
    tables = (path for path in there if path.name.lower().endswith((".csv", ".csv.gz")))
    found = sorted(str(path) for path in tables if path.is_file())
    return found[-1] if found else f"{str(folder).rstrip('/')}/{otherwise}"
