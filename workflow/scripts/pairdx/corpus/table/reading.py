"""The users' own documents: a table with a row per image, and the folder of the images.

Names of columns are the user's; the configuration states them. What belongs together (a patient, a
case, a site) is told by any number of columns, each a grouping of its own: rows that share a value
in any of them belong together, directly or through others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import pandas as pd

from pairdx.corpus.image_tables import (
    file_and_path,
    listed,
    require_identifiers,
    require_images,
    subsets_of,
)
from pairdx.corpus.labels import renamed
from pairdx.corpus.table import ARCHIVE
from pairdx.corpus.table.cells import ages_of, years_of
from pairdx.corpus.table.description import group_columns, wanted_columns
from pairdx.corpus.table.groups import CHECKSUM_DIGITS, checksum, groups_of, log_groups, log_subsets
from pairdx.corpus.table.rows import read_rows
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.stores import open_store, parts_of

LONGEST_IDENTIFIER = 200  # bytes of one made of a path; a file's name may have 255


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read a table of documents into one row per image.

    Args:
        tables: ``table``: the file; ``images``: the folder, or zip file, of the images.
        settings: What the dataset's ``source`` states: columns, labels, subsets, sheet, licence.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`, in the table's order. archive
        is "images", member the path below the folder of images, file its last part. Without a
        column of identifiers pair_id is made of the path (:func:`identifier_of`). article_id is
        the first column of groups, figure_id the second (else the path), case_id what is connected
        by any of them; where a row states none, ``image`` and its path. Values of groups are
        written as checksums (:func:`pairdx.corpus.table.groups.hidden`). Text columns hold "" where
        nothing is known. Of a row whose path leaves the folder of images, file is the whole path,
        for which curation rejects it. ``attrs["as_read"]`` is told to the check before training:
        ``other_columns``, the names of those that are not read; ``rows_in_cells``, how many cells
        hold what looks like further rows; ``untold_ages``, how many cells of the column of ages
        tell none.

    Raises:
        PairDxError: The table is a folder, or images are a file that is no zip file. The table
            cannot be read or lacks a column, an identifier holds a slash, a
            subset has an unknown name, no caption is stated in a column of captions, or none of the
            images is where it should be.
    """
    where = tables["table"]
    _refuse_other_kinds(where, tables["images"])
    columns = settings["columns"]
    rows = read_rows(where, settings["sheet"], wanted_columns(settings))
    table, rest = rows.table, rows.others
    logger.info("columns that are not read: %s", listed(rest) if rest else "none")
    candidates = _candidates(table, settings, tables["images"], where)
    if columns["caption"] is not None:
        _require_captions(candidates["caption"], f"{where}, column {columns['caption']}")
    log_groups(candidates, table, settings)
    if columns["subset"] is not None:
        log_subsets(candidates["published_subset"], columns["subset"])
    with open_store(tables["images"]) as store:
        require_images(
            *(store, candidates["member"], where),
            place=str(tables["images"]),
            remedy="set `source.images` to the folder below which the paths in the table begin, "
            "and `source.columns.file` to the column of these paths",
        )
    candidates.attrs["as_read"] = {
        "other_columns": rest,
        "rows_in_cells": rows.rows_in_cells,
        "untold_ages": len(_untold(_column(table, columns["age"]), candidates["age"])),
    }
    return candidates


def _refuse_other_kinds(table: Path, images: Path) -> None:
    """Say that the two paths were confused, before anything takes one for a damaged other."""
    if table.is_dir():
        raise PairDxError(
            "the table of images is a folder",
            where=table,
            remedy="set `source.table` to the file with a row per image; the folder of images is "
            "`source.images`",
        )
    if images.is_file() and not is_zipfile(images):
        raise PairDxError(
            "the folder of images is a file, and no whole zip file",
            where=images,
            remedy="set `source.images` to the folder below which the paths in the table begin, or "
            "to a zip file of it; the table is `source.table`",
        )


def _require_captions(captions: pd.Series, where: str) -> None:
    empty = int((captions == "").sum())
    if empty == len(captions):
        raise PairDxError(
            "not one row has a caption",
            where=where,
            remedy="set `source.columns.caption` to null: then systems that read captions are left "
            "out, and the others run; or to the column that holds the captions",
        )
    if empty:
        logger.warning(
            "%d of %d rows have no caption: they are rejected, also for systems that read images "
            "only, unless `curation.caption_problems` is without `empty`; where few have one, "
            "`source.columns.caption: null` leaves captions out",
            *(empty, len(captions)),
        )


