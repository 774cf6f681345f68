"""ChestX-ray14 as given out: one table, two lists of file names, and folders of PNG images.

The images lie in ``images`` or, as the archives unpack, in ``images_001/images`` to
``images_012/images``. The lists are of the makers' split by patients; validation images are taken
out of the first by the split (:func:`pairdx.splits.published`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.chest_tables import (
    ages_of,
    called,
    candidates_of,
    joined_names,
    named_lines,
    of_subsets,
    read_official,
)
from pairdx.corpus.chestxray14.description import FINDINGS
from pairdx.corpus.image_tables import require_images
from pairdx.errors import PairDxError
from pairdx.stores import climbs_out, open_store

COLUMNS = ("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "View Position")
NOTHING = "No Finding"
SUBSETS = {"train_val": "train", "test": "test"}
AN_IMAGE = re.compile(r"(?:.*/)?images/[^/]+\.png", re.IGNORECASE)


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the table into one row per image.

    Args:
        tables: ``entries`` (CSV), ``train_val`` and ``test`` (lists), ``images`` (the folder).
        settings: What the dataset's ``source`` states: views (PA, AP), images_per_study, subsets
            (train_val, test), parts, licence.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the table's order.
        pair_id is the file's name without its ending, a study a patient's visit.

    Raises:
        PairDxError: A file is missing or lacks a column, an image is in both lists, or none of the
            images is there.
    """
    table = read_official(tables["entries"], "the table of images", COLUMNS)
    files = table["Image Index"]
    official = _official(files, tables)
    table = of_subsets(
        table, official, settings["subsets"], f"{tables['train_val']} and {tables['test']}"
    )
    files, official = files[table.index], official[table.index]
    lists = table["Finding Labels"].map(lambda text: joined_names(text.split("|"), NOTHING))
    visits = table["Follow-up #"]
    patients = called("patient", table["Patient ID"].str.replace(r"^0+(?=.)", "", regex=True))
    sexes = next((table[name] for name in ("Patient Gender", "Patient Sex") if name in table), "")
    images = pd.DataFrame(
        {
            "pair_id": files.str.rsplit(".", n=1).str[0],
            "member": _members(files, tables["images"]),
            "patient": patients,
            "study": (patients + " visit " + visits).where((patients != "") & (visits != ""), ""),
            "view": table["View Position"],
            "findings": lists.fillna(""),
            "malformed": lists.isna().map({True: "Finding Labels", False: ""}),
            "subset": official.map(SUBSETS).fillna(""),
            "age": ages_of(table["Patient Age"]) if "Patient Age" in table else pd.NA,
            "sex": sexes,
        }
    )
    with open_store(tables["images"]) as store:
        require_images(
            *(store, images["member"], tables["entries"]),
            place=str(tables["images"]),
            remedy="set `source.path` to the folder that holds the table and, in `images` or in "
            "`images_001/images` and so on, the images",
        )
    return candidates_of(images, settings, FINDINGS)


def _official(files: pd.Series, tables: Mapping[str, Path]) -> pd.Series:
    """Return the list that each file is in, "" for none."""
    lists = {name: set(named_lines(tables[name], f"the list of {name} images")) for name in SUBSETS}
    if both := sorted(lists["train_val"] & lists["test"]):
        raise PairDxError(
            f"{len(both)} images are in both lists, such as {both[0]}",
            where=f"{tables['train_val']} and {tables['test']}",
            remedy="put both lists there as they were given out",
        )
    subset_of = {file: name for name, members in lists.items() for file in members}
    return files.map(lambda file: subset_of.get(file, ""))


def _members(files: pd.Series, folder: Path) -> pd.Series:
    """Say where each image lies below the folder; one that is missing would lie in ``images``."""
    with open_store(folder) as store:
        there = [name for name in sorted(store.members()) if not climbs_out(name)]
    found = {name.rsplit("/", 1)[-1]: name for name in reversed(there) if AN_IMAGE.fullmatch(name)}
    return files.map(lambda file: found.get(file, f"images/{file}"))
