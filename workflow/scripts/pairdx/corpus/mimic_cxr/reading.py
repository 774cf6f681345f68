"""MIMIC-CXR-JPG as given out: three tables, JPEG images by patient and study, and reports.

The image of a row lies in ``files/p10/p10000032/s50414267/DICOM.jpg``, its report in
``files/p10/p10000032/s50414267.txt``; folders of patients lie in those of their first two digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.chest_tables import (
    called,
    candidates_of,
    of_subsets,
    one_row_each,
    read_official,
    require_texts,
    stated_findings,
)
from pairdx.corpus.image_tables import require_images
from pairdx.corpus.mimic_cxr.description import FINDINGS
from pairdx.errors import PairDxError
from pairdx.logs import logger, progress
from pairdx.report_texts.sections import report_text
from pairdx.stores import DamagedMemberError, open_store

SUBSETS = {"train": "train", "validate": "validation", "test": "test"}
STUDY = ["subject_id", "study_id"]
# What bytes that are no UTF-8, or text in UTF-16, look like.
NO_TEXT = ("\ufffd", "\0")
WHERE_REPORTS_ARE = (
    "set `source.reports` to the zip file or folder of MIMIC-CXR's reports that holds `files`, or "
    "`source.sections` to null, which reads none"
)


def read(tables: Mapping[str, Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Join the tables into one row per image.

    Args:
        tables: ``metadata``, ``split`` and ``labels`` (CSV, gzipped or not), ``images`` (the
            folder) and, where sections are named, ``reports`` (a zip file or folder).
        settings: What the dataset's ``source`` states.

    Returns:
        The columns of :func:`pairdx.corpus.chest_tables.candidates_of`, in the order of the table
        of images. pair_id is the image's DICOM identifier. Of a study without a row of labels
        nothing is known. caption is "" where there is no report or none of the sections.

    Raises:
        PairDxError: A file is missing, damaged or lacks a column, a study or image is stated
            twice, or none of the images or reports is there.
    """
    columns = ["dicom_id", *STUDY, "ViewPosition"]
    images = read_official(tables["metadata"], "the table of images", columns)[columns]
    split = read_official(tables["split"], "the table of subsets", ["dicom_id", "split"])
    split = one_row_each(split, ["dicom_id"], tables["split"])
    official = images["dicom_id"].map(split.set_index("dicom_id")["split"]).fillna("")
    images = of_subsets(images, official, settings["subsets"], tables["split"])
    images = images.assign(subset=official[images.index].map(SUBSETS).fillna(""))
    images = images.reset_index(drop=True)
    found = _findings(images, tables["labels"], settings)
    folder = _folders(images)
    candidates = candidates_of(
        pd.DataFrame(
            {
                "pair_id": images["dicom_id"],
                "member": folder + "/" + images["dicom_id"] + ".jpg",
                "patient": called("patient", images["subject_id"]),
                "study": called("study", images["study_id"]),
                "view": images["ViewPosition"],
                "subset": images["subset"],
                "findings": found["findings"],
                "malformed": found["malformed"],
            }
        ),
        settings,
        FINDINGS,
    )
    with open_store(tables["images"]) as store:
        require_images(
            *(store, candidates["member"], tables["metadata"]),
            place=str(tables["images"]),
            remedy="set `source.path` to the folder that holds `files`, with the images as they "
            "were given out",
        )
    if settings["sections"]:
        stays = candidates["left_out"] == ""
        texts = _captions(folder[stays], tables["reports"], settings)
        candidates["caption"] = folder.where(stays, "").map(texts).fillna("")
    return candidates


def _folders(images: pd.DataFrame) -> pd.Series:
    patients = images["subject_id"]
    return "files/p" + patients.str[:2] + "/p" + patients + "/s" + images["study_id"]


def _findings(images: pd.DataFrame, path: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return findings and malformed of every image: those of its study."""
    labels = read_official(path, "the table of labels", [*STUDY, *FINDINGS])
    labels = one_row_each(labels, STUDY, path)
    keys = {key: settings[key] for key in ("uncertain", "blank")}
    stated = labels[STUDY].join(stated_findings(labels, FINDINGS, **keys))
    found = images[STUDY].merge(stated, on=STUDY, how="left")
    unlabelled = int(found["findings"].isna().sum())
    if unlabelled == len(found):
        raise PairDxError(
            f"not one of {len(found)} images is of a study with labels; the first is of "
            f"{' '.join(images[STUDY].iloc[0])}, and the first with labels is "
            f"{' '.join(labels[STUDY].iloc[0])}",
            where=path,
            remedy="put the table there as it was given out, from the same release",
        )
    if unlabelled:
        logger.warning("of %d images nothing is known: their studies have no labels", unlabelled)
    return found.fillna({"findings": "?", "malformed": ""})


def _captions(folders: pd.Series, reports: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the wanted sections of the report of each study, by the study's folder."""
    sections: Sequence[str] = settings["sections"]
    studies = list(dict.fromkeys(folders))
    captions, missing, garbled = {}, [], []
    if not reports.exists():
        raise PairDxError("there are no reports", where=reports, remedy=WHERE_REPORTS_ARE)
    with open_store(reports) as store:
        for folder in progress(studies, "reading reports", total=len(studies)):
            try:
                text = store.read(f"{folder}.txt").decode("utf-8", "replace")
            except (KeyError, DamagedMemberError):
                missing.append(folder)
                continue
            if any(sign in text for sign in NO_TEXT):
                garbled.append(folder)
                continue
            captions[folder] = report_text(text, sections, settings["without_sections"])
    _tell_of_others(missing, garbled, len(captions), reports)
    empty = sum(not text for text in captions.values())
    require_texts(len(captions) - empty, len(captions), sections, reports)
    logger.info("of %d reports %d have no text in the sections %s", len(captions), empty, sections)
    return captions


def _tell_of_others(missing: list[str], garbled: list[str], read: int, reports: Path) -> None:
    """Say which reports are not there or no text, and stop where none is left."""
    if missing:
        logger.warning("%d studies have no report, such as %s.txt", len(missing), missing[0])
    if garbled:
        logger.warning(
            "%d reports are no text in UTF-8, and count as none, such as %s.txt",
            *(len(garbled), garbled[0]),
        )
    if garbled and not read:
        raise PairDxError(
            f"not one of {len(missing) + len(garbled)} reports is text in UTF-8",
            where=f"{reports}, such as {garbled[0]}.txt",
            remedy="put the reports there as they were given out",
        )
    if missing and not read:
        raise PairDxError(
            f"not one of {len(missing)} reports is there; the first should be {missing[0]}.txt",
            where=reports,
            remedy=WHERE_REPORTS_ARE,
        )
