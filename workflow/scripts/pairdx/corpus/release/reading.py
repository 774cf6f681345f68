"""The published PairDx: one metadata file and a folder of images, in a zip file or unpacked.

The paper describes this layout (Section 1.6) without the columns' names, so that config states
them. The release names no cases and no patients' ages; where its file names do not tell the
article, every image counts as an article of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

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
NAMES_IN_MESSAGES = 20


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
        _require_columns(table, settings["columns"], where)
        _require_identifiers(table[settings["columns"]["pair_id"]], where)
        # However its path is spelled: images are found by the meaning of theirs.
        below = len(parts_of(settings["metadata"]))
        top = "".join(f"{part}/" for part in parts_of(metadata)[:-below])
        candidates = _candidates(table, settings, top, where)
        _require_images(store, candidates["member"], where)
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
            f"{_listed(found or _top_level(store))}",
            where=where,
            remedy="set `source.metadata` to the name of the table of images, and `source.path` "
            "to the one folder or zip file that holds it (unpack archives of other formats first)",
        )
    return found[0]


def _top_level(store: ImageStore) -> list[str]:
    return sorted({re.sub(r"/.*", "/", name, flags=re.DOTALL) for name in store.members()})


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


def _require_columns(table: pd.DataFrame, columns: Mapping[str, str | None], where: str) -> None:
    wanted = {key: columns[key] for key in REQUIRED}
    if columns["subset"] is not None:
        wanted["subset"] = columns["subset"]
    missing = {key: name for key, name in wanted.items() if name not in table.columns}
    if missing:
        raise PairDxError(
            f"the table of images lacks the column(s) {', '.join(map(str, missing.values()))}; "
            f"its columns are: {_listed(table.columns)}",
            where=where,
            remedy=f"set {', '.join(f'`source.columns.{key}`' for key in missing)} to the "
            "name that the release uses",
        )


def _require_identifiers(pair_ids: pd.Series, where: str) -> None:
    """Refuse now what could not name a file of the dataset archive, hours later."""
    with_folders = pair_ids[pair_ids.str.contains(r"[/\\]")]
    if len(with_folders):
        raise PairDxError(
            f"{len(with_folders)} identifiers of pairs hold slashes, such as "
            f"{with_folders.iloc[0]!r}: they name the images that are handed on",
            where=f"{where}, column {pair_ids.name}",
            remedy="write them without slashes, or set `source.columns.pair_id` to another column",
        )


def _candidates(
    table: pd.DataFrame, settings: Mapping[str, Any], top: str, where: str
) -> pd.DataFrame:
    columns = settings["columns"]
    names = table[columns["file"]].str.strip().map(_file_and_path)
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
            "published_subset": _subsets(table, columns["subset"], settings["subsets"], where),
            "malformed": "",
            "age": pd.array([pd.NA] * len(table), dtype="Int64"),
            "sex": "",
            "year": "",
        }
    )


def _file_and_path(stated: str) -> tuple[str, str]:
    """Return the bare name of an image, and one spelling of its path below the folder of images.

    What leaves that folder, or names no file, stays as it is in both: curation rejects it.
    """
    parts = parts_of(stated)
    if not parts or climbs_out(stated) or stated.endswith(("/", "\\")) or "\0" in stated:
        return stated, stated
    return parts[-1], "/".join(parts)


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


def _subsets(
    table: pd.DataFrame, column: str | None, subsets: Mapping[str, str], where: str
) -> pd.Series:
    if column is None:
        return pd.Series("", index=table.index)
    known = {str(name).lower(): subset for name, subset in subsets.items()} | {"": ""}
    names = table[column].str.strip()
    unknown = sorted(set(names[~names.str.lower().isin(list(known))]))
    if unknown:
        raise PairDxError(
            f"the table of images has subsets of unknown names: {_listed(unknown)}",
            where=f"{where}, column {column}",
            remedy="add them to `source.subsets`, each with train, validation or test; or set "
            "`source.columns.subset` to null",
        )
    return names.str.lower().map(known)


def _require_images(store: ImageStore, members: pd.Series, where: str) -> None:
    """Tell a wrong folder or column from single images that are missing, which curation counts."""
    if not any(_holds(store, member) for member in members):
        raise PairDxError(
            f"none of the {len(members)} images is in the release; the first should be "
            f"{members.iloc[0]}, but there are: {_listed(_top_level(store))}",
            where=where,
            remedy="set `source.images` to the folder of the images (empty where the paths in the "
            "table begin with it), and `source.columns.file` to the column of their file names; "
            "unpack images that lie in an archive of their own",
        )


def _holds(store: ImageStore, member: str) -> bool:
    try:
        store.size(member)
    except (KeyError, DamagedMemberError):
        return False
    return True


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - NAMES_IN_MESSAGES
    more = f" and {rest} more" if rest > 0 else ""
    return (", ".join(names[:NAMES_IN_MESSAGES]) or "nothing") + more
