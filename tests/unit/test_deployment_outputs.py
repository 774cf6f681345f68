"""The table of what was classified: the same rows in three formats, safe to open."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from deployed_samples import write_deployed
from pairdx.deployment.folder import read_folder
from pairdx.deployment.journal import Result
from pairdx.deployment.outputs import METADATA, as_columns, columns_of, write_rows
from pairdx.finding_texts import decode
from pairdx.seals import require_sound
from pairdx.sheets import read_text_table


def result(*probabilities: float) -> Result:
    return Result(np.array(probabilities).tobytes(), 1234, bytes(range(32)), 640, 480)


ROWS = [
    ("=cmd.png", 1, result(0.1, 0.7, 0.2)),
    ('two\nlines,"quoted".png', 2, result(0.35, 0.3, 0.35)),
    ("ü.png", 3, Result(None, 4, bytes(32), problem="a text, not an image; only PNG is read")),
    ("", None, Result(problem="no file is named")),
]


def written(folder: Path, kind: str, rows: list[Any] = ROWS, **options: Any) -> Path:
    system = folder / "system"
    if not system.exists():
        write_deployed(system, **options)
    deployed = read_folder(system)
    path = folder / f"out.{kind}"
    pieces = [as_columns(rows[:1], deployed), as_columns(rows[1:], deployed)]
    write_rows(path, kind, deployed.labels, {"identity": deployed.identity}, pieces)
    return path


def test_the_three_formats_hold_the_same_rows(tmp_path: Path) -> None:
    rows = parquet.read_table(written(tmp_path, "parquet")).to_pylist()
    lines = written(tmp_path, "jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = read_text_table(
        written(tmp_path, "csv"), what="it", where="here", remedy="", by_people=True
    )
    assert list(table.columns) == list(rows[0])
    for row, cells in zip(rows, table.to_dict("records"), strict=True):
        for name, value in row.items():
            if isinstance(value, float):
                assert float(cells[name]) == value
            else:
                shown = "" if value is None else str(value)
                shown = shown.lower() if isinstance(value, bool) else shown
                assert cells[name] == shown


def test_classes_are_decided_by_calibrated_probabilities(tmp_path: Path) -> None:
    table = pd.read_parquet(written(tmp_path, "parquet"))
    assert list(table.columns) == columns_of(["ct", "mri", "=x,y"])
    assert table["predicted"].tolist()[:2] == ["mri", "ct"]  # of equals the first
    assert table["probability"].tolist()[:2] == [0.7, 0.35]
    assert table["abstain"].tolist() == [False, True, None, None]  # the threshold is 0.4
    assert table["p_=x,y"].tolist()[:2] == [0.2, 0.35]
    assert table["predicted"].isna().tolist() == [False, False, True, True]
    assert table["problem"].tolist()[:2] == ["", ""]
    assert table["sha256"].iloc[0] == bytes(range(32)).hex()


def test_no_confidence_is_enough_where_no_threshold_kept_the_risk(tmp_path: Path) -> None:
    table = pd.read_parquet(written(tmp_path, "parquet", ROWS[:2], threshold=None))
    assert table["abstain"].tolist() == [True, True]


def test_of_several_labels_all_that_are_found_are_named(tmp_path: Path) -> None:
    options = {"task": "multi_label", "thresholds": [0.3, None, 0.2]}
    table = pd.read_parquet(written(tmp_path, "parquet", ROWS, **options))
    assert table["predicted"].tolist()[:2] == ["mri?|=x,y", "ct|mri?|=x,y"]
    known = decode(table["predicted"].tolist()[:2], ["ct", "mri", "=x,y"])
    np.testing.assert_array_equal(known, [[0, np.nan, 1], [1, np.nan, 1]])
    assert table["abstain"].isna().all()
    assert table["probability"].isna().all()


def test_no_cell_of_csv_is_a_formula(tmp_path: Path) -> None:
    text = written(tmp_path, "csv").read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=cmd.png" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_parquet_says_of_which_model_it_is_and_that_it_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "parquet")
    stated = json.loads(parquet.read_schema(path).metadata[METADATA.encode()])
    assert stated["identity"] == read_folder(tmp_path / "system").identity
    require_sound(path)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(Exception, match="damaged"):
        require_sound(path)
