"""What readers of folders share in which every class has one: images found, candidates made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pairdx.corpus.image_tables import listed, top_level
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.stores import SHADOWS, climbs_out, open_store, parts_of

SUFFIXES = (".tif", ".tiff")
NAMES_IN_THE_LOG = 3


def images_by_folder(path: Path, classes: Sequence[str], *, remedy: str) -> pd.DataFrame:
    """Find the TIFF files of a folder or zip file, and take the folder of each for its label.

    Folders may lie at any depth. Hidden files, and what a system keeps of its own, do not count.
    The log counts files that are no TIFF, which are not read.

    Args:
        path: What :func:`pairdx.stores.open_store` opens.
        classes: Names of the folders that must be there; case does not count.
        remedy: What to do where one is not.

    Returns:
        member, folder (a class in its own spelling, or the name of another folder) and file, in
        the order of folder and file.

    Raises:
        PairDxError: The store cannot be opened, or has no image of one of the classes.
    """
    meant = {name.casefold(): name for name in classes}
    rows, others = [], []
    with open_store(path) as store:
        for member in store.members():
            *folders, file = parts_of(member) or [""]
            hidden = any(part.startswith(".") or part.casefold() == SHADOWS for part in folders)
            if hidden or climbs_out(member) or not folders or file.startswith("."):
                continue
            if not file.casefold().endswith(SUFFIXES):
                others.append(member)
                continue
            rows.append((member, meant.get(folders[-1].casefold(), folders[-1]), file))
        at_top = top_level(store)
    table = pd.DataFrame(rows, columns=["member", "folder", "file"], dtype=str)
    if others:
        logger.info(
            "%s: %d files are no TIFF and not read, such as %s",
            *(path.name, len(others), ", ".join(sorted(others)[:NAMES_IN_THE_LOG])),
        )
    there = Counter(table["folder"])
    if missing := [name for name in classes if name not in there]:
        raise PairDxError(
            f"there is no TIFF image in a folder {' or '.join(missing)}; folders with images: "
            f"{listed(sorted(there)) or 'none'}; at the top: {listed(at_top) or 'nothing'}",
            where=path,
            remedy=remedy,
        )
    return table.sort_values(["folder", "file", "member"], ignore_index=True)


def candidates_of(
    images: pd.DataFrame, names: pd.Series, *, archive: str, subset: object, licence: str
) -> pd.DataFrame:
    """Make candidates of images that tell no more than their class; each is a case of its own.

    Args:
        images: From :func:`images_by_folder`, or with its columns.
        names: Identifier of every image.
        archive: The archive that holds them.
        subset: Of the published split: one for all, or of every image; "" where none is stated.
        licence: Of all.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read`.
    """
    alone = "image " + names
    return pd.DataFrame(
        {
            "row": range(len(images)),
            "file": images["file"],
            "pair_id": names,
            "article_id": alone,
            "case_id": alone,
            "figure_id": alone,
            "caption": "",
            "label": images["folder"],
            "subtype": "",
            "licence": licence,
            "archive": archive,
            "member": images["member"],
            "text_labels": "",
            "published_subset": subset,
            "malformed": "",
            "age": pd.array([pd.NA] * len(images), dtype="Int64"),
            "sex": "",
            "year": "",
        }
    )
