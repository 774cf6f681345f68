"""One text per row of a table; a second table may tell what the first does not, such as organs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.corpus.image_tables import listed, require_columns
from pairdx.corpus.labels import tidy
from pairdx.corpus.table.rows import Called, Rows, read_rows
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.pairing.bank import Bank, bank_of


def read(settings: Mapping[str, Any], files: Mapping[str, Path], key: str) -> Bank:
    """Read the rows that ``keep`` keeps, by columns of the table or of the one that is joined."""
    path, join = Path(files["source"]), settings["join"]
    called = Called("the text bank", "text", f"{key}.path", key, f"{key}.sheet")
    wanted = [("text", settings["text"])]
    if settings["id"] is not None:
        wanted.append(("id", settings["id"]))
    if join:
        wanted.append(("join.on", next(iter(join["on"]))))
    found = _with_kept_columns(path, wanted, settings["keep"], called, elsewhere=bool(join))
    table = found.table.reset_index(drop=True)
    if join:
        table = _joined(table, join, Path(files["joined"]), settings["keep"], key)
    kept = _kept(table, settings["keep"], path, key)
    names = [f"row {number}" for number in kept.index + 1]
    texts = pd.DataFrame(
        {
            "text_id": names if settings["id"] is None else kept[settings["id"]],
            "text": kept[settings["text"]],
            "label": "",
            "row": kept.index + 1,
        }
    ).reset_index(drop=True)
    if settings["id"] is not None and (unnamed := int((texts["text_id"] == "").sum())):
        raise PairDxError(
            f"{unnamed} rows of the text bank have no identifier",
            where=f"{path}, column {settings['id']}",
            remedy=f"set {key}.id to another column, or to null, which numbers the rows",
        )
    texts["pair_ids"] = [[] for _ in range(len(texts))]
    dropped = len(table) - len(kept)
    return bank_of(texts, where=path, cleaning=settings["cleaning"], dropped=dropped)


def _with_kept_columns(
    path: Path,
    wanted: Sequence[tuple[str, str]],
    keep: Mapping[str, Any],
    called: Called,
    *,
    elsewhere: bool,
) -> Rows:
    """Read the wanted columns, and those of ``keep`` that are here if others may be elsewhere."""
    asked = [("keep", name) for name in keep if name not in {column for _, column in wanted}]
    if asked and elsewhere:
        others = read_rows(path, None, wanted, called).others
        asked = [(key, name) for key, name in asked if tidy(name) in others]
    return read_rows(path, None, [*wanted, *asked], called)


def _joined(
    table: pd.DataFrame, join: Mapping[str, Any], path: Path, keep: Mapping[str, Any], key: str
) -> pd.DataFrame:
    """Add the columns of ``keep`` that the second table has; rows without a partner have ""."""
    here, there = next(iter(join["on"].items()))
    wanted = [("on", there), *(("keep", name) for name in keep if name not in table)]
    called = Called("the table that is joined", "text", f"{key}.join.path", f"{key}.join")
    second = read_rows(path, None, [*dict.fromkeys(wanted)], called).table
    second = second[second[there] != ""].drop_duplicates()
    if second.empty:
        raise PairDxError(
            f"the table that is joined has nothing in the column {there}",
            where=path,
            remedy=f"correct {key}.join.on or {key}.join.path",
        )
    if second[there].duplicated().any():
        value = second.loc[second[there].duplicated(), there].iloc[0]
        raise PairDxError(
            f"the table that is joined says several things of {value!r}",
            where=f"{path}, column {there}",
            remedy="keep one of its rows for each value, or join by another column",
        )
    values = _parts(table[here], join["pattern"], f"{key}.join.pattern")
    strangers = ~values.isin(second[there])
    if strangers.all():
        raise PairDxError(
            f"no row of the text bank finds its partner in the table that is joined: the first has "
            f"{values.iloc[0]!r} where that table has {second[there].iloc[0]!r}",
            where=path,
            remedy=f"correct {key}.join.on or {key}.join.pattern",
        )
    if strangers.any():
        logger.warning(
            "%d of %d rows of the text bank find no partner in %s: nothing is known of them there",
            *(int(strangers.sum()), len(table), path),
        )
    partners = second.set_index(there, drop=False).reindex(values).fillna("").set_axis(table.index)
    return table.join(partners[[name for name in partners if name not in table]])


def _parts(cells: pd.Series, pattern: str | None, key: str) -> pd.Series:
    """Return what of each cell a pattern's group finds, "" where it finds nothing."""
    if pattern is None:
        return cells
    found = cells.str.extract(pattern, expand=True).iloc[:, 0].fillna("")
    if (found == "").all():
        raise PairDxError(
            f"{key} finds nothing in any cell, such as {max(cells.head(), key=bool)!r}",
            where=f"column {cells.name}",
            remedy=f"correct {key}; its group is the part that the table that is joined has, too",
        )
    return found


def _kept(table: pd.DataFrame, keep: Mapping[str, Any], path: Path, key: str) -> pd.DataFrame:
    """Return the rows that have an allowed value in every column of ``keep``."""
    require_columns(
        table.columns, [("keep", name) for name in keep], path, table="the text bank", keys=key
    )
    allowed = np.ones(len(table), dtype=bool)
    for column, values in keep.items():
        matches = table[column].str.casefold().isin(_folded(values))
        if not (allowed & matches).any():
            counts = table.loc[allowed, column].replace("", "(nothing)").value_counts()
            there = listed(f"{value} ({count})" for value, count in counts.items())
            raise PairDxError(
                f"{key}.keep keeps no text: none of the rows has {' or '.join(map(repr, values))} "
                f"in the column {column}, where there are: {there}",
                where=path,
                remedy=f"correct the values of {key}.keep.{column}",
            )
        allowed &= matches.to_numpy()
    return table[allowed]


def _folded(values: Collection[str]) -> set[str]:
    return {value.strip().casefold() for value in values}
