"""Tiny copies of PatchCamelyon, the colorectal patches and BACH, laid out as they are given out.

Every class has a colour of its own under noise that no two images share, so that a small network
tells classes apart and no image is a near copy of another.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from pairdx.corpus.crc.description import CLASSES as CRC_CLASSES

PCAM_IMAGES = {"train": 32, "valid": 12, "test": 12}
PATCHES_PER_SLIDE = 4
BACH_LETTERS = {"Benign": "b", "InSitu": "is", "Invasive": "iv", "Normal": "n"}
# By the ranges of eva, numbers in files' names of each subset; worked out by hand.
BACH_TRAINING = range(2, 9)
BACH_VALIDATION = {"Benign": (1, 21), "InSitu": (9, 29), "Invasive": (19, 39), "Normal": (10, 30)}
BACH_TEST = range(47, 51)


def tissue(kind: int, of: int, height: int, width: int, draw: np.random.Generator) -> np.ndarray:
    """Draw an image of one of several kinds: uint8 (height, width, 3)."""
    angle = 2 * np.pi * kind / of
    colour = 150 + 60 * np.cos(angle + np.array([0, 2.1, 4.2]))
    coarse = draw.normal(0, 30, (-(-height // 8), -(-width // 8), 3))
    spots = coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    image: np.ndarray = np.clip(colour + spots + draw.normal(0, 4, spots.shape), 0, 255)
    return image.astype(np.uint8)


def write_pcam(
    folder: Path,
    images: Mapping[str, int] = PCAM_IMAGES,
    *,
    side: int = 96,
    gzipped: bool = True,
    slides: bool = True,
    seed: int = 0,
) -> Path:
    """Write the files of PatchCamelyon into a folder, and return it.

    Args:
        folder: It is made.
        images: How many of each of train, valid and test; the classes take turns.
        side: Of the patches, in pixels; 96 in the published ones.
        gzipped: As published (``.h5.gz``), or unpacked (``.h5``).
        slides: Whether the three tables of slides are there, of :data:`PATCHES_PER_SLIDE` patches
            each.
        seed: Of the noise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for subset, number in images.items():
        stem = f"camelyonpatch_level_2_split_{subset}"
        labels = np.arange(number, dtype=np.uint8) % 2
        patches = [tissue(int(label), 2, side, side, draw) for label in labels]
        write_array(folder / f"{stem}_x.h5", "x", np.stack(patches), gzipped=gzipped)
        label_array = labels.reshape(-1, 1, 1, 1)
        write_array(folder / f"{stem}_y.h5", "y", label_array, gzipped=gzipped)
        if slides:
            lines = [
                f"{row},{row},{row},{bool(label)},{bool(label)},camelyon16_{subset}_"
                f"{row // PATCHES_PER_SLIDE:03d}"
                for row, label in enumerate(labels)
            ]
            header = ",coord_y,coord_x,tumor_patch,center_tumor_patch,wsi"
            text = "\n".join([header, *lines, ""])
            (folder / f"{stem}_meta.csv").write_text(text, encoding="utf-8")
    return folder


def write_array(path: Path, name: str, array: np.ndarray, *, gzipped: bool = False) -> Path:
    """Write an array into an HDF5 file; gzipped, its name gets a further ending."""
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=array)
    if not gzipped:
        return path
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return packed


def write_crc(
    folder: Path,
    train: int = 4,
    test: int = 2,
    *,
    side: int = 64,
    zipped: bool = False,
    seed: int = 0,
) -> Path:
    """Write NCT-CRC-HE-100K and CRC-VAL-HE-7K into a folder, and return it.

    Args:
        folder: It is made.
        train: How many images each of the nine classes has in the first.
        test: The same of the second.
        side: Of the images, in pixels; 224 in the published ones.
        zipped: Leave zip files in the folders' place.
        seed: Of the noise.
    """
    draw = np.random.default_rng(seed)
    for name, number in (("NCT-CRC-HE-100K", train), ("CRC-VAL-HE-7K", test)):
        for kind, label in enumerate(CRC_CLASSES):
            for one in range(number):
                path = folder / name / label / f"{label}-{name[:3]}{one:05d}.tif"
                write_tiff(path, tissue(kind, len(CRC_CLASSES), side, side, draw))
        if zipped:
            shutil.make_archive(str(folder / name), "zip", folder, name)
            shutil.rmtree(folder / name)
    return folder


def write_bach(
    folder: Path,
    classes: Sequence[str] = tuple(BACH_LETTERS),
    *,
    height: int = 48,
    width: int = 64,
    zipped: bool = False,
    seed: int = 0,
) -> Path:
    """Write ICIAR2018_BACH_Challenge into a folder; return what a dataset names as its path.

    Each class has 13 images: 7 for training, 2 for validation, 4 for the test.

    Args:
        folder: It is made.
        classes: Which are there.
        height: Of the images, in pixels; 1536 in those given out.
        width: The same; 2048.
        zipped: Leave a zip file in the folder's place.
        seed: Of the noise.
    """
    draw, top = np.random.default_rng(seed), folder / "ICIAR2018_BACH_Challenge"
    for kind, label in enumerate(classes):
        for number in (*BACH_TRAINING, *BACH_VALIDATION[label], *BACH_TEST):
            path = top / "Photos" / label / f"{BACH_LETTERS[label]}{number:03d}.tif"
            write_tiff(path, tissue(kind, len(BACH_LETTERS), height, width, draw))
    (top / "WSI").mkdir(parents=True)
    (top / "WSI" / "A01.xml").write_text("<Annotations/>", encoding="utf-8")
    (top / "Photos" / "microscopy_ground_truth.csv").write_text("b001,Benign\n", encoding="utf-8")
    if not zipped:
        return top
    shutil.make_archive(str(top), "zip", folder, top.name)
    shutil.rmtree(top)
    return top.with_name(f"{top.name}.zip")


def write_tiff(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    """Write an image as TIFF, in another mode if one is named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path, "TIFF")
    return path
