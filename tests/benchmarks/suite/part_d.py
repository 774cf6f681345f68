"""What curation's look at images and packing cost beside bare decoding of the same files."""

from __future__ import annotations

import io
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.suite.image_files import drawn_files, image_files
from benchmarks.suite.measure import Spread, interleaved, ratio_with_spread
from benchmarks.suite.part import REPOSITORY, Aim, Part, Settings, Table
from pairdx.curation.archives import inspect_archive, perceptual_hash
from pairdx.images import decode, grey_level_spread
from pairdx.packing import encoded_images, pack_images
from pairdx.plan.configuration import complete, defaults
from pairdx.squaring import fit_to_square

FILES, IMAGE_SIZE = 96, 224
ROUNDS, MOST_SECONDS = 9, 80.0
TIMES_DECODING, TIMES_THE_MEMORY = 1.5, 1.1
FEW, MANY = 400, 4000  # files, whose memory is compared
SMALL_SIDE, SMALL_PACKED = 96, 32  # pixels: of these files, and packed
SAMPLED = 0.01  # seconds
ARCHIVE = "PMC1"
DECODING, CURATION, PACKING = "bare decoding (Pillow)", "curation's look at images", "packing"


def measure(settings: Settings) -> Part:
    """Measure on one thread, and the memory in processes of their own."""
    contents, kind = image_files(settings.real_data, 16 if settings.small else FILES)
    with tempfile.TemporaryDirectory() as folder:
        archive, pairs = write_archive(contents, Path(folder))
        work = _ways(contents, archive, pairs, Path(folder))
        rounds = 3 if settings.small else ROUNDS
        seconds = interleaved(work | _parts(contents), rounds, at_most_seconds=MOST_SECONDS)
    each = {name: found / len(contents) for name, found in seconds.items()}
    counts = (20, 60) if settings.small else (FEW, MANY)
    peaks = {count: peak_memory(count) for count in counts}
    return Part(
        question="How much longer do curation's look at images and packing take than decoding the "
        "same files, and does their memory grow with the files?",
        tables=[
            Table("Per image, on one core", [_row(name, each[name], each) for name in each]),
            Table(
                "Largest memory of a process that looks at files and packs them",
                [{"files": count, "MB": f"{peak:.0f}"} for count, peak in peaks.items()],
            ),
        ],
        aims=[*_aims(each), _aim_of_memory(peaks)],
        conditions={
            "files": kind,
            "packed side in pixels": IMAGE_SIZE,
            "files whose memory is compared": f"drawn, {SMALL_SIDE} pixels",
            "threads": 1,
            **{name: version(name) for name in ("pillow", "imagehash", "numpy", "pandas")},
        },
        notes=[
            "Curation reads an archive, checks and decodes each file, and takes its SHA-256, what "
            "it holds beside pixels, the spread of its grey levels and a perceptual hash.",
            "Packing reads, compares checksums, decodes, squares, writes, and seals what it wrote.",
            "Memory is what a process holds besides files that it maps (RssAnon), every "
            f"{1000 * SAMPLED:.0f} ms.",
        ],
    )


def write_archive(contents: Sequence[bytes], folder: Path) -> tuple[Path, pd.DataFrame]:
    """Write files into a zip file; return it, and pairs that name them."""
    path = folder / f"{ARCHIVE}.zip"
    names = [f"{number}.webp" for number in range(len(contents))]
    with ZipFile(path, "w") as archive:
        for name, content in zip(names, contents, strict=True):
            archive.writestr(name, content)
    pairs = pd.DataFrame({"row": range(len(names)), "pair_id": names, "member": names})
    return path, pairs.assign(archive=ARCHIVE, image_edit="")


def image_settings() -> Mapping[str, Any]:
    """Return what the configuration says of curation's look at images."""
    found: dict[str, Any] = complete(defaults(REPOSITORY), {})["datasets"]["multicare"]
    return dict(found["curation"]["images"])


