"""How fast training is fed: packed arrays and augmentation on the device, or files decoded anew.

    python tests/benchmarks/data_path.py --table data_path.md
    python tests/benchmarks/data_path.py --device cuda --pairs 15865 --table paper_scale.md

On a CPU it compares two ways of feeding PairDxFusion's image encoder, a ResNet-18 at 224 pixels:
this workflow's (BatchSource over a file packed once, then augmentation of whole batches) and the
usual one (every image decoded by Pillow from its WebP file and augmented by torchvision in a
DataLoader), all in one run, in turns. On a GPU it trains PairDxFusion and PairDxCLIP on as many
random pairs as the paper's training set has, and relates the speed to the device's own rate of
matrix products; that mode has not been run on a GPU yet. It is no test: what is fast enough depends
on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

import kornia_augmentation  # noqa: E402
from benchmarks.paper_scale import training_at_scale  # noqa: E402
from benchmarks.suite.full_size import registry  # noqa: E402
from benchmarks.suite.image_files import WIDTHS, drawn_files  # noqa: E402
from pairdx.errors import PairDxError  # noqa: E402
from pairdx.machine import cpu_model  # noqa: E402
from pairdx.models.fusion.images import image_encoder  # noqa: E402
from pairdx.packed_images import open_packed, packed_file  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.squaring import fit_to_square  # noqa: E402
from pairdx.training.augmentation import augmentation  # noqa: E402
from pairdx.training.batches import BatchSource, Examples  # noqa: E402

CPU = torch.device("cpu")
CLASSES = 6
PREFETCHED = 2  # batches that a worker makes in advance, DataLoader's default
PACKED = "packed, augmented in batches"


@dataclass(frozen=True)
class Settings:
    """Conditions of a comparison.

    Attributes:
        images: Number of different images.
        image_size: Side in pixels of what the network reads.
        batch_size: Images per step.
        threads: CPU threads of the training process.
        seconds: How long each path is drawn from in each turn, at least one batch.
        steps: Training steps per path.
        turns: How often each path is measured, in turns with the others; medians are reported.
        workers: Numbers of DataLoader workers to try.
    """

    images: int = 256
    image_size: int = 224
    batch_size: int = 32
    threads: int = 2
    seconds: float = 5.0
    steps: int = 4
    turns: int = 3
    workers: tuple[int, ...] = (0, 1, 2)


def write_images(folder: Path, settings: Settings) -> list[Path]:
    """Write drawn WebP files of MultiCaRe's usual widths."""
    paths = [folder / f"{number}.webp" for number in range(settings.images)]
    for path, content in zip(paths, drawn_files(settings.images), strict=True):
        path.write_bytes(content)
    return paths


