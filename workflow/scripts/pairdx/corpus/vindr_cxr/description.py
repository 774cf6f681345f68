"""What the reader of VinDr-CXR says of itself (see :mod:`pairdx.plan.descriptions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairdx.corpus.chest_sources import (
    CLASSES,
    PERSONS,
    archives,
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
TO_ASK_FOR = (
    "VinDr-CXR is given out by PhysioNet to who has a credentialed account and has signed its "
    "agreement; name the folder that holds annotations, train and test, and put PNG or JPEG copies "
    "beside the DICOM images"
)
TEXTS: Mapping[str, str] = {
    "citation": (
        "Nguyen et al. VinDr-CXR: An open dataset of chest X-rays with radiologist's annotations. "
        "Scientific Data 2022, 9, 429. https://doi.org/10.1038/s41597-022-01498-w"
    ),
    "source": "VinDr-CXR: frontal chest X-rays of two hospitals in Vietnam",
    "labels": (
        "Three radiologists labelled each training image; the labels of test images are those that "
        "five of them agreed on."
    ),
    "caption_labels": "There are no captions.",
    "licences": "PhysioNet Credentialed Health Data License 1.5.0: nothing may be handed on.",
    "patients": "No patients are stated: every image counts as one.",
    "classes": CLASSES,
    "persons": f"{PERSONS}.",
}
# As the tables spell them; that of the test says "Other disease". "No finding" is none of them.
FINDINGS = (
    *("Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture"),
    *("Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity"),
    *("Lung cavity", "Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion"),
    *("Pleural thickening", "Pneumothorax", "Pulmonary fibrosis", "Rib fracture", "Other lesion"),
    *("COPD", "Lung tumor", "Pneumonia", "Tuberculosis", "Other diseases"),
)


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Say so of all but images and their findings."""
    return lacking(
        captions="the data set has none",
        ages="the tables state none",
        sexes="the tables state none",
        groups="the data set names no patients",
    )


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of each subset that is read, and the folder of images."""
    folder = str(source["path"]).rstrip("/")
    stated = {name: f"{folder}/annotations/image_labels_{name}.csv" for name in source["subsets"]}
    return {**stated, "images": folder}


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List what is read."""
    return files_outside(name, source, tables(source, config))