def _ways(
    contents: Sequence[bytes], archive: Path, pairs: pd.DataFrame, folder: Path
) -> dict[str, Callable[[], object]]:
    images = image_settings()
    sums = inspect_archive(pairs, archive, images)[["row", "sha256"]]
    curated = pairs.merge(sums, on="row")
    packed = partial(pack_images, curated, {ARCHIVE: archive}, folder / "images.npy")
    return {
        DECODING: lambda: [_bare(content) for content in contents],
        CURATION: lambda: inspect_archive(pairs, archive, images),
        PACKING: lambda: packed(size=IMAGE_SIZE),
        "of both: reading and SHA-256": lambda: list(encoded_images(curated, {ARCHIVE: archive})),
    }


def _parts(contents: Sequence[bytes]) -> dict[str, Callable[[], object]]:
    """What the two do besides decoding, apart."""
    images = [image for image in map(decode, contents) if isinstance(image, Image.Image)]
    grey = [image.convert("L") for image in images]
    return {
        "of both: the library's decoding": lambda: list(map(decode, contents)),
        "of curation: grey levels": lambda: [one.convert("L") for one in images],
        "of curation: their spread": lambda: list(map(grey_level_spread, grey)),
        "of curation: perceptual hash": lambda: list(map(perceptual_hash, grey)),
        "of packing: squares": lambda: [fit_to_square(one, IMAGE_SIZE) for one in images],
    }


def _bare(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def _row(name: str, seconds: np.ndarray, each: Mapping[str, np.ndarray]) -> dict[str, object]:
    return {
        "what": name,
        "image_seconds": float(np.median(seconds)),
        "times bare decoding": str(ratio_with_spread(seconds, each[DECODING])),
    }


def _aims(each: Mapping[str, np.ndarray]) -> list[Aim]:
    both = each[CURATION] + each[PACKING]
    compared = {
        f"{CURATION}, to {DECODING}": (each[CURATION], each[DECODING]),
        f"{PACKING}, to {DECODING}": (each[PACKING], each[DECODING]),
        "both, to decoding twice": (both, 2 * each[DECODING]),
    }
    return [
        Aim(what, "at most", TIMES_DECODING, ratio_with_spread(one, other), why=_why(each))
        for what, (one, other) in compared.items()
    ]


def _why(each: Mapping[str, np.ndarray]) -> str:
    """Say what is done besides decoding, in parts of bare decoding."""
    beside = {name: float(np.median(seconds / each[DECODING])) for name, seconds in each.items()}
    squares = beside["of packing: squares"]
    rest = beside[PACKING] - beside["of both: the library's decoding"] - squares
    looks = sum(share for name, share in beside.items() if name.startswith("of curation"))
    return (
        f"In parts of bare decoding: Pillow's bicubic resizing takes {squares:.2f} of packing, "
        f"reading, checksums and writing {rest:.2f}; grey levels, their spread and the perceptual "
        f"hash take {looks:.2f} of curation."
    )


def _aim_of_memory(peaks: Mapping[int, float]) -> Aim:
    (few, low), (many, high) = peaks.items()
    ratio = high / low
    return Aim(
        f"memory for {many:,} files, to that for {few:,}",
        "at most",
        TIMES_THE_MEMORY,
        Spread(ratio, ratio, ratio),
        why=f"It grew by {high - low:.0f} MB, {1000 * (high - low) / (many - few):.1f} kB per "
        "file: its entry in the archive's directory, and its rows in the tables.",
    )


def peak_memory(count: int) -> float:
    """Look at so many small files and pack them in a process of its own: its largest memory, MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_here, (count,))


def _peak_here(count: int) -> float:
    few = drawn_files(8, widths=(SMALL_SIDE, SMALL_SIDE + 1))
    contents = [few[number % len(few)] for number in range(count)]
    done = Event()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        archive, pairs = write_archive(contents, Path(folder))
        del contents
        sampled = pool.submit(_largest, done)
        try:
            inspect_archive(pairs, archive, image_settings())
            packed = Path(folder, "images.npy")
            pack_images(pairs, {ARCHIVE: archive}, packed, size=SMALL_PACKED)
        finally:
            done.set()
        return sampled.result()


def _largest(done: Event) -> float:
    """Return the largest anonymous memory of this process until it is done, in MB."""
    largest = 0
    while not done.is_set():
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        stated = next(line for line in lines if line.startswith("RssAnon:"))
        largest = max(largest, int(stated.split()[1]))
        time.sleep(SAMPLED)
    return largest / 1024
