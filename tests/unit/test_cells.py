"""The tables of all cells, gathered for what compares systems."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pairdx.reporting.format.cells import of_first_seed, read_by_system

CELLS = [("grouped", "b", 4), ("grouped", "b", 5), ("grouped", "a", 4), ("stratified", "a", 4)]


def test_systems_keep_the_order_of_tables_and_tests_compare_first_seeds(tmp_path: Path) -> None:
    """One trained classifier against another: averaged seeds would be another system."""
    paths = [tmp_path / f"{number}.parquet" for number in range(len(CELLS))]
    for (split, system, seed), path in zip(CELLS, paths, strict=True):
        pd.DataFrame({"is": [f"{split} {system} {seed}"]}).to_parquet(path)
    tables = read_by_system(CELLS, paths, ["a", "b"])
    assert list(tables) == [("a", "grouped"), ("a", "stratified"), ("b", "grouped")]
    assert [len(seeds) for seeds in tables.values()] == [1, 1, 2]
    first = of_first_seed(tables, "grouped", ["a", "b"])
    assert {system: table.loc[0, "is"] for system, table in first.items()} == {
        "a": "grouped a 4",
        "b": "grouped b 4",
    }
