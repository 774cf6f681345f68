"""Bad days of storage: a disk that fills up while a job writes its outputs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.packing import pack_images
from slurm.runs import EPOCHS, DisturbedRun, cell, weights
from slurm.verdict import assert_as_undisturbed

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]


class SmallDisk:
    """A file system of its own, in memory, that is full after some kilobytes until it grows."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def grow(self, size: str) -> None:
        """Make room, keeping what is there."""
        self._mount("-o", f"remount,size={size}")

    def _mount(self, *options: str) -> None:
        command = ["mount", *options, str(self.folder)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        if done.returncode:  # a container may forbid it
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    def remove(self) -> None:
        """Take the file system away, with what is on it."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in which two megabytes can be written."""
    disk = SmallDisk(tmp_path / "disk", "2m")
    yield disk.folder
    disk.remove()


WRITERS: dict[str, Callable[[Path], object]] = {
    "weights.safetensors": lambda path: save_file({"a": torch.zeros(1_000_000)}, path),
    "state.pt": lambda path: torch.save({"a": torch.zeros(1_000_000)}, path),
    "table.parquet": lambda path: pd.DataFrame({"a": np.random.rand(1_000_000)}).to_parquet(path),
    "array.npy": lambda path: np.save(path, np.zeros(1_000_000)),
    "text.md": lambda path: path.write_text("a" * 10_000_000, encoding="utf-8"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_called_that_whatever_library_meets_it(full_disk: Path, name: str) -> None:
    """PyTorch says `unexpected pos`, NumPy counts elements: the user reads of the disk."""
    with (
        pytest.raises(PairDxError, match="no room left on the disk") as caught,
        written_whole(full_disk / name) as aside,
    ):
        WRITERS[name](aside)
    assert name in str(caught.value)
    assert list(full_disk.iterdir()) == []


def test_packing_on_a_full_disk_ends_with_the_error_and_not_by_a_signal(full_disk: Path) -> None:
    """Writing through a memory map to a full disk would kill the process (SIGBUS)."""
    pair = {"archive": "PMC1", "member": "a.webp", "image_edit": ""}
    pairs = pd.DataFrame([pair | {"pair_id": str(number)} for number in range(20)])
    with pytest.raises(PairDxError, match="no room left on the disk"):
        pack_images(pairs, {"PMC1": full_disk}, full_disk / "images.npy", size=224)


def test_a_training_whose_output_disk_is_full_says_so_and_keeps_its_state(
    run: DisturbedRun,
) -> None:
    """When there is room, the next start trains no epoch again."""
    system = "on_a_full_disk"
    disk = SmallDisk(run.folder / "results" / Path(cell(system)).parent, "1m")
    try:
        run.start(system, retries=0)
        assert run.finish() != 0
        assert "there is no room left on the disk" in run.output
        assert weights(system) in run.output
        assert list(disk.folder.rglob("*.safetensors")) == []
        assert run.epochs_done(system) == EPOCHS

        disk.grow("100m")
        run.start(system, retries=0)
        assert run.finish() == 0, run.output
        assert f"resuming after epoch {EPOCHS} of {EPOCHS}" in run.logged(system)
        assert_as_undisturbed(run, system)
    finally:
        run.kill()
        disk.remove()
