"""The tables of all cells (split x system x seed), gathered by system and split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from pairdx.files import read_table


def read_by_system(
    cells: Sequence[tuple[str, str, int]], paths: Sequence[str | Path], systems: Iterable[str]
) -> dict[tuple[str, str], list[pd.DataFrame]]:
    """Read a Parquet file per cell: the tables of all seeds, by (system, split), in table order.

    Args:
        cells: Split, system and seed of every file.
        paths: The files, in the same order.
        systems: The systems in the order of every table; splits keep theirs.
    """
    found: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for (split, system, _), path in zip(cells, paths, strict=True):
        found.setdefault((system, split), []).append(read_table(path))
    return {key: found[key] for system in systems for key in found if key[0] == system}


def of_first_seed(
    tables: Mapping[tuple[str, str], Sequence[pd.DataFrame]], split: str, systems: Iterable[str]
) -> dict[str, pd.DataFrame]:
    """Take the first seed's table of every system on one split: one trained classifier of each.

    Seeds averaged would be an ensemble, another system.

    Args:
        tables: As from :func:`read_by_system`.
        split: Whose tables.
        systems: The systems, in the order wanted.
    """
    return {system: tables[system, split][0] for system in systems}
