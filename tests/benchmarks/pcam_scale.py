"""How long patches in PatchCamelyon's format take up to the packed images, and how much memory.

    python tests/benchmarks/pcam_scale.py --patches 2000 8000 32000 --table pcam_scale.md

It draws patches of 96 x 96 pixels into HDF5 files (four fifths for training, a hundredth of them
copies, slides of 600 patches), and takes each step of the workflow in a process of its own, with
the settings of the dataset `pcam`. It is no test: what is fast enough depends on the machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from pairdx.corpus import labels  # noqa: E402
from pairdx.corpus.pcam import description, reading  # noqa: E402
from pairdx.curation.archives import inspect_archive  # noqa: E402
from pairdx.curation.pairs import curate  # noqa: E402
from pairdx.curation.review import read_decisions  # noqa: E402
from pairdx.curation.tables import screen_tables  # noqa: E402
from pairdx.files import write_table  # noqa: E402
from pairdx.leakage import leakage  # noqa: E402
from pairdx.machine import cpu_model  # noqa: E402
from pairdx.packing import pack_images  # noqa: E402
from pairdx.plan.configuration import complete, defaults  # noqa: E402
from pairdx.plan.curation import settings as settled  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.splits import published  # noqa: E402

SIDE, BLOCK, PER_SLIDE = 96, 512, 600
COPIES = 0.01  # share of the patches that are copies of the one a block before
SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
ENTRY: Mapping[str, Any] = complete(defaults(REPOSITORY), {})["datasets"]["pcam"]
CURATION = settled(ENTRY["curation"]) | {"classes": ENTRY["classes"], "out_of_distribution": []}


def write_patches(folder: Path, patches: int, seed: int) -> None:
    """Write random patches as the files of PatchCamelyon, unpacked, block by block."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    for subset, share in SHARES.items():
        number = round(patches * share)
        with h5py.File(folder / description.file_name(subset, "x"), "w") as file:
            array = file.create_dataset("x", (number, SIDE, SIDE, 3), np.uint8)
            before = None
            for start in range(0, number, BLOCK):
                before = _block(min(BLOCK, number - start), before, draw)
                array[start : start + len(before)] = before
        with h5py.File(folder / description.file_name(subset, "y"), "w") as file:
            file["y"] = draw.integers(0, 2, (number, 1, 1, 1), dtype=np.uint8)
        slides = [f"{subset}_{row // PER_SLIDE}" for row in range(number)]
        table = pd.DataFrame({"wsi": slides})
        table.to_csv(folder / description.file_name(subset, "meta"), encoding="utf-8")


def _block(number: int, before: np.ndarray | None, draw: np.random.Generator) -> np.ndarray:
    """Draw stained spots of several sizes: uint8 (number, SIDE, SIDE, 3)."""
    image = np.full((number, SIDE, SIDE, 3), 170.0, dtype=np.float32)
    for size, strength in ((32, 25), (16, 20), (8, 15), (2, 10)):
        cells = SIDE // size
        spots = draw.normal(0, strength, (number, cells, cells, 3)).astype(np.float32)
        image += spots.repeat(size, axis=1).repeat(size, axis=2)
    found = np.clip(image, 0, 255).astype(np.uint8)
    if before is not None:
        copied = np.flatnonzero(draw.random(number) < COPIES)
        found[copied] = before[copied]
    return found


# ---------------------------------------------------------------- the steps, as the scripts do them
def ingest(folder: Path, _: int) -> None:
    """Read labels and slides and run the screens that need no image."""
    source = ENTRY["source"] | {"path": str(folder)}
    tables = {name: Path(path) for name, path in description.tables(source, {}).items()}
    candidates = reading.read(tables, description.settings(source))
    stated = candidates["label"]
    candidates["label"] = labels.matched(stated, list(CURATION["classes"]))
    labels.require_classes(candidates["label"], list(CURATION["classes"]), [])
    lacks = description.lacks(source)
    found = screen_tables(candidates, CURATION, subset=None, seed=1, lacks=lacks, needs_subset=True)
    write_table(folder / "candidates.parquet", found.candidates)
    write_table(folder / "rejected.parquet", found.rejected)
    write_table(folder / "counts.parquet", labels.counted(stated, candidates["label"]))


