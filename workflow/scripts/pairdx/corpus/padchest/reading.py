"""PadChest as given out: one table, and images in numbered folders.

A cell of labels is a list as Python writes it. Names of findings are those of the data, in small
letters, ``normal`` for none; their list is open. Images are grey PNG files of 16 bits, whose levels
are read as the PNG standard has them: their makers spread them over the whole range.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.corpus.chest_tables import (
    AS_GIVEN_OUT,
    OLDEST_AGE_YEARS,
    called,
    candidates_of,
    joined_names,
    read_official,
)
from pairdx.corpus.image_tables import listed, require_images
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.stores import LINEAR, open_store

COLUMNS = ("ImageID", "ImageDir", "StudyID", "PatientID", "Projection", "Labels")
NOTHING = "normal"
LONGEST_LIST = 100_000  # characters
CELL_IN_MESSAGES = 80  # characters


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the table into one row per image.

    Args:
        tables: ``table`` (CSV, gzipped or not) and ``images`` (the folder).
        settings: What the dataset's ``source`` states.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the table's order.
        pair_id is the file's name without its ending. Of an image without labels nothing is known.

    Raises:
        PairDxError: The table is missing, damaged or lacks a column, none of its rows is by those
            whose labels are read, or none of the images is there.
    """
    table = read_official(tables["table"], "the table of images", COLUMNS)
    if settings["labels_by"] is not None and "MethodLabel" in table:
        kept = table["MethodLabel"].isin(settings["labels_by"])
        if not kept.any():
            raise PairDxError(
                f"not one of {len(table)} rows has labels by {', '.join(settings['labels_by'])}; "
                f"there are: {listed(sorted(set(table['MethodLabel'])))}",
                where=f"{tables['table']}, column MethodLabel",
                remedy="set `source.labels_by` to what that column says, or to null for all rows",
            )
        if not kept.all():
            logger.info("%d rows whose labels are by others are not read", int((~kept).sum()))
        table = table[kept]
    lists = table["Labels"].map(labels_of)
    _require_lists(table["Labels"], lists, tables["table"])
    files = table["ImageID"]
    images = pd.DataFrame(
        {
            "pair_id": files.str.rsplit(".", n=1).str[0],
            "member": table["ImageDir"].str.replace(r"\.0+$", "", regex=True)
            + "/"
            + files
            + LINEAR,
            "patient": called("patient", table["PatientID"]),
            "study": called("study", table["StudyID"]),
            "view": table["Projection"],
            "findings": lists.fillna(""),
            "malformed": lists.isna().map({True: "Labels", False: ""}),
            "age": _ages(table),
            "sex": table.get("PatientSex_DICOM", ""),
        }
    )
    with open_store(tables["images"]) as store:
        require_images(
            *(store, images["member"], tables["table"]),
            place=str(tables["images"]),
            remedy="set `source.path` to the folder that holds the numbered folders of images, "
            "unpacked (0, 1, and so on)",
        )
    return candidates_of(images, settings, None)


def _require_lists(cells: pd.Series, lists: pd.Series, where: Path) -> None:
    """Say which cells are no lists: the log of some, an error of all."""
    odd = cells[lists.isna()]
    if len(odd) and len(odd) == len(cells):
        raise PairDxError(
            f"not one of {len(cells)} cells of labels is a list of names as Python writes it, such "
            f"as ['normal']; the first is {odd.iloc[0][:CELL_IN_MESSAGES]!r}",
            where=f"{where}, column Labels",
            remedy=AS_GIVEN_OUT,
        )
    if len(odd):
        first = odd.iloc[0][:CELL_IN_MESSAGES]
        logger.warning("%d cells of Labels are no lists of names, such as %r", len(odd), first)


def labels_of(cell: str) -> str | None:
    """Return a cell of labels as ``A|B``, ``?`` for an empty cell; None if it lists no names."""
    if not cell or cell.casefold() == "nan":
        return "?"
    try:
        found = ast.literal_eval(cell) if len(cell) <= LONGEST_LIST else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return None
    named = [" ".join(one.split()) for one in found if one.strip()]
    return joined_names(named, NOTHING)


def _ages(table: pd.DataFrame) -> Any:
    """Return the difference of the years of the study and of birth, where both are stated."""
    if not {"StudyDate_DICOM", "PatientBirth"} <= set(table.columns):
        return pd.NA
    of_study = pd.to_numeric(table["StudyDate_DICOM"].str[:4], errors="coerce")
    ages = of_study - pd.to_numeric(table["PatientBirth"].str[:4], errors="coerce")
    return np.floor(ages.where(ages.between(0, OLDEST_AGE_YEARS))).astype("Int64")
