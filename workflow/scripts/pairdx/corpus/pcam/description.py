"""What the reader of PatchCamelyon says of itself (see :mod:`pairdx.plan.descriptions`).

Names of files: the README of github.com/basveeling/pcam. Images are unpacked once, because a
gzipped file can be read from its beginning only; labels are read as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DRAWN = False
SCREENED = True
ARTICLES = False
PUBLISHED_SPLIT = True
SEVERAL = False
PATHS: tuple[str, ...] = ("path",)
TO_ASK_FOR = ""

TEXTS: Mapping[str, str] = {
    "citation": (
        "Veeling, Linmans, Winkens, Cohen, Welling. Rotation Equivariant CNNs for Digital "
        "Pathology. MICCAI 2018. https://doi.org/10.1007/978-3-030-00934-2_24 (PatchCamelyon, "
        "https://doi.org/10.5281/zenodo.2546921). Source of the slides: Ehteshami Bejnordi et al. "
        "Diagnostic Assessment of Deep Learning Algorithms for Detection of Lymph Node Metastases "
        "in Women With Breast Cancer. JAMA 2017, 318(22), 2199-2210. "
        "https://doi.org/10.1001/jama.2017.14585"
    ),
    "source": (
        "PatchCamelyon: patches of 96 x 96 pixels of stained lymph node sections, cut out of the "
        "slides of the Camelyon16 challenge at about 1 micrometre per pixel"
    ),
    "labels": (
        "A patch is labelled tumour where the outlines that Camelyon16's pathologists drew put at "
        "least one pixel of tumour into its central 32 x 32 pixels; tumour beside them does not "
        "count. Its makers chose patches so that both classes are as frequent, and by a network "
        "that found them hard."
    ),
    "caption_labels": "There are no captions.",
    "licences": "CC0 1.0, as Camelyon16.",
    "patients": (
        "Patients are counted as slides, where their tables are there (they are downloaded with "
        "the images); otherwise every patch counts as one. No slide is in two of the published "
        "subsets."
    ),
    "classes": (
        "classes are whether a patch shows metastatic tissue: systems that tell them apart are no "
        "medical devices, and classes are as frequent as in no clinic"
    ),
    "persons": "Patches of tissue: nothing in them is known to tell of a person.",
}
# Of the published split, as file names and as we call them.
SUBSETS: Mapping[str, str] = {"train": "train", "valid": "validation", "test": "test"}
KINDS: Mapping[str, str] = {"x": "images", "y": "labels"}


def file_name(subset: str, kind: str) -> str:
    """Name a file of the data set: ``x`` (images), ``y`` (labels) or ``meta`` (slides)."""
    suffix = "csv" if kind == "meta" else "h5"
    return f"camelyonpatch_level_2_split_{subset}_{kind}.{suffix}"


def lacks(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Say so of captions and persons; of slides where their tables are not there."""
    found = {
        "captions": "the data set has none",
        "ages": "the data set states none",
        "modalities": "the data set states no parts of classes",
        "caption_labels": "the data set has no captions",
        "sexes": "the data set states none",
    }
    if source["columns"]["group"] is None:
        found["groups"] = "no column is named for them (source.columns.group)"
    elif source["path"] is not None and not _slides_in(source["path"]):
        found["groups"] = (
            f"{file_name('train', 'meta')}, and those of valid and test, do not lie beside the "
            "images (source.path)"
        )
    return found


def slides(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return each subset's table of slides: downloaded, or where a folder has all three."""
    if source["columns"]["group"] is None:
        return {}
    if source["path"] is not None:
        return _slides_in(source["path"])
    return {name: f"{_downloaded(config)}/{file_name(name, 'meta')}" for name in SUBSETS}


def archives(source: Mapping[str, Any]) -> list[str]:
    """Name the subsets: each has a file of images."""
    return list(SUBSETS)


def store(source: Mapping[str, Any], config: Mapping[str, Any], archive: str) -> str:
    """Say where a subset's unpacked images lie, or will lie."""
    file = file_name(archive, "x")
    stated = _as_stated(source, config, file)
    return f"{_unpacked_folder(source, config)}/{file}" if stated.endswith(".gz") else stated


def tables(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return each subset's images, labels and, unless a folder lacks them, slides."""
    found = {}
    for name in SUBSETS:
        found[f"{name}_images"] = store(source, config, name)
        found[f"{name}_labels"] = _as_stated(source, config, file_name(name, "y"))
    return found | {f"{name}_slides": path for name, path in slides(source, config).items()}


def unpacked(source: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return the gzipped file of those images that are unpacked, by where they will lie."""
    stated = {name: _as_stated(source, config, file_name(name, "x")) for name in SUBSETS}
    return {
        store(source, config, name): path for name, path in stated.items() if path.endswith(".gz")
    }


def settings(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all but the path: the column of slides, the licence."""
    return {key: value for key, value in source.items() if key != "path"}


def record(source: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Name the Zenodo record that is downloaded, unless the files lie on disk already."""
    return None if source["path"] else str(config["downloads"]["pcam"]["record"])


def from_outside(
    name: str, source: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, list[str]]:
    """List the files of images, labels and slides, gzipped or not."""
    files = [file_name(subset, kind) for subset in SUBSETS for kind in KINDS]
    key = f"datasets.{name}.source.path" if source["path"] else "downloads.pcam"
    stated = [_as_stated(source, config, file) for file in files]
    return {key: [*stated, *slides(source, config).values()]}


def problems(key: str, source: Mapping[str, Any]) -> Iterator[str]:
    """Say nothing: there is no more to the source than its schema says."""
    yield from ()


def _slides_in(folder: str) -> dict[str, str]:
    found = {name: f"{_folder(folder)}/{file_name(name, 'meta')}" for name in SUBSETS}
    return found if all(Path(path).is_file() for path in found.values()) else {}


def _as_stated(source: Mapping[str, Any], config: Mapping[str, Any], file: str) -> str:
    """Return the path of a file: as it is or, where only that is there, gzipped."""
    if source["path"] is None:
        return f"{_downloaded(config)}/{file}.gz"
    path = f"{_folder(source['path'])}/{file}"
    gzipped = f"{path}.gz"
    return gzipped if Path(gzipped).is_file() and not Path(path).is_file() else path


def _downloaded(config: Mapping[str, Any]) -> str:
    return f"<resources>/pcam/{config['downloads']['pcam']['record']}"


def _unpacked_folder(source: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return where images are unpacked: of a folder of the user's, one that its path names."""
    if source["path"] is None:
        return _downloaded(config)
    digest = hashlib.sha256(_folder(source["path"]).encode()).hexdigest()[:12]
    return f"<resources>/pcam/of_{digest}"


def _folder(path: str) -> str:
    return path.rstrip("/")
