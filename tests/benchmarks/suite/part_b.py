"""A training step fed by the loader, against the same step on tensors that are in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.data_path import CLASSES, registry
from benchmarks.suite.measure import Spread, interleaved, ratio_with_spread
from benchmarks.suite.part import Aim, Part, Settings, Table
from pairdx.models.fusion.images import image_encoder
from pairdx.packed_images import open_packed, packed_file
from pairdx.training.augmentation import augmentation
from pairdx.training.batches import Batch, BatchSource, Examples

QUESTION = (
    "How fast a training step is that the loader feeds, against the same step on batches that lie "
    "in memory as the network reads them (1: as fast). The loader gathers a batch's rows from the "
    "packed file and converts them; augmentation is part of the step in both."
)
AIM = 0.97
LOADER, MEMORY = "fed by the loader", "on tensors in memory"
IMAGES, TOKENS, WORDS = 512, 77, 49000
FUSION, CLIP = "PairDxFusion's ResNet-18", "CLIP ViT-B/32"


@dataclass(frozen=True)
class Scale:
    """How much is measured of one network.

    Attributes:
        device: Where it trains.
        size: Side of the images in pixels.
        batch: Pairs per step.
        steps: Per round and way.
        rounds: At most.
        seconds: After which no further round begins.
    """

    device: torch.device
    size: int = 224
    batch: int = 32
    steps: int = 2
    rounds: int = 11
    seconds: float = 65


def measure(settings: Settings) -> Part:
    """Train both networks, on the CPU and on a GPU where there is one."""
    torch.set_num_threads(settings.threads)
    scales = {"CPU": Scale(torch.device("cpu"))}
    if torch.cuda.is_available():
        scales["GPU"] = Scale(torch.device("cuda"), batch=128, steps=20, seconds=20)
    if settings.small:
        scales = {
            name: replace(scale, size=32, batch=4, steps=1, rounds=3)
            for name, scale in scales.items()
        }
    rows, aims = [], []
    for where, scale in scales.items():
        for name, make in ((FUSION, resnet_step), (CLIP, clip_step)):
            if settings.small and name == CLIP:
                continue
            row, aim = compared(f"{name}, {where}", make(scale), scale)
            rows.append(row)
            aims.append(aim)
    return Part(
        QUESTION,
        [Table("Seconds of a step", rows)],
        aims,
        {"size": scales["CPU"].size, "images in the file": IMAGES},
        [
            "Random pixels, texts and weights; float32 on the CPU, bfloat16 on a GPU; forward, "
            "backward and AdamW. PairDxFusion's augmentation is the registry's, CLIP has none.",
            "Loader alone: batches drawn and thrown away.",
            *([] if torch.cuda.is_available() else ["There is no GPU here: not measured on one."]),
        ],
    )


def compared(
    name: str, step: Callable[[Batch], None], scale: Scale
) -> tuple[dict[str, object], Aim]:
    """Time one network's step both ways; return its row and its aim."""
    with tempfile.TemporaryDirectory() as folder:
        examples = packed_examples(Path(folder, "images.npy"), scale.size)
        fed = endless(BatchSource(examples, scale.device, channels_last=True), scale)
        ready = [next(fed) for _ in range(scale.steps)]

        def run(batches: Iterator[Batch]) -> None:
            for _ in range(scale.steps):
                step(next(batches))
            if scale.device.type == "cuda":
                torch.cuda.synchronize()

        ways = {LOADER: lambda: run(fed), MEMORY: lambda: run(iter(ready))}
        seconds = interleaved(ways, scale.rounds, at_most_seconds=scale.seconds)
        alone = loading_alone(fed, scale)
    per_step = {way: float(np.median(found)) / scale.steps for way, found in seconds.items()}
    speed = ratio_with_spread(seconds[MEMORY], seconds[LOADER])
    row = {
        "network": name,
        "batch": scale.batch,
        "rounds": len(seconds[LOADER]),
        **{f"{way.replace(' ', '_')}_seconds": found for way, found in per_step.items()},
        "loader_alone_seconds": alone,
        "relative_speed": str(speed),
    }
    return row, aim_of(name, speed, alone, per_step[MEMORY])


def aim_of(name: str, speed: Spread, alone: float, step: float) -> Aim:
    """Return the aim, with why it would be missed."""
    why = (
        f"The loader alone takes {1000 * alone:.1f} ms for a batch, {100 * alone / step:.1f} % of "
        f"a step of {1000 * step:.0f} ms; what is missing besides is the spread of the rounds, or "
        "caches that both use."
    )
    return Aim(f"speed of a step by the loader: {name}", "at least", AIM, speed, why)


def packed_examples(file: Path, size: int) -> Examples:
    """Pack random pixels, and give them labels and texts."""
    rng = np.random.default_rng(1)
    names = [str(number) for number in range(IMAGES)]
    with packed_file(file, names, size) as pixels:
        for row in range(IMAGES):
            pixels[row] = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    texts = rng.integers(1, WORDS, (IMAGES, TOKENS))
    return Examples(open_packed(file).of_pairs(names), np.arange(IMAGES) % CLASSES, texts)


def endless(source: BatchSource, scale: Scale) -> Iterator[Batch]:
    """Yield batches in random order, without end."""
    rng = np.random.default_rng(1)
    while True:
        order = rng.permutation(len(source))[: len(source) // scale.batch * scale.batch]
        yield from source.batches(np.split(order, len(order) // scale.batch))


def loading_alone(batches: Iterator[Batch], scale: Scale, count: int = 16) -> float:
    """Return the seconds of drawing a batch, of as many as an epoch has."""
    started = perf_counter()
    for _ in range(count):
        next(batches)
    if scale.device.type == "cuda":
        torch.cuda.synchronize()
    return (perf_counter() - started) / count


def autocast(scale: Scale) -> torch.autocast:
    """Return mixed precision on a GPU, and none on a CPU."""
    kind = scale.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")


def resnet_step(scale: Scale) -> Callable[[Batch], None]:
    """One step of AdamW on PairDxFusion's image encoder with a linear layer, augmentation first."""
    network: nn.Module = image_encoder("resnet18")
    network.fc = nn.Linear(512, CLASSES)
    network.to(scale.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    augment = augmentation(registry("pairdx_fusion")["settings"]["augmentation"])

    def step(batch: Batch) -> None:
        optimiser.zero_grad(set_to_none=True)
        images = augment(batch.images)
        with autocast(scale):
            loss = F.cross_entropy(network(images), batch.labels)
        loss.backward()
        optimiser.step()

    return step


def clip_step(scale: Scale) -> Callable[[Batch], None]:
    """One step of AdamW on CLIP ViT-B/32 by the contrastive loss."""
    network = open_clip.create_model("ViT-B-32").to(scale.device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-5, fused=True)

    def step(batch: Batch) -> None:
        optimiser.zero_grad(set_to_none=True)
        with autocast(scale):
            images = network.encode_image(batch.images, normalize=True)
            texts = network.encode_text(batch.texts, normalize=True)
            scores: Tensor = network.logit_scale.exp() * images @ texts.T
            own = torch.arange(len(scores), device=scale.device)
            loss = (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2
        loss.backward()
        optimiser.step()

    return step
