"""A file of features is read if it holds one row of numbers per pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.models.features import Features, read_features, write_features


def written(path: Path, image: np.ndarray) -> Path:
    counts = {"image": 1, "caption": 1}
    seconds = {"image": 1.0, "caption": 1.0}
    caption = np.ones((2, 3), dtype=np.float32)
    write_features(path, Features(("a", "b"), image, caption, {}, counts, seconds, "cpu"))
    return path


def test_features_come_back_as_they_were_written(tmp_path: Path) -> None:
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = read_features(written(tmp_path / "features.safetensors", image))
    np.testing.assert_array_equal(found.image, image)
    assert found.pair_ids == ("a", "b")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_numbers_are_refused(tmp_path: Path, value: float) -> None:
    image = np.ones((2, 3), dtype=np.float32)
    image[1, 2] = value
    path = written(tmp_path / "features.safetensors", image)
    with pytest.raises(PairDxError, match=r"image features[\s\S]*features\.safetensors"):
        read_features(path)


def test_features_of_fewer_pairs_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "features.safetensors", np.ones((1, 3), dtype=np.float32))
    with pytest.raises(PairDxError, match="one row of numbers for each of 2 pairs"):
        read_features(path)
