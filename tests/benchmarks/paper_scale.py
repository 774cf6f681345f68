"""Training speed at the paper's scale on random pairs: how much of the device is put to use.

Used by tests/benchmarks/data_path.py. Random pixels and words cost what real ones cost; nothing is
learned from them. On a GPU this has not been run yet.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import save_file
from torch.utils.flop_counter import FlopCounterMode

from pairdx.files import write_json
from pairdx.models.base import FitJob, Pairs
from pairdx.models.registry import family
from pairdx.reporting.format.markdown import as_markdown
from pairdx.training.device import synchronise, torch_device
from pairdx.training.passport import device_description
from pairdx.words import random_word_vectors

CLASSES = (
    *("radiology", "endoscopy", "medical_photograph"),
    *("ophthalmic_imaging", "electrography", "chart"),
)
WORDS = [f"word{number}" for number in range(20_000)]
WORDS_PER_CAPTION = 40
VALIDATION_SHARE = 15 / 70  # of the training pairs (paper, Section 3.1)
# The backward pass makes two matrix products for each one of the forward pass.
PASSES = 3
PRODUCTS = 10


def random_pairs(count: int, image_size: int, seed: int) -> Pairs:
    """Draw pairs of noise: uint8 images of ``image_size`` pixels, captions of 40 words."""
    rng = np.random.default_rng(seed)
    captions = [" ".join(rng.choice(WORDS, WORDS_PER_CAPTION)) for _ in range(count)]
    numbers = [f"{seed}_{row}" for row in range(count)]
    labels = rng.choice(CLASSES, count)
    table = pd.DataFrame({"pair_id": numbers, "case_id": numbers, "caption": captions})
    images = rng.integers(0, 256, (count, image_size, image_size, 3), dtype=np.uint8)
    return Pairs(table.assign(label=labels), images, CLASSES)


def products_per_second(device: torch.device, size: int, precision: str) -> float:
    """Measure floating-point operations per second of square matrix products on the device."""
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    one, other = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    one @ other
    synchronise(device)
    started = time.perf_counter()
    for _ in range(PRODUCTS):
        one @ other
    synchronise(device)
    return PRODUCTS * 2 * size**3 / (time.perf_counter() - started)


def operations_per_pair(classifier: Any, pairs: Pairs) -> float:
    """Count the floating-point operations of training on one pair: three forward passes' worth."""
    network = classifier.network
    pixels = torch.zeros((1, 3, pairs.image_size, pairs.image_size))
    # With gradients, because without them PyTorch fuses attention into a kernel it does not count.
    with FlopCounterMode(display=False) as counter:
        if hasattr(network, "text_features"):
            network.image_features(pixels)
            network.text_features(classifier.parts.tokenise(pairs.captions[:1]))
        else:
            tokens = torch.from_numpy(classifier.tokenise(pairs.captions[:1]))
            network(pixels, tokens)
    return float(PASSES * counter.get_total_flops())


def measure(
    entry: Mapping[str, Any],
    train: Pairs,
    validation: Pairs,
    *,
    device: str,
    threads: int,
    matrix_size: int,
) -> dict[str, Any]:
    """Train one system with its family's own ``fit``; return one line of the table."""
    settings = {**entry["settings"], "weights": None}
    module, target = family(entry["family"]), torch_device(device)
    with tempfile.TemporaryDirectory() as folder:
        classifier: Any = module.build(settings, CLASSES, _words(Path(folder)), 1)
    operations = operations_per_pair(classifier, train)
    rows = module.fit(classifier, train, validation, FitJob(1, device=device, threads=threads))
    rate = float(rows["samples_per_second"].median())
    achieved = rate * operations
    possible = products_per_second(target, matrix_size, settings["precision"])
    return {
        "pairs": len(train),
        "epochs": len(rows),
        "batch_size": settings["batch_size"],
        "numbers": settings["precision"],
        "training_seconds": float(rows["seconds"].sum()),
        "samples_per_second": rate,
        "data_share": float(rows["data_seconds"].sum() / rows["seconds"].sum()),
        "gigaflops_per_pair": operations / 1e9,
        "teraflops_achieved": achieved / 1e12,
        "teraflops_of_matrix_products": possible / 1e12,
        "achieved_share": achieved / possible,
    }


def training_at_scale(
    device: str,
    pairs: int,
    systems: Mapping[str, Mapping[str, Any]],
    *,
    threads: int,
    image_size: int = 224,
    matrix_size: int = 8192,
) -> str:
    """Train every system on random pairs; return a table as Markdown.

    Args:
        device: ``cuda`` (or ``cpu``, for trying the script out on a few small pairs).
        pairs: Training pairs; validation pairs come on top.
        systems: Entries of the registry, by name: ``family`` and ``settings``.
        threads: CPU threads.
        image_size: Side in pixels.
        matrix_size: Of the square matrices by whose product the device is measured.

    Raises:
        PairDxError: ``cuda`` was asked for and there is no GPU.
    """
    torch_device(device)
    train = random_pairs(pairs, image_size, 1)
    validation = random_pairs(max(1, round(VALIDATION_SHARE * pairs)), image_size, 2)
    lines = []
    for name, entry in systems.items():
        print(f"training {name}", flush=True)
        line = measure(
            entry, train, validation, device=device, threads=threads, matrix_size=matrix_size
        )
        lines.append({"system": name} | line)
    notes = _notes(device, threads)
    return as_markdown(pd.DataFrame(lines), title="Training speed", notes=notes)


def _notes(device: str, threads: int) -> Sequence[str]:
    described = device_description(device)
    return [
        f"{described['name']}, {threads} CPU threads; Python {sys.version.split()[0]}, "
        f"torch {version('torch')}, CUDA {torch.version.cuda if device == 'cuda' else 'not used'}",
        "random pixels, words and weights; settings of config/systems; training seconds "
        "include validation and moving the images to the device",
        "samples per second: median of the epochs' training passes; data share: waiting for data "
        "(without augmentation, which the device does) by all seconds",
        "operations: matrix products and convolutions of the forward pass, counted by PyTorch, "
        "times three; achieved share: of what square matrix products of the same type reach here "
        "(convolutions may use TF32 where matrix products do not)",
    ]


def _words(folder: Path) -> dict[str, Path]:
    """Write random vectors of 300 numbers for the words, as the workflow packs them."""
    found = {"word_vectors": folder / "vectors.safetensors", "vocabulary": folder / "words.json"}
    save_file({"vectors": random_word_vectors(WORDS, 300, 1)}, found["word_vectors"])
    write_json(found["vocabulary"], {"words": WORDS})
    return found