def _candidates(
    table: pd.DataFrame, settings: Mapping[str, Any], images: Path, where: Path
) -> pd.DataFrame:
    columns = settings["columns"]
    below = _below(table[columns["file"]], images)
    located = below.map(file_and_path)
    paths = located.str[1]
    groups = groups_of(table[group_columns(settings)], paths)
    return pd.DataFrame(
        {
            "row": range(len(table)),
            "file": located.str[0],
            "pair_id": _identifiers(table, columns["pair_id"], paths, where),
            "article_id": groups["article_id"],
            "case_id": groups["case_id"],
            "figure_id": groups["figure_id"],
            "caption": _column(table, columns["caption"]),
            "label": renamed(table[columns["label"]], settings["labels"]),
            "subtype": _column(table, columns["subtype"]),
            "licence": _column(table, columns["licence"]).replace("", settings["licence"]),
            "archive": ARCHIVE,
            "member": paths,
            "text_labels": "",
            "published_subset": subsets_of(table, columns["subset"], settings["subsets"], where),
            "malformed": "",
            "age": _told("age", ages_of, table, columns["age"]),
            "sex": "",
            "year": _told("date", years_of, table, columns["date"]),
        }
    )


def _column(table: pd.DataFrame, name: str | None) -> pd.Series:
    return pd.Series("", index=table.index) if name is None else table[name]


def _told(what: str, read_cells: Any, table: pd.DataFrame, name: str | None) -> pd.Series:
    """Return what is found in a column of dates or ages; the log counts where nothing is."""
    stated = _column(table, name)
    found: pd.Series = read_cells(stated)
    strange = _untold(stated, found)
    if len(strange):
        logger.warning(
            "%d of %d cells of the column %s tell no %s, such as %r: it counts as not known",
            *(len(strange), int((stated != "").sum()), name, what, strange.iloc[0]),
        )
    return found


def _untold(stated: pd.Series, found: pd.Series) -> pd.Series:
    return stated[(stated != "") & (found.isna() | (found.astype(str) == ""))]


def _identifiers(
    table: pd.DataFrame, column: str | None, paths: pd.Series, where: Path
) -> pd.Series:
    if column is None:
        return paths.map(identifier_of)
    require_identifiers(table[column], where)
    repeated = table[column].duplicated(keep=False) & (table[column] != "")
    if repeated.any():
        logger.warning(
            "%d rows share their identifier with another row, such as %r: the first of each counts",
            *(repeated.sum(), table.loc[repeated, column].iloc[0]),
        )
    # A row without one is named by its image.
    return table[column].where(table[column] != "", paths.map(identifier_of))


def identifier_of(path: str) -> str:
    """Make an identifier of a path, which can name a file.

    A slash is written as ``~1`` and ``~`` as ``~0``, as in a JSON pointer, and a character that
    cannot be printed as ``~u`` and its six hexadecimal digits. What is too long becomes its end,
    ``~h``, and digits of the checksum of the whole path.
    """
    written = path.replace("~", "~0").replace("/", "~1")
    name = written
    if not written.isprintable():
        name = "".join(one if one.isprintable() else f"~u{ord(one):06x}" for one in written)
    as_bytes = name.encode()
    if len(as_bytes) <= LONGEST_IDENTIFIER:
        return name
    last = name.rpartition("~1")[2].encode()[CHECKSUM_DIGITS + 2 - LONGEST_IDENTIFIER :]
    return f"{last.decode(errors='ignore')}~h{checksum(name)}"


def _below(stated: pd.Series, images: Path) -> pd.Series:
    """Write absolute paths into the folder of images as paths below it; others stay."""
    tops = sorted({parts_in(str(images.absolute())), parts_in(str(images.resolve()))})

    def below(path: str) -> str:
        if not path.startswith("/"):
            return path
        parts = parts_in(path)
        for top in tops:
            if parts[: len(top)] == top:
                return "/".join(parts[len(top) :])
        return path

    return stated.map(below)


def parts_in(path: str) -> tuple[str, ...]:
    """Split an absolute path into folders and file."""
    return tuple(parts_of(path))
