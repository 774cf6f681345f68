"""What the script of the real histology says of folders that are not what it needs."""

from __future__ import annotations

import sys

import pytest

import real_histology


def test_data_may_lie_in_the_folder_that_is_named_or_in_one_below(tmp_path) -> None:
    inner = tmp_path / "real_histology"
    (inner / "images").mkdir(parents=True)
    (inner / "facts.csv").touch()
    with pytest.raises(FileNotFoundError, match=r"real_histology has no reports\.csv$"):
        real_histology.data_in(tmp_path)
    (inner / "reports.csv").touch()
    assert real_histology.data_in(tmp_path) == real_histology.data_in(inner) == inner


def test_nothing_is_written_where_weights_are_missing(tmp_path, monkeypatch) -> None:
    data, made = tmp_path / "data", tmp_path / "made"
    for part in real_histology.PARTS:
        (data / part).mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", ["", str(data), str(tmp_path / "none"), str(made)])
    with pytest.raises(SystemExit, match=r"WEIGHTS: .*none has no efficientnet_lite0"):
        real_histology.main()
    assert not made.exists()
