"""Loading: batches from packed images, by Pillow and a DataLoader, and a plain copy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.data_path import DecodedAnew
from benchmarks.suite.image_files import image_files
from benchmarks.suite.measure import interleaved, ratio_with_spread, spread
from benchmarks.suite.part import Aim, Part, Settings, Table
from pairdx.errors import PairDxError
from pairdx.image_rows import ImageRows
from pairdx.images import decode
from pairdx.packed_images import open_packed, packed_file
from pairdx.squaring import fit_to_square
from pairdx.training.batches import BatchSource, Examples

IMAGE_SIZE, BATCH = 224, 32
DECODED_PER_TURN = 64
FILES, ROWS = 128, 1024  # different files, and rows of the packed file
ROUNDS, MOST_SECONDS = 15, 75.0
TIMES_THE_USUAL, TIMES_A_COPY = 30.0, 2.0
USUAL = "Pillow + DataLoader, float32"
OURS = "packed rows by BatchSource, float32"
FLOATS = "plain copy of the float32 batches"
GATHERED = "packed rows gathered, uint8"
BYTES = "plain copy of the same rows, uint8"


@dataclass(frozen=True)
class Loading:
    """Images as files and packed.

    Attributes:
        paths: The files.
        rows: The packed rows, in the page cache.
    """

    paths: list[Path]
    rows: ImageRows

    @cached_property
    def source(self) -> BatchSource:
        """What training reads, on the CPU."""
        count = len(self.rows)
        nothing = np.zeros((count, 0), dtype=np.int64)
        examples = Examples(self.rows, np.zeros(count, dtype=np.int64), nothing)
        return BatchSource(examples, torch.device("cpu"), channels_last=True)

    @cached_property
    def orders(self) -> list[np.ndarray]:
        """The rows of an epoch's batches, at random."""
        order = np.random.default_rng(1).permutation(len(self.rows))
        return np.split(order, len(order) // BATCH)

    @cached_property
    def pixels(self) -> np.ndarray:
        """The rows as they lie: uint8 (N, S, S, 3)."""
        return self.rows[:]

    @cached_property
    def floats(self) -> Tensor:
        """A batch as a step reads it."""
        return next(iter(self.source.batches(self.orders[:1]))).images

    def usual(self) -> None:
        """Decode, cut and convert files sample by sample, in this process."""
        paths = self.paths[:DECODED_PER_TURN]
        for _ in DataLoader(DecodedAnew(paths, IMAGE_SIZE, None), BATCH, shuffle=True):
            pass

    def ours(self) -> None:
        """Draw an epoch's batches."""
        for _ in self.source.batches(self.orders):
            pass

    def gathered(self) -> None:
        """Gather the rows of an epoch's batches."""
        for rows in self.orders:
            self.rows[rows]

    def copied(self) -> None:
        """Copy the same rows one by one, each batch into new memory."""
        for rows in self.orders:
            batch = np.empty((BATCH, *self.pixels.shape[1:]), dtype=np.uint8)
            for place, row in enumerate(rows):
                batch[place] = self.pixels[row]

    def cloned(self) -> None:
        """Copy as many float32 batches as an epoch has, each into new memory, as ours are."""
        for _ in self.orders:
            self.floats.clone()


def measure(settings: Settings) -> Part:
    """Measure all ways on one thread: figures are per core."""
    torch.set_num_threads(1)
    contents, kind = image_files(settings.real_data, 16 if settings.small else FILES)
    with tempfile.TemporaryDirectory() as folder:
        loading = written(contents, Path(folder), 2 * BATCH if settings.small else ROWS)
        count = len(loading.rows)
        ways: dict[str, tuple[Callable[[], None], int]] = {
            USUAL: (loading.usual, min(DECODED_PER_TURN, len(loading.paths))),
            OURS: (loading.ours, count),
            FLOATS: (loading.cloned, count),
            GATHERED: (loading.gathered, count),
            BYTES: (loading.copied, count),
        }
        rounds = 3 if settings.small else ROUNDS
        calls = {name: way for name, (way, _) in ways.items()}
        seconds = interleaved(calls, rounds, at_most_seconds=MOST_SECONDS)
    each = {name: seconds[name] / number for name, (_, number) in ways.items()}
    return Part(
        question="How many images per second does one core bring to a training step, without a "
        "model and without augmentation?",
        tables=[Table("Images per second and core", [_row(name, each[name]) for name in each])],
        aims=_aims(each),
        conditions={
            "files": kind,
            "rows of the packed file": count,
            "image side in pixels": IMAGE_SIZE,
            "batch size": BATCH,
            "threads": 1,
            **{name: version(name) for name in ("torch", "torchvision", "pillow", "numpy")},
        },
        notes=[
            "Loading ends where a step begins, at a float32 batch in [0, 1]; rows are drawn at "
            "random from the page cache.",
            "On a GPU rows stay uint8 until they are there, and loading is the gathering alone.",
            "Copies go into new memory for each batch, as ours do, because a step may keep its "
            "batch: that the kernel clears it first is part of both.",
        ],
    )


def written(contents: list[bytes], folder: Path, count: int) -> Loading:
    """Write files, and pack them, repeated up to so many rows."""
    paths, squares = [], []
    for number, content in enumerate(contents):
        paths.append(folder / f"{number}.webp")
        paths[-1].write_bytes(content)
        image = decode(content)
        if isinstance(image, str):
            raise PairDxError(f"a file chosen for timing cannot be read: {image}")
        squares.append(fit_to_square(image, IMAGE_SIZE))
    names, packed = [str(row) for row in range(count)], folder / "images.npy"
    with packed_file(packed, names, IMAGE_SIZE) as pixels:
        for row in range(count):
            pixels[row] = squares[row % len(squares)]
    return Loading(paths, open_packed(packed).of_pairs(names))


def _row(name: str, seconds: np.ndarray) -> dict[str, object]:
    rate = spread(1 / seconds)
    return {
        "way": name,
        "images per second": f"{rate.median:,.0f}",
        "10th to 90th percentile": f"{rate.low:,.0f} to {rate.high:,.0f}",
        "microseconds per image": f"{1e6 * float(np.median(seconds)):,.0f}",
    }


def _aims(each: dict[str, np.ndarray]) -> list[Aim]:
    """Compare, and say where the time goes."""
    micro = {name: 1e6 * float(np.median(seconds)) for name, seconds in each.items()}
    conversion = (
        f"Of {micro[OURS]:.0f} µs per image gathering takes {micro[GATHERED]:.0f}, and writing "
        f"float32, four times the bytes, into new memory takes {micro[FLOATS]:.0f} even as a plain "
        "copy; the rest is the conversion and the division by 255, which pass over them again."
    )
    return [
        Aim(
            "images per second, as often as by Pillow + DataLoader",
            "at least",
            TIMES_THE_USUAL,
            ratio_with_spread(each[USUAL], each[OURS]),
            why=conversion,
        ),
        Aim(
            "gathering packed rows, to a plain copy of the same bytes",
            "at most",
            TIMES_A_COPY,
            ratio_with_spread(each[GATHERED], each[BYTES]),
            why=f"NumPy's look-up of rows takes {micro[GATHERED]:.0f} µs per image, copying them "
            f"one by one {micro[BYTES]:.0f}; a decoded file takes {micro[USUAL]:.0f}.",
        ),
        Aim(
            "whole float32 batches, to a plain copy of these",
            "at most",
            TIMES_A_COPY,
            ratio_with_spread(each[OURS], each[FLOATS]),
            why=conversion,
        ),
    ]
