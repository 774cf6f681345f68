"""What the reader of MIMIC-CXR-JPG says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.corpus.chest_sources import (
    CLASSES,
    ONE_PATIENT,
    PERSONS,
    archives,
    either,
    files_outside,
    lacking,
    problems,
    record,
    settings,
    store,
    unpacked,
)

__all__ = ["archives", "problems", "record", "settings", "store", "unpacked"]

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = True
PATHS: tuple[str, ...] = ("path",)
FURTHER_PATHS: tuple[str, ...] = ("reports",)
TO_ASK_FOR = (
    "MIMIC-CXR-JPG and the reports of MIMIC-CXR are given out by PhysioNet to who has a "
    "credentialed account, a course on research with people, and has signed its agreement; name "
    "the folder that holds files and the tables"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Johnson, Pollard, Greenbaum, Lungren, Deng, Peng, Lu, Mark, Berkowitz, Horng. "
        "MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs. "
        "arXiv:1901.07042, 2019. https://doi.org/10.13026/jsn5-t979. Johnson et al. MIMIC-CXR, a "
        "de-identified publicly available database of chest radiographs with free-text reports. "
        "Scientific Data 2019, 6, 317. https://doi.org/10.1038/s41597-019-0322-0"
    ),
    "source": (
        "MIMIC-CXR-JPG: chest X-rays of the Beth Israel Deaconess Medical Center in Boston, with "
        "the reports of MIMIC-CXR"
    ),
    "labels": "A program (CheXpert's or NegBio's labeller) read the findings out of the reports.",
    "caption_labels": "Findings themselves are derived from the reports.",
    "licences": "PhysioNet Credentialed Health Data License 1.5.0: nothing may be handed on.",
    "patients": ONE_PATIENT,
    "classes": CLASSES,
    "persons": f"{PERSONS}; reports have blanks where something told of a person.",
}
# As the tables spell them, in their order.
FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum"),
    *("Fracture", "Lung Lesion", "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other"),
    *("Pneumonia", "Pneumothorax", "Support Devices"),
)


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Ages and sexes stand in other tables of MIMIC; reports are read where sections are named."""
    unread = {} if source["sections"] else {"captions": "no sections are named (source.sections)"}
    return lacking(
        ages="they stand in other data of MIMIC",
        sexes="they stand in other data of MIMIC",
        **unread,
    )


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of images, subsets and labels, the reports, and the folder of images."""
    folder = str(source["path"]).rstrip("/")
    found = {
        "metadata": either(folder, "mimic-cxr-2.0.0-metadata.csv"),
        "split": either(folder, "mimic-cxr-2.0.0-split.csv"),
        "labels": either(folder, f"mimic-cxr-2.0.0-{source['labeller']}.csv"),
        "images": folder,
    }
    if source["sections"]:
        unpacked_to = f"{folder}/mimic-cxr-reports"
        beside = unpacked_to if Path(unpacked_to).is_dir() else f"{unpacked_to}.zip"
        found["reports"] = source["reports"] or beside
    return found


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read; reports by their own key, where that is stated."""
    of_reports = "reports" if source["reports"] else None
    return files_outside(name, source, tables(source, config), reports=of_reports)
