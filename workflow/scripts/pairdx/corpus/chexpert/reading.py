"""CheXpert as given out: a table per subset, and images by patient, study and view.

Paths in the tables begin with the name of the release (``CheXpert-v1.0-small/train/…``); below the
folder that holds the tables they begin with that of the subset. Labels of test images are given out
per image (``Path``) or per study (``Study``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.chest_tables import ages_of, candidates_of, read_official, stated_findings
from pairdx.corpus.chexpert.description import FINDINGS
from pairdx.corpus.image_tables import require_images
from pairdx.errors import PairDxError
from pairdx.stores import open_store

SUBSETS = {"train": "train", "valid": "validation", "test": "test"}
# A path below the folder: subset, patient, study and, of an image, its file.
PLACE = re.compile(
    r"\A(?:.*/)?((?:train|valid|val|test)/(patient\d+)/(study\d+))(?:/([^/]+\.\w+))?/?\Z",
    re.IGNORECASE,
)


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the tables of all subsets that are asked for into one row per image.

    Args:
        tables: By the official name of each subset its table; ``images``: the folder.
        settings: What the dataset's ``source`` states.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the order of subsets and
        rows. pair_id is the path with ``_`` between its parts. view is AP, PA or what else the
        table states of frontal images, ``frontal`` where it states nothing, and ``lateral``.

    Raises:
        PairDxError: A file is missing or lacks a column, a path is no image of the layout, or none
            of the images is there.
    """
    with open_store(tables["images"]) as store:
        members = store.members() if "test" in settings["subsets"] else []
        parts = [_read_subset(name, tables, settings, members) for name in settings["subsets"]]
        images = pd.concat(parts, ignore_index=True)
        require_images(
            *(store, images["member"], tables[settings["subsets"][0]]),
            place=str(tables["images"]),
            remedy="set `source.path` to the folder that holds the tables and, beside them, the "
            f"folders {', '.join(settings['subsets'])}",
        )
    return candidates_of(images, settings, FINDINGS)


def _read_subset(
    name: str, tables: Mapping[str, Path], settings: Mapping[str, Any], members: list[str]
) -> pd.DataFrame:
    where = tables[name]
    table = read_official(where, f"the table of {name} images", FINDINGS)
    if "Study" in table and "Path" not in table:
        table = _per_image(table, members, where)
    if "Path" not in table:
        raise PairDxError(
            "the table names neither images (Path) nor studies (Study)",
            where=where,
            remedy="put the file there as it was given out",
        )
    places = (
        table["Path"].str.extract(PLACE).set_axis(["study", "patient", "visit", "file"], axis=1)
    )
    if (odd := places["file"].isna()).any():
        raise PairDxError(
            f"{odd.sum()} paths are none of the layout, such as {table.loc[odd, 'Path'].iloc[0]!r}",
            where=f"{where}, column Path",
            remedy="put the file there as it was given out (train/patient00001/study1/"
            "view1_frontal.jpg, behind the name of the release)",
        )
    below = places["study"] + "/" + places["file"]
    patients = f"{name} " + places["patient"]
    keys = {key: settings[key] for key in ("uncertain", "blank")}
    return pd.DataFrame(
        {
            "pair_id": below.str.rsplit(".", n=1).str[0].str.replace("/", "_"),
            "member": below,
            "patient": patients,
            "study": patients + " " + places["visit"],
            "view": _views(table),
            "subset": SUBSETS[name],
            "age": ages_of(table["Age"]) if "Age" in table else pd.NA,
            "sex": table.get("Sex", ""),
        }
    ).join(stated_findings(table, FINDINGS, **keys))


def _per_image(table: pd.DataFrame, members: list[str], where: Path) -> pd.DataFrame:
    """Give every image of a study the row of its study."""
    found = [(match[1], name) for name in sorted(members) if (match := PLACE.fullmatch(name))]
    images = pd.DataFrame(found, columns=["study", "Path"])
    studies = table["Study"].map(_study)
    if (odd := studies == "").any():
        raise PairDxError(
            f"{odd.sum()} studies are none of the layout, such as "
            f"{table.loc[odd, 'Study'].iloc[0]!r}",
            where=f"{where}, column Study",
            remedy="put the file there as it was given out (test/patient00001/study1, behind the "
            "name of the release)",
        )
    joined = table.assign(study=studies).merge(images, on="study", how="left")
    if joined["Path"].isna().all():
        raise PairDxError(
            f"not one of {len(table)} studies has images; the first should be {studies.iloc[0]}",
            where=where,
            remedy="put the folder of their images beside the table",
        )
    # A study without images is counted as one whose image is missing.
    return joined.assign(Path=joined["Path"].fillna(joined["study"] + "/view1_frontal.jpg"))


def _study(stated: str) -> str:
    match = PLACE.fullmatch(stated)
    return match[1] if match else ""


def _views(table: pd.DataFrame) -> pd.Series:
    """Return AP, PA, …, ``frontal`` or ``lateral``: as stated, else by the name of the file."""
    lateral = table["Path"].str.casefold().str.contains("lateral")
    if "Frontal/Lateral" in table:
        stated = table["Frontal/Lateral"].str.casefold()
        lateral = (stated == "lateral") | ((stated == "") & lateral)
    frontal = table["AP/PA"] if "AP/PA" in table else pd.Series("", index=table.index)
    return frontal.where(frontal != "", "frontal").where(~lateral, "lateral")
