"""The published PairDx: one metadata file and a folder of images, in a zip file or unpacked.

The paper describes this layout (Section 1.6) without the columns' names, so that config states
them. The release names no cases and no patients' ages; where its file names do not tell the
article, every image counts as an article of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.image_tables import (
    file_and_path,
    listed,
    require_columns,
    require_identifiers,
    require_images,
    subsets_of,
    top_level,
)
from pairdx.corpus.release import ARCHIVE
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.sheets import read_text_table
from pairdx.stores import (
    SHADOWS,
    DamagedMemberError,
    ImageStore,
    climbs_out,
    meaning_of,
    open_store,
    parts_of,
)

REQUIRED = ("pair_id", "label", "file", "caption")
LARGEST_METADATA_BYTES = 500_000_000


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the release's metadata into one row per image.

    Args:
        tables: ``release``: the folder, zip file or download (its ``manifest.json``), as
            :func:`pairdx.stores.open_store` opens it.
        settings: What the dataset's ``source`` states: metadata, images, columns, labels, subsets,
            article_pattern, licence.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`, in the metadata's
        order. archive is "release", member a path inside the source, file its last part. case_id
        equals article_id and figure_id the path below the folder of images, because the release
        knows neither. age is NA; subtype, sex, year, text_labels and malformed are "".
        published_subset is train, validation, test or "" (not stated). Rows that repeat a pair_id
        are kept; of one whose path leaves the folder of images, file is the whole path, for which
        curation rejects it.

    Raises:
        PairDxError: The metadata file is missing, unreadable, empty or lacks a column, an
            identifier holds a slash, a subset has an unknown name, or none of the images is where
            it should be.
    """
    source = tables["release"]
    with open_store(source) as store:
        metadata = locate(store, settings["metadata"], source)
        where = f"{source}: {metadata}"
        table = _read_table(_content(store, metadata, where), where)
        require_columns(table.columns, _wanted(settings["columns"]), where)
        require_identifiers(table[settings["columns"]["pair_id"]], where)
        # However its path is spelled: images are found by the meaning of theirs.
        below = len(parts_of(settings["metadata"]))
        top = "".join(f"{part}/" for part in parts_of(metadata)[:-below])
        candidates = _candidates(table, settings, top, where)
        require_images(
            *(store, candidates["member"], where),
            place="the release",
            remedy="set `source.images` to the folder of the images (empty where the paths in the "
            "table begin with it), and `source.columns.file` to the column of their file names; "
            "unpack images that lie in an archive of their own",
        )
    return candidates


def locate(store: ImageStore, metadata: str, where: object) -> str:
    """Find the one metadata file: at the top of the release, or in a folder there.

    Args:
        store: The opened release.
        metadata: Name of the metadata file (``metadata`` of the dataset's ``source``).
        where: What error messages name as the place.

    Returns:
        The member that it is. Where that lies in a folder, so do the images.

    Raises:
        PairDxError: None or several have this name; the message says what there is.
    """
    wanted = meaning_of(metadata)
    found = [
        name
        for name in store.members()
        if not climbs_out(name)
        and wanted in (meaning := meaning_of(name), meaning.partition("/")[2])
        and not meaning.startswith(f"{SHADOWS}/")
    ]
    if len(found) != 1:
        raise PairDxError(
            f"one file {metadata} is expected in the release, but there "
            f"{f'are {len(found)}' if found else 'is none'}; found: "
            f"{listed(found or top_level(store))}",
            where=where,
            remedy="set `source.metadata` to the name of the table of images, and `source.path` "
            "to the one folder or zip file that holds it (unpack archives of other formats first)",
        )
    return found[0]


def _content(store: ImageStore, member: str, where: str) -> bytes:
    try:
        if store.size(member) > LARGEST_METADATA_BYTES:
            raise PairDxError(
                f"the table of images is larger than {LARGEST_METADATA_BYTES:,} bytes",
                where=where,
                remedy="set `source.metadata` to the table of images, one row for each",
            )
        return store.read(member)
    except (KeyError, DamagedMemberError) as error:
        raise PairDxError(
            f"the table of images cannot be read: {error}",
            where=where,
            remedy="fetch the release again; a download may have been cut short",
        ) from error


def _read_table(content: bytes, where: str) -> pd.DataFrame:
    table = read_text_table(
        content,
        what="the table of images",
        where=where,
        remedy="or fetch the release again: a download may have been cut short",
    )
    if table.empty:
        raise PairDxError(
            "the table of images has no rows",
            where=where,
            remedy="set `source.metadata` to the table that has them",
        )
    return table


def _wanted(columns: Mapping[str, str | None]) -> list[tuple[str, str]]:
    keys = (*REQUIRED, "subset")
    return [(key, name) for key in keys if (name := columns[key]) is not None]


def _candidates(
    table: pd.DataFrame, settings: Mapping[str, Any], top: str, where: str
) -> pd.DataFrame:
    columns = settings["columns"]
    names = table[columns["file"]].str.strip().map(file_and_path)
    files, paths = names.str[0], names.str[1]
    articles = _articles(paths, settings["article_pattern"])
    folder = f"{top}{settings['images']}/" if settings["images"] else top
    return pd.DataFrame(
        {
            "row": range(len(table)),
            "file": files,
            "pair_id": table[columns["pair_id"]].str.strip(),
            "article_id": articles,
            "case_id": articles,
            "figure_id": paths,
            "caption": table[columns["caption"]],
            "label": _classes(table[columns["label"]], settings["labels"]),
            "subtype": "",
            "licence": settings["licence"],
            "archive": ARCHIVE,
            "member": folder + paths,
            "text_labels": "",
            "published_subset": subsets_of(table, columns["subset"], settings["subsets"], where),
            "malformed": "",
            "age": pd.array([pd.NA] * len(table), dtype="Int64"),
            "sex": "",
            "year": "",
        }
    )


def _articles(files: pd.Series, pattern: str) -> pd.Series:
    """Return what the pattern (or its first group) finds in each path; else the path itself."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PairDxError(
            f"this regular expression is not valid: {error}",
            where=f"source.article_pattern: {pattern}",
            remedy="write one that Python's re module compiles, such as ^(PMC\\d+)",
        ) from error

    def article(file: str) -> str:
        found = compiled.search(file)
        return (found[min(1, compiled.groups)] if found else None) or file

    told = files.map(lambda file: compiled.search(file) is not None)
    if not told.all():
        logger.warning(
            "%d of %d file names do not hold source.article_pattern (%s), such as %r: each counts "
            "as an article of its own, and no split can keep its siblings together",
            *((~told).sum(), len(files), pattern, files[~told].iloc[0]),
        )
    return files.map(article)


def _classes(modalities: pd.Series, labels: Mapping[str, str]) -> pd.Series:
    renamed = {str(name): label for name, label in labels.items()}
    names = modalities.str.strip()
    return names.map(lambda name: renamed.get(name, re.sub(r"[\s-]+", "_", name.lower())))