class DecodedAnew(Dataset[tuple[Tensor, int]]):
    """The usual way: one file is decoded, cut to size and augmented for every sample.

    Args:
        paths: The files.
        image_size: Side in pixels.
        strengths: Of the augmentation; None for none.
    """

    def __init__(
        self, paths: list[Path], image_size: int, strengths: dict[str, float] | None
    ) -> None:
        self.paths = paths
        steps: list[Any] = [
            transforms.Resize(image_size, transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(image_size),
        ]
        if strengths is not None:
            colours = (strengths[key] for key in ("brightness", "contrast", "saturation", "hue"))
            steps += [
                transforms.RandomHorizontalFlip(strengths["flip"]),
                transforms.RandomRotation(strengths["rotation_degrees"]),
                transforms.ColorJitter(*colours),
            ]
        self.transform = transforms.Compose([*steps, transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        """One augmented image, float32 (3, S, S), and its label."""
        with Image.open(self.paths[row]) as image:
            return self.transform(image.convert("RGB")), row % CLASSES


def packed_batches(paths: list[Path], settings: Settings) -> Iterator[tuple[Tensor, Tensor]]:
    """This workflow's way, without end: images (B, 3, S, S) and labels (B,)."""
    names = [path.stem for path in paths]
    packed = paths[0].with_name(f"images_{settings.image_size}.npy")
    with packed_file(packed, names, settings.image_size) as pixels:
        for row, path in enumerate(paths):
            with Image.open(path) as image:
                pixels[row] = fit_to_square(image, settings.image_size)
    images, labels = open_packed(packed).of_pairs(names), np.arange(len(paths)) % CLASSES
    examples = Examples(images, labels, np.zeros((len(paths), 0), dtype=np.int64))
    source = BatchSource(examples, CPU, channels_last=True)
    augment = augmentation(registry("pairdx_fusion")["settings"]["augmentation"])
    rng = np.random.default_rng(1)
    while True:
        order = rng.permutation(len(paths))
        starts = range(0, len(order) - settings.batch_size + 1, settings.batch_size)
        rows = [order[start : start + settings.batch_size] for start in starts]
        for batch in source.batches(rows):
            yield augment(batch.images), batch.labels


def decoded_batches(
    paths: list[Path], settings: Settings, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The usual way, without end: images (B, 3, S, S) and labels (B,)."""
    strengths = registry("pairdx_fusion")["settings"]["augmentation"]
    loader = DataLoader(
        DecodedAnew(paths, settings.image_size, strengths),
        batch_size=settings.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    while True:
        for images, labels in loader:
            yield images.contiguous(memory_format=torch.channels_last), labels


def drained(batches: Iterator[tuple[Tensor, Tensor]], workers: int) -> None:
    """Draw what idle workers hold ready, so that only what they make from now on counts."""
    for _ in range(PREFETCHED * workers):
        next(batches)


def images_per_second(batches: Iterator[tuple[Tensor, Tensor]], settings: Settings) -> float:
    """Draw batches for some seconds and do nothing with them."""
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < settings.seconds or not count:
        count += len(next(batches)[1])
    return count / (time.perf_counter() - started)


def step_seconds(
    batches: Iterator[tuple[Tensor, Tensor]], train_step: Callable[..., None], settings: Settings
) -> tuple[float, float]:
    """Train for some steps; return seconds per step, and those of them spent waiting for data."""
    waited, started = 0.0, time.perf_counter()
    for _ in range(settings.steps):
        asked = time.perf_counter()
        images, labels = next(batches)
        waited += time.perf_counter() - asked
        train_step(images, labels)
    return (time.perf_counter() - started) / settings.steps, waited / settings.steps


def resnet_step() -> Callable[..., None]:
    """One step of AdamW on a ResNet-18 with a linear layer, forward and backward."""
    network: Any = image_encoder("resnet18")
    network.fc = torch.nn.Linear(512, CLASSES)
    network.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)

    def train_step(images: Tensor, labels: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), labels).backward()
        optimiser.step()

    return train_step


def compare_paths(settings: Settings) -> pd.DataFrame:
    """Measure all paths in turns; one row per path, medians over the turns.

    ``times_as_fast`` is as the best DataLoader; ``data_seconds`` and ``data_share`` are of a step.
    """
    torch.set_num_threads(settings.threads)
    lines: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_images(Path(folder), settings)
        sources = {PACKED: (packed_batches(paths, settings), 0)}
        for workers in settings.workers:
            name = f"WebP decoded per sample, {workers} workers"
            sources[name] = (decoded_batches(paths, settings, workers), workers)
        train_step = resnet_step()
        for batches, _ in sources.values():  # imports, worker processes and memory: not counted
            train_step(*next(batches))
        for turn in range(settings.turns):
            for name, (batches, workers) in sources.items():
                drained(batches, workers)
                rate = images_per_second(batches, settings)
                seconds = step_seconds(batches, train_step, settings)
                lines.setdefault(name, []).append((rate, *seconds))
                print(f"turn {turn + 1}: {name}: {rate:.1f} images/s", flush=True)
        sources.clear()  # ends the workers before the files are gone
    medians = {name: np.median(found, axis=0) for name, found in lines.items()}
    table = pd.DataFrame(
        [(name, *values) for name, values in medians.items()],
        columns=["path", "images_per_second", "step_seconds", "data_seconds"],
    )
    table["data_share"] = table["data_seconds"] / table["step_seconds"]
    best = table["images_per_second"][1:].max()
    table.insert(2, "times_as_fast", table["images_per_second"] / best)
    return table


def report(table: pd.DataFrame, settings: Settings, load: float) -> str:
    """Write the comparison as Markdown, with the conditions under which it was measured.

    Args:
        table: From :func:`compare_paths`.
        settings: Its settings.
        load: Processes that wanted a core in the minute before: those of others.
    """
    packages = ("torch", "torchvision", "pillow")
    notes = [
        f"{cpu_model()}, {settings.threads} threads; Python {sys.version.split()[0]}, "
        + ", ".join(f"{name} {version(name)}" for name in packages),
        f"{settings.images} drawn WebP files {WIDTHS[0]} to {WIDTHS[1]} pixels wide and high, in "
        f"the page cache; {settings.image_size} pixels, batches of {settings.batch_size}, the "
        "augmentation of pairdx_fusion in config/systems on every path",
        "images per second: batches drawn and thrown away, with the whole machine for it; "
        "times as fast: as the best DataLoader of this run",
        f"step: a ResNet-18, forward, backward and AdamW in float32, {settings.steps} steps; data: "
        "the part of a step that waits for its augmented batch (without workers all of the work, "
        "with them only what they have not done during the step before)",
        f"{load:.1f} other processes wanted one of the {os.cpu_count()} cores in the minute before",
        f"medians of {settings.turns} turns, in each of which every path was measured; packing, "
        "once per run of the workflow, is not counted",
    ]
    return as_markdown(table, title="Feeding a training step", notes=notes)


@contextmanager
def as_before() -> Iterator[None]:
    """Train inside the block as it was: augmentation by kornia, texts with all their padding."""

    def augment(strengths: dict[str, float] | None) -> Callable[[Tensor], Tensor]:
        return kornia_augmentation.augmentation(strengths) if strengths else lambda images: images

    whole = "pairdx.models.clip.objectives.reads_cut_texts"
    with patch("pairdx.training.attempt.augmentation", augment), patch(whole, lambda _: False):
        yield


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    parser.add_argument("--images", type=int, default=Settings.images)
    parser.add_argument("--batch-size", type=int, default=Settings.batch_size)
    parser.add_argument("--threads", type=int, default=Settings.threads)
    parser.add_argument("--turns", type=int, default=Settings.turns)
    parser.add_argument("--pairs", type=int, default=15_865, help="cuda: training pairs")
    parser.add_argument("--epochs", type=int, help="cuda: else as many as the paper's")
    parser.add_argument("--before", action="store_true", help="cuda: kornia, whole texts")
    arguments = parser.parse_args()
    try:
        if arguments.device == "cuda":
            systems = {name: registry(name) for name in ("pairdx_fusion", "pairdx_clip")}
            for entry in systems.values():
                entry["settings"]["epochs"] = arguments.epochs or entry["settings"]["epochs"]
            with as_before() if arguments.before else nullcontext():
                text = training_at_scale(
                    "cuda", arguments.pairs, systems, threads=arguments.threads
                )
        else:
            images, batch = max(arguments.images, arguments.batch_size), arguments.batch_size
            settings = Settings(
                images, batch_size=batch, threads=arguments.threads, turns=arguments.turns
            )
            load = os.getloadavg()[0]
            text = report(compare_paths(settings), settings, load)
    except PairDxError as error:
        sys.exit(f"Error: {error}")
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
