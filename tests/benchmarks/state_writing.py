"""How long training waits for its states: written by the loop itself, or by a thread from a copy.

    python tests/benchmarks/state_writing.py --folder state --table state_writing.md
    python tests/benchmarks/state_writing.py --folder state --device cuda --table state_writing.md

A module with as many parameters as CLIP's ViT-B/32 is trained on random images of 8 pixels by the
workflow's loop, with a state after every epoch: one that writes each before it goes on, one that
only copies it, one that keeps none. All ways are measured in one run, in turns. Where states lie
decides most of it: name a folder on the storage in question. It is no test: what is fast enough
depends on the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "workflow" / "scripts")]

from pairdx.errors import PairDxError  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.training import attempt  # noqa: E402
from pairdx.training.batches import Batch, Examples  # noqa: E402
from pairdx.training.device import torch_device  # noqa: E402
from pairdx.training.loop import train  # noqa: E402
from pairdx.training.optimisation import Objective  # noqa: E402
from pairdx.training.passport import device_description  # noqa: E402
from pairdx.training.settings import TrainingSettings  # noqa: E402
from pairdx.training.state.checkpoint import StateFolder  # noqa: E402
from pairdx.training.state.writer import StateWriter  # noqa: E402

NONE, WAITING, THREAD = "no state", "written by the loop", "written by a thread (used here)"
WIDTH, SIDE = 768, 8
# Of a pair of layers, from WIDTH to four times WIDTH and back.
PER_BLOCK = 8 * WIDTH**2 + 5 * WIDTH
OF_VIT_B_32 = 151_277_313


class Blocks(nn.Module):
    """About so many parameters in layers as a transformer's are; at least one block."""

    def __init__(self, parameters: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3 * SIDE**2, WIDTH), nn.Linear(WIDTH, 2)
        count = max(round(parameters / PER_BLOCK), 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
            for _ in range(count)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Score images (B, 3, 8, 8): (B, 2)."""
        inside = self.first(images.flatten(start_dim=1))
        for block in self.blocks:
            inside = inside + block(inside)
        scores: Tensor = self.last(F.layer_norm(inside, (WIDTH,)))
        return scores


class CrossEntropy(Objective):
    """Cross-entropy of the module's scores."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss and the scores."""
        scores = self.module(batch.images)
        return F.cross_entropy(scores, batch.labels), scores


class Timed(StateWriter):
    """Counts the seconds for which training waits."""

    waited = 0.0

    def save(self, epochs: int, steps: int, state: Mapping[str, Any]) -> None:
        """Write as the workflow does."""
        started = time.perf_counter()
        self.write(epochs, steps, state)
        Timed.waited += time.perf_counter() - started

    def write(self, epochs: int, steps: int, state: Mapping[str, Any]) -> None:
        """Leave it to the thread."""
        super().save(epochs, steps, state)

    def __exit__(self, *error: Any) -> None:
        """Wait for the last one."""
        started = time.perf_counter()
        super().__exit__(*error)
        Timed.waited += time.perf_counter() - started


class Waiting(Timed):
    """Writes what there is without copying it, before training goes on."""

    def write(self, epochs: int, steps: int, state: Mapping[str, Any]) -> None:
        """Write it here and now."""
        assert self.folder is not None
        self.folder.save(epochs, steps, state)


def compare(
    folder: Path, device: torch.device, sizes: Mapping[str, int], turns: int
) -> pd.DataFrame:
    """Measure all ways in turns; one row per way, medians over the turns.

    Args:
        folder: Where states are written, and removed.
        device: What is trained on.
        sizes: ``parameters``, ``epochs``, ``steps`` of an epoch and ``batch_size``.
        turns: How often.

    Returns:
        way, states, gigabytes (of one), seconds, seconds_waited, share_waited (of the seconds).
    """
    rows = []
    for _ in range(turns):
        for way in (NONE, WAITING, THREAD):
            with TemporaryDirectory(dir=folder) as place, _by(Waiting if way == WAITING else Timed):
                states = None if way == NONE else StateFolder(Path(place), "benchmark")
                seconds = _train(states, device, sizes)
                written = max((file.stat().st_size for file in Path(place).iterdir()), default=0)
            rows.append((way, written / 1e9, seconds, Timed.waited, Timed.waited / seconds))
    columns = ["way", "gigabytes", "seconds", "seconds_waited", "share_waited"]
    table = pd.DataFrame(rows, columns=columns).groupby("way", sort=False).median().reset_index()
    table.insert(1, "states", [0, sizes["epochs"], sizes["epochs"]])
    return table


@contextmanager
def _by(writer: type[Timed]) -> Iterator[None]:
    before: Any = attempt.StateWriter
    attempt.StateWriter, Timed.waited = writer, 0.0  # type: ignore[misc]
    try:
        yield
    finally:
        attempt.StateWriter = before  # type: ignore[misc]


def _train(states: StateFolder | None, device: torch.device, sizes: Mapping[str, int]) -> float:
    """Train, and return the seconds that it took from its first step to its end."""
    module = Blocks(sizes["parameters"])
    began: list[float] = []

    class Noting(CrossEntropy):
        def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
            began.append(time.perf_counter())
            return super().__call__(batch)

    train(
        module,
        Noting(module),
        _examples(sizes["steps"] * sizes["batch_size"]),
        _examples(sizes["batch_size"]),
        TrainingSettings(
            epochs=sizes["epochs"], batch_size=sizes["batch_size"], learning_rate=1e-4,
            weight_decay=0.01, schedule="constant", max_grad_norm=1.0, augmentation=None,
        ),
        seed=1,
        device=device.type,
        threads=torch.get_num_threads(),
        state=states,
    )  # fmt: skip
    return time.perf_counter() - began[0]


def _examples(count: int) -> Examples:
    images = np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    return Examples(images, np.arange(count) % 2, np.zeros((count, 0), dtype=np.int64))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where states are written")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    parser.add_argument("--parameters", type=int, default=OF_VIT_B_32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="of an epoch")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    try:
        device = torch_device(arguments.device)
    except PairDxError as error:
        sys.exit(f"Error: {error}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    names = ("parameters", "epochs", "steps", "batch_size")
    sizes = {name: getattr(arguments, name) for name in names}
    table = compare(arguments.folder, device, sizes, arguments.turns)
    notes = [
        f"{device_description(arguments.device)['name']}, {arguments.threads} CPU threads; "
        f"Python {sys.version.split()[0]}, torch {torch.__version__}",
        f"{arguments.parameters:,} parameters, AdamW, {arguments.steps} steps of "
        f"{arguments.batch_size} images in each of {arguments.epochs} epochs, a state after each; "
        f"medians of {arguments.turns} turns",
        "seconds waited: in copying or writing, and at the end for the last state",
    ]
    text = as_markdown(table, title="Training states", notes=notes)
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
