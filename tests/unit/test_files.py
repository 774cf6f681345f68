"""Files are written whole or not at all, and others may read them as the user's umask says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pairdx.files import remove_leftovers, written_whole


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")

    def fill_the_disk() -> None:
        with written_whole(path) as aside:
            aside.write_text("half", encoding="utf-8")
            raise RuntimeError("full disk")

    with pytest.raises(RuntimeError, match="full disk"):
        fill_the_disk()
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_weights_on_shared_storage_can_be_read_by_whom_the_umask_allows(
    tmp_path: Path, umask: int, mode: int
) -> None:
    """Safetensors writes a private file of its own in place of ours."""
    path = tmp_path / "model.safetensors"
    before = os.umask(umask)
    try:
        with written_whole(path) as aside:
            save_file({"weight": np.zeros(2)}, aside)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_only_what_a_killed_job_left_of_that_very_file_is_removed(tmp_path: Path) -> None:
    for name in ("model.safetensors", "training.csv", ".other.ab12.safetensors", ".model.json"):
        (tmp_path / name).touch()
    kept = sorted(tmp_path.iterdir())
    (tmp_path / ".model.ab12cd34.safetensors").write_bytes(b"half")
    remove_leftovers(tmp_path / "model.safetensors")
    assert sorted(tmp_path.iterdir()) == kept
