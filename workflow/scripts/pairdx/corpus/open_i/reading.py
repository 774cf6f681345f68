"""The Indiana University collection as Open-I gives it out: an XML file per report, PNG images.

A report's ``MeSH`` has major terms that people gave (``Cardiomegaly/mild``) and automatic ones; the
finding is what stands before the first slash, and ``normal`` is none. Its images are named by
``parentImage``. Views are not stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

from pairdx.corpus.chest_tables import candidates_of, joined_names, require_texts
from pairdx.corpus.image_tables import require_images
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.report_texts.sections import report_text
from pairdx.stores import ImageStore, climbs_out, open_store

NOTHING, NOT_INDEXED = "normal", "no indexing"
A_REPORT = re.compile(r"(?:.*/)?(?:ecgen-radiology/)?\d+\.xml", re.IGNORECASE)
AN_IMAGE = re.compile(r"(?:.*/)?([^/]+)\.png", re.IGNORECASE)
LARGEST_REPORT = 1_000_000  # bytes


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read all reports into one row per image.

    Args:
        tables: ``reports``: the folder, or a zip file of it, with reports and images.
        settings: What the dataset's ``source`` states.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the order of the
        reports' numbers. pair_id is the image's identifier; a report is a case and a study. caption
        is "" where none of the sections has a text. malformed is ``MeSH`` where a report has no
        terms, or one that is no name.

    Raises:
        PairDxError: There are no reports or none of the images, or no report can be read.
    """
    where = tables["reports"]
    with open_store(where) as store:
        there = [name for name in store.members() if not climbs_out(name)]
        names = sorted(filter(A_REPORT.fullmatch, there), key=_number)
        if not names:
            raise _nothing(where)
        place = {match[1]: name for name in sorted(there) if (match := AN_IMAGE.fullmatch(name))}
        table = pd.DataFrame(_rows(store, names, place, settings))
        if table.empty:
            raise _nothing(where)
        if settings["sections"]:
            texts = table.groupby("study")["caption"].any()
            require_texts(int(texts.sum()), len(texts), settings["sections"], where)
        require_images(
            *(store, table["member"], where),
            place=str(where),
            remedy="unpack the images (NLMCXR_png) into the folder that `source.path` names",
        )
    settings = {**settings, "views": None}
    return candidates_of(table, settings, None)


def _rows(
    store: ImageStore, names: list[str], place: Mapping[str, str], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a row per image of all reports; the log counts those that give none."""
    rows: list[dict[str, Any]] = []
    broken, bare = [], []
    for name in names:
        small = store.size(name) <= LARGEST_REPORT
        found = _read_report(store.read(name), settings, _number(name)[0]) if small else None
        if found is None:
            broken.append(name)
            continue
        images = found.pop("images")
        if not images:
            bare.append(name)
        rows += [
            {**found, "pair_id": image, "member": place.get(image, f"{image}.png")}
            for image in images
        ]
    if broken:
        logger.warning("%d reports are no XML, such as %s", len(broken), broken[0])
    if bare:
        logger.warning("%d reports name no image, such as %s", len(bare), bare[0])
    return rows


def _number(name: str) -> tuple[int, str]:
    return int(re.sub(r"\D", "", name.rsplit("/", 1)[-1]) or 0), name


def _nothing(where: Path) -> PairDxError:
    return PairDxError(
        "there are no reports of chest X-rays with images (ecgen-radiology/1.xml and so on)",
        where=where,
        remedy="set `source.path` to the folder into which NLMCXR_reports and NLMCXR_png were "
        "unpacked",
    )


def _read_report(
    content: bytes, settings: Mapping[str, Any], otherwise: int
) -> dict[str, Any] | None:
    """Return what a report says of its images, and their names; None if it is no XML.

    Args:
        content: The file's.
        settings: What the dataset's ``source`` states.
        otherwise: What a report is called that has no identifier: the number of its file.
    """
    # It could unfold to any size. UTF-16 has a zero byte beside each letter.
    if b"<!ENTITY" in content.replace(b"\0", b""):
        return None
    try:
        root = ET.fromstring(content)  # noqa: S314 - without entities
    except (ET.ParseError, LookupError, ValueError):  # also an encoding that is none of XML's
        return None
    number = root.find(".//uId")
    stated = number.get("id", "").strip() if number is not None else ""
    report = f"report {stated or otherwise}"
    kinds = ("major",) if settings["terms"] == "major" else ("major", "automatic")
    terms = [_text(one) for kind in kinds for one in root.findall(f".//MeSH/{kind}")]
    indexed = not any(one.casefold() == NOT_INDEXED for one in terms)
    found = joined_names((one.split("/")[0] for one in terms), NOTHING) if indexed else "?"
    return {
        "patient": report,
        "study": report,
        "findings": found or "",
        "malformed": "" if terms and found is not None else "MeSH",
        "caption": _caption(root, settings),
        "images": [one.get("id", "") for one in root.findall(".//parentImage") if one.get("id")],
    }


def _caption(root: ET.Element, settings: Mapping[str, Any]) -> str:
    if not settings["sections"]:
        return ""
    parts = [
        f"{one.get('Label', '')}: {_text(one)}"
        for one in root.findall(".//AbstractText")
        if _text(one)
    ]
    return report_text("\n\n".join(parts), settings["sections"], settings["without_sections"])


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())
