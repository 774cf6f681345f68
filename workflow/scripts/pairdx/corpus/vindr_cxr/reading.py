"""VinDr-CXR as given out: labels of each image by its radiologists, and images by their number.

The images are given out as DICOM, which is not read here: copies as PNG or JPEG lie beside them, or
in their place, in ``train`` and ``test``, each called after its ``image_id``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.chest_tables import called, candidates_of, joined_names, read_official
from pairdx.corpus.image_tables import listed
from pairdx.corpus.vindr_cxr.description import FINDINGS
from pairdx.errors import PairDxError
from pairdx.stores import climbs_out, open_store

NOTHING = "No finding"
# The two tables call one finding by two names.
SAME = {"Other disease": "Other diseases"}
READABLE = re.compile(r"(?:.*/)?((?:train|test)/([^/]+))\.(?:png|jpe?g)", re.IGNORECASE)
DICOM = re.compile(r"(?:.*/)?(?:train|test)/[^/]+\.(?:dicom|dcm)", re.IGNORECASE)


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the tables of labels into one row per image.

    Args:
        tables: ``train`` and ``test``, as far as they are asked for: labels; ``images``: the
            folder.
        settings: What the dataset's ``source`` states.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the order of subsets and
        first rows of images. pair_id is the image's number. Every image is a case of its own.

    Raises:
        PairDxError: A table is missing or lacks a column, or there are DICOM images only.
    """
    stated = {name: _labels(name, tables[name]) for name in settings["subsets"]}
    _require_same_columns(stated, tables)
    vocabulary = [name for name in _findings(next(iter(stated.values()))) if name != NOTHING]
    members = _members(tables["images"])
    parts = [_images(name, table, members, settings["readers"]) for name, table in stated.items()]
    candidates = pd.concat(parts, ignore_index=True)
    settings = {**settings, "views": None, "images_per_study": "all"}
    return candidates_of(candidates, settings, vocabulary)


def _labels(name: str, path: Path) -> pd.DataFrame:
    table = read_official(path, f"the table of {name} labels", ["image_id"])
    table = table.rename(columns=SAME).loc[:, lambda read: ~read.columns.str.startswith("Unnamed")]
    # A finding without a column would be one that no image shows.
    missing = [one for one in (*FINDINGS, NOTHING) if one not in table]
    if missing:
        raise PairDxError(
            f"the table of {name} labels lacks the column(s) {', '.join(missing)}; its columns "
            f"are: {listed(table.columns)}",
            where=path,
            remedy="put the file there as it was given out",
        )
    return table


def _findings(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name not in ("image_id", "rad_id")]


def _require_same_columns(stated: Mapping[str, pd.DataFrame], tables: Mapping[str, Path]) -> None:
    """Refuse findings that one table has and the other has not: or images would be free of them."""
    first, *others = stated
    for other in others:
        if odd := sorted({*_findings(stated[first])} ^ {*_findings(stated[other])}):
            raise PairDxError(
                f"only one of the two tables has the column(s) {', '.join(odd)}",
                where=f"{tables[first]} and {tables[other]}",
                remedy="put both files there as they were given out",
            )


def _images(
    name: str, table: pd.DataFrame, members: Mapping[str, str], readers: str
) -> pd.DataFrame:
    """Settle what the readers of each image say: true, or not."""
    names = _findings(table)
    bare = table[names].replace(r"(?<=\d)\.0+$", "", regex=True)
    malformed = (~bare.isin(["0", "1"])).groupby(table["image_id"], sort=False).any()
    said = (bare == "1").groupby(table["image_id"], sort=False)
    votes, of = said.sum(), said.size()
    settled = votes.gt(0) if readers == "any" else votes.gt(of / 2, axis=0)
    texts = [joined_names(_where(names, row), NOTHING) for row in settled.to_numpy()]
    odd = [", ".join(_where(names, row)) for row in malformed.to_numpy()]
    odd = [one or ("labels" if text is None else "") for one, text in zip(odd, texts, strict=True)]
    images = pd.Series(settled.index, dtype=str)
    return pd.DataFrame(
        {
            "pair_id": images,
            "member": images.map(lambda one: members.get(f"{name}/{one}", f"{name}/{one}.png")),
            "patient": called("image", images),
            "study": called("image", images),
            "findings": [text or "" for text in texts],
            "malformed": odd,
            "subset": name,
        }
    )


def _where(names: Iterable[str], true: Iterable[bool]) -> list[str]:
    return [name for name, there in zip(names, true, strict=True) if there]


def _members(folder: Path) -> dict[str, str]:
    """Return the PNG or JPEG copies by subset and number."""
    with open_store(folder) as store:
        there = [name for name in sorted(store.members()) if not climbs_out(name)]
    found = {match[1]: name for name in there if (match := READABLE.fullmatch(name))}
    if not found:
        dicom = sum(DICOM.fullmatch(name) is not None for name in there)
        raise PairDxError(
            f"there is no PNG or JPEG image in train or test, and there are {dicom} DICOM images, "
            "which are not read",
            where=folder,
            remedy="put a PNG or JPEG copy of each DICOM image beside it, of 8 bits, with its "
            "window applied, called after its image_id",
        )
    return found
