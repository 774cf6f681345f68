"""Images that are handed on, and the dataset as one zip file: a table of pairs and ``images/``.

The paper (Data Availability Statement) describes a metadata file at the root with identifier,
modality, file name, caption and split, and a folder of images named by their identifiers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.finding_texts import COLUMN as FINDINGS
from pairdx.image_containers import strip
from pairdx.images import NOT_STRIPPABLE, TURNED, apply_edit, decode
from pairdx.logs import progress
from pairdx.packing import encoded_images
from pairdx.stores import climbs_out

# How the archive is laid out: as the paper describes it, by the names that the dataset `release`
# expects (config/datasets/release.yaml), so that this workflow reads its own archives.
LAYOUT: Mapping[str, Any] = {
    "metadata": "image_metadata.csv",
    "images": "images",
    "columns": {
        "pair_id": "image_id",
        "label": "modality",
        "file": "filename",
        "caption": "caption",
        "subset": "split",
    },
}
# What the published table states, and what is added after it.
PUBLISHED_FIELDS = ("pair_id", "label", "file", "caption", "subset")
FURTHER_FIELDS = ("article_id", "case_id", "subtype", "age", "sex", "licence", "year")
SUBSET_COLUMN = "split"  # where the settings name no column of subsets
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
DRAWN_ANEW = "PNG"  # without loss, and of any size: a WebP file ends at 16,383 pixels
TIME_STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state
UNIX, READABLE_FILE = 3, 0o100644 << 16


def column_names(layout: Mapping[str, Any], *, several: bool = False) -> dict[str, str]:
    """Return what each field is called in the archive's table, in the order of its columns.

    Args:
        layout: As :data:`LAYOUT`, of which ``columns`` is read: the names of
            :data:`PUBLISHED_FIELDS`. The further fields keep their own.
        several: Whether the pairs state findings, which are a field of their own then.

    Raises:
        PairDxError: Two fields have one name.
    """
    named = dict(layout["columns"])
    names = {field: named.get(field) or SUBSET_COLUMN for field in PUBLISHED_FIELDS}
    names |= {field: field for field in (*FURTHER_FIELDS, *([FINDINGS] if several else []))}
    columns = list(names.values())
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise PairDxError(
            f"two columns of the archive's table would be called {', '.join(twice)}",
            where="columns of the layout",
            remedy=f"use other names; {', '.join(FURTHER_FIELDS)} are taken",
        )
    return names


def archive_table(
    pairs: pd.DataFrame, split: pd.DataFrame, layout: Mapping[str, Any]
) -> pd.DataFrame:
    """Lay out the table of pairs, ordered by identifier.

    Args:
        pairs: curated/pairs.parquet.
        split: Columns pair_id and subset, of the split that the table names. A pair that is in no
            subset of it has an empty cell.
        layout: As :data:`LAYOUT`.

    Returns:
        The columns of :func:`column_names`. Captions stand as in ``pairs``, identifiers masked;
        age and year are whole numbers (Int64) or missing.

    Raises:
        PairDxError: The split is of other pairs, or an identifier cannot name a file.
    """
    strangers = split.loc[~split["pair_id"].isin(pairs["pair_id"]), "pair_id"]
    if len(strangers):
        raise PairDxError(
            f"the split names {len(strangers)} pairs that are not in the dataset",
            where=strangers.iloc[0],
            remedy="make the split again from the present pairs",
        )
    table = pairs.drop(columns="subset", errors="ignore").merge(
        split[["pair_id", "subset"]], on="pair_id", how="left", validate="one_to_one"
    )
    table = table.sort_values("pair_id", ignore_index=True).fillna({"subset": ""})
    table["file"] = [file_name(pair) for pair in table.to_dict("records")]
    table["year"] = pd.to_numeric(table["year"], errors="coerce").astype("Int64")
    names = column_names(layout, several=FINDINGS in table)
    return table[list(names)].rename(columns=names)


def file_name(pair: Mapping[Hashable, Any]) -> str:
    """Name an image by its pair, and by the format of the bytes that are handed on.

    Args:
        pair: pair_id, image_format, image_edit and beside_pixels.

    Raises:
        PairDxError: The identifier cannot name a file.
    """
    name = str(pair["pair_id"])
    if climbs_out(name) or re.search(r"[/\\]", name) or not name.isprintable():
        raise PairDxError(
            "an identifier of a pair cannot be the name of a file",
            where=repr(name),
            remedy="write pair_id in the table of images without slashes, `..` and characters that "
            "cannot be printed",
        )
    return name + SUFFIXES[DRAWN_ANEW if is_drawn_anew(pair) else pair["image_format"]]


def is_drawn_anew(pair: Mapping[Hashable, Any]) -> bool:
    """Say whether a pair's image is handed on in a file of its own making.

    So it is where a person edited it, where it must be turned to be upright, and where nothing can
    be taken out of its file as it is.

    Args:
        pair: image_edit and beside_pixels (see :func:`pairdx.images.beside_pixels`).
    """
    kinds = str(pair["beside_pixels"]).split(";")
    return pair["image_edit"] != "" or not {TURNED, NOT_STRIPPABLE}.isdisjoint(kinds)


def archive_dataset(
    pairs: pd.DataFrame,
    split: pd.DataFrame,
    archives: Mapping[str, Path],
    path: str | Path,
    layout: Mapping[str, Any],
) -> None:
    """Write the dataset as a zip file, whole or not at all.

    Images are as :func:`handed_on` makes them. The table stands first, then the images in order of
    their names, not compressed (images are already) and without time stamps: the same dataset gives
    the same bytes.

    Args:
        pairs: curated/pairs.parquet.
        split: Columns pair_id and subset.
        archives: The zip file or folder of every archive that ``pairs`` names.
        path: The zip file.
        layout: As :data:`LAYOUT`: ``metadata`` (name of the table), ``images``
            (name of the folder) and ``columns``.

    Raises:
        PairDxError: As :func:`archive_table`; or an image of a curated pair cannot be read.
    """
    table = archive_table(pairs, split, layout)
    text = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    files = table[column_names(layout)["file"]].to_numpy()
    named = pairs.sort_values("pair_id").assign(entry=f"{layout['images']}/" + files)
    named = named.sort_values("entry", ignore_index=True)
    columns = ["entry", "archive", "member", "image_edit", "beside_pixels"]
    rows = named[columns].to_dict("index")
    images = progress(encoded_images(named, archives), "archiving images", total=len(named))
    with written_whole(path) as aside, ZipFile(aside, "w", ZIP_STORED) as archive:
        archive.writestr(_entry(layout["metadata"]), text.encode())
        for index, content in images:
            archive.writestr(_entry(rows[index]["entry"]), handed_on(content, rows[index]))


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, TIME_STAMP)
    entry.create_system, entry.external_attr = UNIX, READABLE_FILE
    return entry


def handed_on(content: bytes, pair: Mapping[Hashable, Any]) -> bytes:
    """Return an image as it is handed on: what a viewer shows, and nothing beside the pixels.

    Compressed pixels and colour profile stay byte for byte, and so does a file that holds nothing
    else. Where :func:`is_drawn_anew` says so, the decoded and edited picture is stored as PNG.

    Args:
        content: The image file's bytes.
        pair: archive, member, image_edit and beside_pixels.

    Raises:
        PairDxError: The image cannot be read, although it could be when the pair was curated.
    """
    if not is_drawn_anew(pair):
        stripped = strip(content)
        if stripped is None:
            raise _unreadable("its file is not built as it was", pair)
        return stripped.content
    image = decode(content)
    if isinstance(image, str):
        raise _unreadable(image, pair)
    buffer = io.BytesIO()
    apply_edit(image, pair["image_edit"]).save(buffer, DRAWN_ANEW)
    return buffer.getvalue()


def as_seen(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs whose images are to be looked at whole: not edited, ``file`` as they are named.

    An edit's boxes count from the whole image, so that this is what a reviewer must see.
    """
    whole = pairs.assign(image_edit="")
    return whole.assign(file=[file_name(pair) for pair in whole.to_dict("records")])


def copy_images(pairs: pd.DataFrame, archives: Mapping[str, Path], folder: Path) -> None:
    """Write images as :func:`handed_on` makes them, under their names.

    Args:
        pairs: archive, member, file, image_edit and beside_pixels.
        archives: The zip file or folder of every archive that ``pairs`` names.
        folder: Where to; it is made if need be.

    Raises:
        PairDxError: An image of a curated pair cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = pairs.to_dict("index")
    for index, content in encoded_images(pairs, archives):
        (folder / rows[index]["file"]).write_bytes(handed_on(content, rows[index]))


def _unreadable(reason: str, pair: Mapping[Hashable, Any]) -> PairDxError:
    return PairDxError(
        f"an image of a curated pair cannot be read ({reason})",
        where=f"{pair['archive']}: {pair['member']}",
        remedy="the archive changed since curation; run the workflow again",
    )
