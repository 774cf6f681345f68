"""PatchCamelyon as published: for each subset an HDF5 file of images, one of labels, and slides.

Images stay where they are: a candidate names the row of its image in the file of its subset.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.corpus.image_tables import require_columns
from pairdx.corpus.pcam.description import SUBSETS, file_name
from pairdx.errors import PairDxError
from pairdx.hdf5_images import array_of, open_images, opened
from pairdx.logs import logger
from pairdx.sheets import read_text_table
from pairdx.storage_errors import storage_errors_at

LABELS = "y"  # the array of labels
CLASSES = {0: "normal", 1: "tumour"}
LARGEST_LABELS = 2**30  # bytes, unpacked: those of the published files are 2 ** 18 and some headers
DIGITS = 6  # of a row in an identifier


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read all subsets into one row per patch.

    Args:
        tables: For each of train, valid and test: ``{subset}_images`` and ``{subset}_labels``
            (HDF5; labels may be gzipped) and, for all or none, ``{subset}_slides`` (CSV).
        settings: What the dataset's ``source`` states: columns, licence.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`, in the order of subsets and
        rows. archive is train, valid or test; member its file's name without the ending, ``/`` and
        the row; pair_id archive and row. label is normal, tumour or, of neither 0 nor 1, the
        number. A case is a slide; where none is stated, the patch.

    Raises:
        PairDxError: A file is missing, damaged or lacks its array or column, or those of a subset
            are not of one length.
    """
    _log_slides_left_out(tables, settings)
    parts = [_read_subset(name, tables, settings) for name in SUBSETS]
    found = pd.concat(parts, ignore_index=True)
    return found.assign(row=range(len(found)))


def _log_slides_left_out(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> None:
    """Say so where tables of slides lie beside the labels, and are not read for one is missing."""
    if settings["columns"]["group"] is None or any(f"{name}_slides" in tables for name in SUBSETS):
        return
    files = [tables[f"{name}_labels"].with_name(file_name(name, "meta")) for name in SUBSETS]
    missing = [path.name for path in files if not path.is_file()]
    if len(missing) < len(files):
        logger.warning(
            "every patch counts as a case of its own, for there is no %s beside the labels: tables "
            "of slides are read where all of them are there",
            " and no ".join(missing),
        )


def _read_subset(
    name: str, tables: Mapping[str, Path], settings: Mapping[str, Any]
) -> pd.DataFrame:
    images, stated = tables[f"{name}_images"], tables[f"{name}_labels"]
    with open_images(images) as opened_images:
        number = opened_images.number
    labels = _labels(stated)
    if len(labels) != number:
        raise _other_length(f"{len(labels)} labels", number, images, stated)
    rows = pd.Series(np.arange(number)).astype(str)
    names = f"{name}_" + rows.str.zfill(DIGITS)
    cases = _slides(tables.get(f"{name}_slides"), settings, "image " + names, images)
    return pd.DataFrame(
        {
            "row": 0,
            "file": names,
            "pair_id": names,
            "article_id": cases,
            "case_id": cases,
            "figure_id": "image " + names,
            "caption": "",
            "label": labels,
            "subtype": "",
            "licence": settings["licence"],
            "archive": name,
            "member": f"{images.stem}/" + rows,
            "text_labels": "",
            "published_subset": SUBSETS[name],
            "malformed": "",
            "age": pd.array([pd.NA] * number, dtype="Int64"),
            "sex": "",
            "year": "",
        }
    )


def _labels(path: Path) -> pd.Series:
    """Return the classes that a file of labels states."""
    gzipped = path.suffix.lower() == ".gz"
    source = io.BytesIO(_gunzipped(path)) if gzipped else path
    with opened(source, path, "the file of labels") as file:
        array = array_of(file, LABELS, path)
        several = array.ndim < 1 or array.size != len(array)
        if several or array.dtype.kind not in "iub":
            raise PairDxError(
                f"the array {LABELS} is not one whole number per image: {array.dtype} "
                f"{tuple(array.shape)}",
                where=path,
                remedy="put the file of labels there as the data set's makers published it",
            )
        try:
            numbers = np.asarray(array[()]).reshape(-1).astype(int)
        except (OSError, RuntimeError, ValueError) as error:
            raise _damaged(path, error) from error
    return pd.Series(numbers).map({one: CLASSES.get(one, str(one)) for one in set(numbers)})


def _gunzipped(path: Path) -> bytes:
    try:
        with storage_errors_at(path), gzip.open(path) as stream:
            content = stream.read(LARGEST_LABELS + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, error) from error
    if len(content) > LARGEST_LABELS:
        raise _damaged(path, f"it holds more than {LARGEST_LABELS:,} bytes")
    return content


def _damaged(path: Path, error: object) -> PairDxError:
    return PairDxError(
        f"the file of labels is damaged: {error}",
        where=path,
        remedy="fetch it again; a download may have been cut short",
    )


def _slides(
    path: Path | None, settings: Mapping[str, Any], alone: pd.Series, images: Path
) -> pd.Series:
    """Return the slide of every patch; where none is stated, the patch itself."""
    if path is None:
        return alone
    with storage_errors_at(path):
        content = path.read_bytes()
    table = read_text_table(
        content,
        what="the table of slides",
        where=str(path),
        remedy="or take it away, or fetch it again: a download may have been cut short",
    )
    column = settings["columns"]["group"]
    require_columns(table.columns, [("group", column)], path)
    if len(table) != len(alone):
        raise _other_length(f"{len(table)} rows of slides", len(alone), images, path)
    stated = table[column].str.strip()
    return stated.where(stated != "", alone)


def _other_length(what: str, number: int, images: Path, where: Path) -> PairDxError:
    return PairDxError(
        f"there are {what} for {number} images ({images.name})",
        where=where,
        remedy="put the files of one subset beside one another, as they were published; one may be "
        "of another subset, or cut short",
    )
