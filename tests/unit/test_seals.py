"""Files that the workflow reads back: no damage of a byte goes unnoticed, whatever it hits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from damage import damaged
from pairdx.errors import PairDxError
from pairdx.files import read_table, write_table
from pairdx.packed_images import open_packed, packed_file
from pairdx.seals import (
    append_seal,
    fill_seal,
    has_sound_last_line,
    header_to_seal,
    require_sound,
)

TENSORS = {"a": np.arange(40, dtype=np.float32).reshape(5, 8), "b": np.array([3], dtype=np.int64)}
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
HEADER = {"encoder": '{"name": "x"}', "seconds": "1.25"}


PREDICTIONS = pd.DataFrame(
    {
        "pair_id": [f"p{number:03d}" for number in range(100)],
        "p_chart": np.random.default_rng(0).random(100, dtype=np.float32),
    }
)


def sealed_weights(path: Path) -> None:
    save_file(TENSORS, path, header_to_seal(HEADER))
    fill_seal(path)


def sealed_array(path: Path) -> None:
    np.save(path, TENSORS["a"])
    append_seal(path)


def test_a_sealed_file_is_read_as_before(tmp_path: Path) -> None:
    sealed_weights(tmp_path / "x.safetensors")
    require_sound(tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    assert found.keys() == TENSORS.keys()
    assert all(np.array_equal(found[name], TENSORS[name]) for name in TENSORS)
    sealed_array(tmp_path / "x.npy")
    assert has_sound_last_line(tmp_path / "x.npy")
    for mode in (None, "r"):
        assert np.array_equal(np.load(tmp_path / "x.npy", mmap_mode=mode), TENSORS["a"])


def test_equal_content_is_sealed_alike(tmp_path: Path) -> None:
    """Results can be compared byte by byte, as before."""
    for name in ("one.safetensors", "two.safetensors"):
        sealed_weights(tmp_path / name)
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(contents) == 1


def write_predictions(path: Path) -> None:
    write_table(path, PREDICTIONS)


def reads_predictions(path: Path) -> bool:
    try:
        found = read_table(path)
    except Exception:
        return False
    assert found.equals(PREDICTIONS)
    return True


def write_pixels(path: Path) -> None:
    with packed_file(path, ["a", "b"], 2) as pixels:
        pixels[:] = PIXELS


def reads_pixels(path: Path) -> bool:
    try:
        found = open_packed(path)
    except PairDxError:
        return False
    assert np.array_equal(found.of_pairs(["b", "a"])[:], PIXELS[::-1])
    return True


def reads_weights(path: Path) -> bool:
    """Whether a job would take these weights."""
    try:
        require_sound(path)
        found = load_file(path)
    except (PairDxError, SafetensorError):
        return False
    # Damage that makes the seal itself unreadable is the one that changes nothing else.
    assert all(np.array_equal(found[name], TENSORS[name]) for name in TENSORS)
    return True


@pytest.mark.parametrize(
    ("write", "reads", "name"),
    [
        (sealed_weights, reads_weights, "x.safetensors"),
        (write_pixels, reads_pixels, "x.npy"),
        (write_predictions, reads_predictions, "x.parquet"),
    ],
)
def test_no_damage_is_taken_up(
    tmp_path: Path, write: Callable[[Path], None], reads: Callable[[Path], bool], name: str
) -> None:
    """Three hundred random ones each; what is taken all the same is as it was written.

    Of a table without its checksum, a fifth of these are read as other numbers.
    """
    path = tmp_path / name
    write(path)
    content, random = path.read_bytes(), np.random.default_rng(3)
    taken = 0
    for _ in range(300):
        path.write_bytes(damaged(content, random))
        taken += reads(path)
    assert taken < 15
    path.write_bytes(content)
    assert reads(path)


def test_every_bit_of_a_sealed_array_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    sealed_array(path)
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 5):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        assert not has_sound_last_line(path), bit


def test_files_from_outside_have_no_seal_and_are_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "x.safetensors", HEADER)
    require_sound(tmp_path / "x.safetensors")
    np.save(tmp_path / "x.npy", TENSORS["a"])
    assert not has_sound_last_line(tmp_path / "x.npy")


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 8, b"\xff" * 200])
def test_what_is_no_such_file_is_left_to_its_reader(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    require_sound(tmp_path / "x")
    assert not has_sound_last_line(tmp_path / "x")


def test_a_place_for_the_checksum_is_needed(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="no place"):
        fill_seal(tmp_path / "x.safetensors")


def test_a_table_is_written_as_pandas_writes_it(tmp_path: Path) -> None:
    """Any reader of Parquet reads it; and the same content makes the same bytes."""
    for name in ("one.parquet", "two.parquet"):
        write_table(tmp_path / name, PREDICTIONS)
        assert pd.read_parquet(tmp_path / name).equals(PREDICTIONS)
        assert read_table(tmp_path / name, ["pair_id"]).equals(PREDICTIONS[["pair_id"]])
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    PREDICTIONS.to_parquet(tmp_path / "from outside.parquet")
    assert read_table(tmp_path / "from outside.parquet").equals(PREDICTIONS)


def test_damage_names_the_file_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_table(path, PREDICTIONS)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(PairDxError, match=r"is damaged[\s\S]*predictions\.parquet[\s\S]*delete it"):
        read_table(path)
