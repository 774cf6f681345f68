"""What augmentation costs on the device: in one grid and one sum, or step by step by others.

    python tests/benchmarks/augmentation.py --table augmentation.md
    python tests/benchmarks/augmentation.py --device cuda --batch-size 128 --table augmentation.md

The paper's augmentation (flip, rotation, colour jitter; strengths of config/systems) on random
images of 224 pixels, every image changed by random amounts of its own: by the library's own
formulae, and by kornia, which the library used before. torchvision's v2 transforms draw one amount
per call, so they have to be called image by image; one call for a whole batch is
listed for comparison, though it changes all its images alike. All ways are measured in one run, in
turns. It is no test: what is fast enough depends on the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torchvision.transforms import v2

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

import kornia_augmentation  # noqa: E402
from benchmarks.suite.full_size import registry  # noqa: E402
from pairdx.errors import PairDxError  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.training.augmentation import COLOURS, augmentation  # noqa: E402
from pairdx.training.device import synchronise, torch_device  # noqa: E402
from pairdx.training.passport import device_description  # noqa: E402

OURS = "one grid and one sum of colours, whole batch, amounts per image (used here)"
KORNIA = "kornia, whole batch, amounts per image"
ONE_BY_ONE = "torchvision v2, image by image, amounts per image"
ALIKE = "torchvision v2, whole batch, one amount for all"


def ways(strengths: dict[str, float]) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the ways to compare, each from float32 images (B, 3, S, S) to images like them."""
    transform = v2.Compose(
        [
            v2.RandomHorizontalFlip(strengths["flip"]),
            v2.RandomRotation(strengths["rotation_degrees"], v2.InterpolationMode.BILINEAR),
            v2.ColorJitter(*(strengths[key] for key in COLOURS)),
        ]
    )
    return {
        OURS: augmentation(strengths),
        KORNIA: kornia_augmentation.augmentation(strengths),
        ONE_BY_ONE: lambda images: torch.stack([transform(image) for image in images]),
        ALIKE: transform,
    }


def compare(
    device: torch.device, *, batch_size: int, image_size: int, seconds: float, turns: int
) -> pd.DataFrame:
    """Measure all ways in turns; one row per way, medians over the turns."""
    images = torch.rand((batch_size, 3, image_size, image_size), device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    candidates = ways(registry("pairdx_fusion")["settings"]["augmentation"])
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for augment in candidates.values():  # imports and memory: not counted
        augment(images)
    for _ in range(turns):
        for name, augment in candidates.items():
            rates[name].append(_images_per_second(augment, images, device, seconds))
    medians = pd.DataFrame(rates).median()
    table = medians.rename_axis("way").reset_index(name="images_per_second")
    table["times_as_fast"] = table["images_per_second"] / medians[ONE_BY_ONE]
    return table


def _images_per_second(
    augment: Callable[[Tensor], Tensor], images: Tensor, device: torch.device, seconds: float
) -> float:
    synchronise(device)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds or not count:
        augment(images)
        synchronise(device)
        count += len(images)
    return count / (time.perf_counter() - started)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="per way and turn")
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    try:
        device = torch_device(arguments.device)
    except PairDxError as error:
        sys.exit(f"Error: {error}")
    table = compare(
        device,
        batch_size=arguments.batch_size,
        image_size=arguments.image_size,
        seconds=arguments.seconds,
        turns=arguments.turns,
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "kornia"))
    notes = [
        f"{device_description(arguments.device)['name']}, {arguments.threads} CPU threads; "
        f"Python {sys.version.split()[0]}, {packages}",
        f"batches of {arguments.batch_size} images of {arguments.image_size} pixels, float32, "
        f"medians of {arguments.turns} turns of {arguments.seconds:g} s",
        "times as fast: as torchvision image by image",
    ]
    text = as_markdown(table, title="Augmentation", notes=notes)
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