def inspect(folder: Path, _: int) -> None:
    """Decode and hash every image."""
    candidates = pd.read_parquet(folder / "candidates.parquet")
    for subset, path in _archives(folder).items():
        own = candidates[candidates["archive"] == subset]
        write_table(
            folder / f"facts_{subset}.parquet", inspect_archive(own, path, CURATION["images"])
        )


def curated(folder: Path, _: int) -> None:
    """Join facts, find copies, draw up the funnel."""
    counts = pd.read_parquet(folder / "counts.parquet").groupby("label")["rows"].sum()
    found = curate(
        pd.read_parquet(folder / "candidates.parquet"),
        pd.read_parquet(folder / "rejected.parquet"),
        pd.concat([pd.read_parquet(folder / f"facts_{subset}.parquet") for subset in SHARES]),
        CURATION,
        decisions=read_decisions(None),
        counts=counts,
        seed=1,
    )
    write_table(folder / "pairs.parquet", found.pairs)


def split(folder: Path, _: int) -> None:
    """Take the published split and measure what it shares."""
    pairs = pd.read_parquet(folder / "pairs.parquet")
    fractions = ENTRY["split"]["fractions"]
    found = published(pairs, fractions, 1)
    leakage(pairs, found, "published", fractions)
    write_table(folder / "split.parquet", found)


def pack(folder: Path, size: int) -> None:
    """Decode every image and resize it."""
    pairs = pd.read_parquet(folder / "pairs.parquet")
    path = folder / f"images_{size}.npy"
    pack_images(pairs, _archives(folder), path, size=size, squaring="crop")
    path.unlink()


def _archives(folder: Path) -> dict[str, Path]:
    return {subset: folder / description.file_name(subset, "x") for subset in SHARES}


STEPS: dict[str, tuple[Callable[[Path, int], None], int]] = {
    "ingest": (ingest, 0),
    "inspect": (inspect, 0),
    "curate": (curated, 0),
    "split": (split, 0),
    "pack, 96 pixels": (pack, 96),
    "pack, 224 pixels": (pack, 224),
}


def _measured(name: str, folder: Path) -> dict[str, float]:
    """Take a step; return its seconds and the peak of the memory that is its process's own.

    Pages of files that are mapped, as packed images are, are not counted: the system takes them
    back when others want the room.
    """
    step, size = STEPS[name]
    over, peak = threading.Event(), [_own_mib()]

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], _own_mib())

    watching = threading.Thread(target=watch)
    watching.start()
    started, before = time.monotonic(), _cpu_seconds()
    step(folder, size)
    seconds, cpu_seconds = time.monotonic() - started, _cpu_seconds() - before
    over.set()
    watching.join()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak[0]}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _own_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def measure(patches: int, seed: int, within: Path, steps: Sequence[str]) -> list[dict[str, str]]:
    """Draw patches and take these steps, each in a fresh process; one line of the table each."""
    folder = within / str(patches)
    write_patches(folder, patches, seed)
    lines = []
    for name in steps:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = pool.apply(_measured, (name, folder))
        print(patches, name, found, flush=True)
        lines.append(
            {
                "step": name,
                "patches": f"{patches:,}",
                "seconds": f"{found['seconds']:.1f}",
                "CPU seconds": f"{found['cpu_seconds']:.1f}",
                "CPU ms per patch": f"{1000 * found['cpu_seconds'] / patches:.3f}",
                "peak memory, MiB": f"{found['peak_mib']:.0f}",
            }
        )
    return lines


def main() -> None:
    """Measure every number of patches, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[2000, 8000])
    parser.add_argument("--steps", nargs="+", default=[*STEPS], choices=[*STEPS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where files go; else a temporary folder")
    parser.add_argument("--table", type=Path, default=Path("pcam_scale.md"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as within:
        lines = [
            line
            for patches in arguments.patches
            for line in measure(patches, arguments.seed, Path(within), arguments.steps)
        ]
    table = pd.DataFrame(lines).sort_values("step", kind="stable", key=_in_order)
    notes = [
        f"{cpu_model()}; random patches, seed {arguments.seed}; each step in a process of its own, "
        "its imports not counted",
        "peak memory: what is the process's own (RssAnon), read every 20 ms",
    ]
    text = as_markdown(table, title="Patches at scale", notes=notes)
    arguments.table.write_text(text, encoding="utf-8")
    print(text)


def _in_order(steps: pd.Series) -> pd.Series:
    return steps.map(list(STEPS).index)


if __name__ == "__main__":
    main()
