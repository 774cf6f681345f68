"""The screens that need the image: is it there, can it be read, is there anything on it?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import imagehash
import pandas as pd
from PIL import Image

from pairdx.curation.outcomes import KEEP
from pairdx.errors import PairDxError
from pairdx.image_containers import format_of
from pairdx.images import beside_pixels, decode, grey_level_spread
from pairdx.logs import logger, progress
from pairdx.stores import (
    NAMES_IN_MESSAGES,
    DamagedMemberError,
    ImageStore,
    LeadsOutError,
    climbs_out,
    file_of,
    meaning_of,
    open_store,
)

HASH_SIZE = 16  # 16 x 16 = 256 bits: with 64, discs and charts of one layout fall together
LARGEST_FILE_BYTES = 200_000_000
MANY = 20  # images, of which not all go missing one by one
# Of an image: what is known of the bytes alone, then what is known of the decoded picture.
FACTS = ["sha256", "image_format", "beside_pixels", "perceptual_hash", "width", "height"]


def inspect_archive(
    candidates: pd.DataFrame, path: Path, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Read every candidate's image out of one archive, without unpacking it to disk.

    The log says how many members no candidate names, and how many have names that lead out of the
    archive, which both are ignored; how many were found under other spellings of their names; and
    how many are missing though a member of the same base name is there.

    Args:
        candidates: Columns row and member, all of one archive.
        path: What :func:`pairdx.stores.open_store` opens.
        settings: The config's ``curation.images`` section.

    Returns:
        One row per candidate, in its order: row, sha256 (of the file), image_format (JPEG, PNG,
        WEBP, TIFF or BMP, by its first bytes), beside_pixels (see
        :func:`pairdx.images.beside_pixels`), perceptual_hash (64 hexadecimal digits), width and
        height (pixels, upright), stage, reason and detail ("" for a sound image).

    Raises:
        PairDxError: The archive is missing or cannot be opened as a whole, or holds none of many
            candidates' images.
    """
    columns = [*FACTS, "stage", "reason", "detail"]
    with open_store(path) as store:
        _log_names(store, path, candidates["member"].astype(str).map(file_of).tolist())
        members = progress(candidates["member"], f"reading {path.name}", total=len(candidates))
        facts = [_inspect(store, str(member), settings) for member in members]
    table = pd.DataFrame(facts, columns=columns)
    table.insert(0, "row", candidates["row"].to_numpy())
    return table.astype({"width": "Int64", "height": "Int64"})


def _log_names(store: ImageStore, path: Path, wanted: Sequence[str]) -> None:
    """Say which members are ignored, and which were found under other spellings of their names.

    Raises:
        PairDxError: Not one of many wanted members is there: this is no matter of single images.
    """
    names = {member: _found(store, member) for member in wanted}
    found = {member: name for member, name in names.items() if name}
    members = store.members()
    unsafe = sum(map(climbs_out, members))
    named = set(found.values())
    unnamed = sum(member not in named and not climbs_out(member) for member in members)
    logger.info(
        "%s: %d members are ignored because no candidate names them, and %d because their names "
        "lead out of the archive (an absolute path, or `..`); they are never extracted",
        path.name,
        unnamed,
        unsafe,
    )
    missing = [member for member, name in names.items() if name is None]
    _log_moved(path, missing, [name for name in members if name not in named])
    if not found and len(wanted) >= MANY:
        raise PairDxError(
            f"none of the {len(wanted)} images that should be in this archive is there; the first "
            f"should be {wanted[0]}, but the archive begins with "
            f"{', '.join(members[:NAMES_IN_MESSAGES]) or 'nothing'}",
            where=path,
            remedy="put the archive that the table of images belongs to in its place, or pack it "
            "again with these paths",
        )
    spelled = {member: name for member, name in found.items() if member != name}
    if spelled:
        member, name = next(iter(spelled.items()))
        logger.warning(
            "%s: %d images were found under other spellings of their names, such as %s for %s",
            path.name,
            len(spelled),
            name,
            member,
        )


def _log_moved(path: Path, missing: Sequence[str], unnamed: Sequence[str]) -> None:
    """Say of how many missing images a file of that name lies in other folders, and name one."""
    there = {meaning_of(name).rpartition("/")[2]: name for name in unnamed if not climbs_out(name)}
    # A member that is listed, and is no file, is where it should be.
    elsewhere = set(missing).difference(unnamed)
    moved = {one: meaning_of(one).rpartition("/")[2] for one in missing if one in elsewhere}
    moved = {member: there[base] for member, base in moved.items() if base in there}
    if moved:
        member, name = next(iter(moved.items()))
        logger.warning(
            "%s: %d of %d missing images may lie in other folders of the archive than they should, "
            "such as %s for %s; only one folder around all of them is looked into",
            *(path.name, len(moved), len(missing), name, member),
        )


def _found(store: ImageStore, member: str) -> str | None:
    """Return the name of a member in the store; None if it is missing, "" if it may be several."""
    try:
        return store.find(member)
    except KeyError:
        return None
    except DamagedMemberError:
        return ""


def _inspect(store: ImageStore, member: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a candidate's facts, as far as they are known, and why it is rejected."""
    facts: dict[str, Any] = dict.fromkeys(FACTS[:4], "") | dict.fromkeys(FACTS[4:])
    try:
        content = _read(store, member)
    except LeadsOutError:
        return facts | _rejection("archive", "link_out_of_folder", file_of(member))
    if content is None:
        return facts | _rejection("archive", "missing_from_archive", file_of(member))
    if isinstance(content, str):
        return facts | _rejection("image", "unreadable", content)
    facts |= {"sha256": hashlib.sha256(content).hexdigest(), "image_format": format_of(content)}
    image = decode(content)
    if isinstance(image, str):
        return facts | _rejection("image", image.reason, str(image))
    facts |= {"width": image.width, "height": image.height}
    facts["beside_pixels"] = beside_pixels(content)
    grey = image.convert("L")  # both look at grey levels alone
    reason, detail = _image_problem(grey, settings)
    if reason != KEEP:
        return facts | _rejection("image", reason, detail)
    return facts | {"perceptual_hash": perceptual_hash(grey)} | _rejection("", KEEP, "")


def _rejection(stage: str, reason: str, detail: str) -> dict[str, str]:
    return {"stage": stage, "reason": reason, "detail": detail}


def _read(store: ImageStore, member: str) -> bytes | str | None:
    """Return a member's bytes, None where it is missing, or a sentence where it is damaged.

    Raises:
        LeadsOutError: It is a link out of the folder.
    """
    try:
        if store.size(member) > LARGEST_FILE_BYTES:
            return f"larger than {LARGEST_FILE_BYTES:,} bytes"
        return store.read(member)
    except LeadsOutError:
        raise
    except KeyError:
        return None
    except DamagedMemberError as error:
        return str(error)


def _image_problem(image: Image.Image, settings: Mapping[str, Any]) -> tuple[str, str]:
    short, long = sorted(image.size)
    shape = f"{image.width} x {image.height} pixels"
    if short < settings["min_side_pixels"]:
        return "too_small", shape
    if long / short > settings["max_aspect_ratio"]:
        return "extreme_shape", shape
    spread = grey_level_spread(image)
    if spread < settings["min_grey_level_spread"]:
        return "near_uniform", f"standard deviation of the grey levels {spread:.2f}"
    return KEEP, ""


def perceptual_hash(image: Image.Image) -> str:
    """Return the 256-bit DCT hash of an image as 64 hexadecimal digits (imagehash's ``phash``)."""
    return str(imagehash.phash(image, hash_size=HASH_SIZE))
