"""What the reader of users' own documents says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.corpus.table import ARCHIVE

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = False
PATHS: tuple[str, ...] = ("table", "images")
TO_ASK_FOR = ""

TEXTS: Mapping[str, str] = {
    "citation": "The data are whose they are: the dataset's key `texts.citation` can say so.",
    "source": "A table of documents and a folder of images",
    "labels": "Labels are those of the table; who gave them, the table does not say.",
    "caption_labels": "The table states no labels derived from captions.",
    "licences": "Licences are those that the table or the configuration states.",
    "patients": (
        "Patients are counted as groups: images that share a value in one of the table's columns "
        "of groups. Without such a column every image counts as one."
    ),
    "classes": "classes and labels are the user's own, and no system is tested for such use here",
    "persons": "Documents of the user's own: what they show and tell of persons is not stated.",
}
# What columns tell that there need not be, by the name that :func:`lacks` uses.
_TELLING = {
    "captions": "caption",
    "ages": "age",
    "modalities": "subtype",
    "groups": "group",
    "subsets": "subset",
}
_REQUIRED = ("file", "label")
_OPTIONAL = ("caption", "pair_id", "subset", "licence", "date", "age", "subtype")


def group_columns(source: Mapping[str, Any]) -> list[str]:
    """Name the columns of groups: none, one or several."""
    stated = source["columns"]["group"]
    return [stated] if isinstance(stated, str) else list(stated or ())


def wanted_columns(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the columns that are read, each after its key below ``source.columns``."""
    columns = source["columns"]
    single = [(key, columns[key]) for key in (*_REQUIRED, *_OPTIONAL) if columns[key] is not None]
    return [*single, *(("group", name) for name in group_columns(source))]


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Whatever has no column; licences may be stated for all."""
    columns = source["columns"]
    found = {
        what: f"no column is named for them (source.columns.{key})"
        for what, key in _TELLING.items()
        if not columns[key]
    }
    if columns["licence"] is None and not source["licence"]:
        found["licences"] = "none is stated (source.columns.licence, source.licence)"
    found["caption_labels"] = "the table has none that are derived from captions"
    found["sexes"] = "the table has no column of them"
    return found


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the one that there is."""
    return [ARCHIVE]


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where the folder of images lies."""
    return str(source["images"])


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the table, and the images: whether they are there is seen before anything else."""
    return {"table": str(source["table"]), "images": str(source["images"])}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return nothing: all files are read as they are."""
    return {}


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all but the paths: columns, labels, subsets, sheet, licence."""
    return {key: value for key, value in source.items() if key not in PATHS}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name none: files lie on disk."""
    return None


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List the table and the folder."""
    return {f"datasets.{name}.source.{key}": [str(source[key])] for key in PATHS}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Name a column that is said to tell two things of which one would give the other away."""
    columns = source["columns"]
    if columns["file"] == columns["label"]:
        yield (
            f"config key {key}.columns.label: {columns['label']} is the column of files "
            "(columns.file) too"
        )
        return
    taken = {columns["label"]: "labels (columns.label)", columns["file"]: "files (columns.file)"}
    for what, name in wanted_columns(source):
        # A path can name its row, too.
        if what in _REQUIRED or (what, name) == ("pair_id", columns["file"]):
            continue
        if name in taken:
            yield (
                f"config key {key}.columns.{what}: {name} is the column of {taken[name]} too; name "
                f"another, or {'leave it out' if what == 'group' else 'null for none'}"
            )
