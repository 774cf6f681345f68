"""What belongs together in a table of documents, and the subsets that it states for itself.

Each column of groups (a patient, a case, a site) is a grouping of its own: rows that share a value
in any of them belong together, directly or through others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pairdx.corpus.table.description import group_columns
from pairdx.logs import logger

CHECKSUM_DIGITS = 12  # 48 bits: of a million values, two get the same name once in 500 datasets


def groups_of(stated: pd.DataFrame, paths: pd.Series) -> pd.DataFrame:
    """Return article_id, case_id and figure_id of every row.

    Args:
        stated: The columns of groups.
        paths: Of the images, which name rows that state no group.
    """
    alone = "image " + paths
    stated = stated.apply(hidden)
    columns = [stated[name] for name in stated]
    first = columns[0].where(columns[0] != "", alone) if columns else alone
    second = columns[1].where(columns[1] != "", alone) if len(columns) > 1 else paths
    case = first if len(columns) < 2 else _connected(stated, alone)
    return pd.DataFrame({"article_id": first, "case_id": case, "figure_id": second})


def hidden(values: pd.Series) -> pd.Series:
    """Write a short checksum in place of each value that is stated.

    Groups are named in reports and archives, which people hand on: with the numbers of patients in
    them, that could not be. The same value has the same name in every dataset. It is hidden from
    readers, not from somebody who tries all numbers that there may be.
    """
    return values.map({value: checksum(value) if value else "" for value in values.unique()})


def checksum(text: str) -> str:
    """Return the short checksum that stands for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:CHECKSUM_DIGITS]


def _connected(stated: pd.DataFrame, alone: pd.Series) -> pd.Series:
    """Name what is connected by a shared value of any column: by its least value of the first.

    Rows and values are the nodes of a graph, so that time and memory grow with the rows.
    """
    size = len(stated)
    rows, values, numbered = [], [], size
    for name in stated:
        known = np.flatnonzero(stated[name] != "")
        codes, uniques = pd.factorize(stated[name].iloc[known])
        rows.append(known)
        values.append(codes + numbered)
        numbered += len(uniques)
    ends = (np.concatenate(rows), np.concatenate(values))
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(numbered, numbered))
    _, component = connected_components(graph, directed=False)
    names = alone
    for name in reversed(list(stated)):
        names = names.where(stated[name] == "", f"{name} " + stated[name])
    least = names.groupby(component[:size]).min()
    return pd.Series(least.loc[component[:size]].to_numpy(), index=stated.index)


def log_groups(candidates: pd.DataFrame, table: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """Say how large groups are, and which stand in several of the user's own subsets."""
    names = group_columns(settings)
    if not names:
        return
    sizes = candidates["case_id"].value_counts()
    logger.info(
        "%d groups by %s; the largest, %r, has %d of %d images",
        *(len(sizes), " and ".join(names), sizes.index[0], sizes.iloc[0], len(candidates)),
    )
    without = (table[list(names)] == "").all(axis=1).sum()
    if without:
        logger.warning("%d images state no group: each counts as one of its own", without)
    _warn_of_divided(candidates, table, names)


def log_subsets(subsets: pd.Series, column: str) -> None:
    """Count the user's own subsets; a row without one cannot be in the split that they make."""
    counts = subsets[subsets != ""].value_counts()
    stated = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
    logger.info("subsets by the column %s: %s", column, stated)
    if without := int((subsets == "").sum()):
        logger.warning(
            "%d of %d rows state no subset in the column %s: they are rejected where `published` "
            "is the only split; beside others, it is refused as long as one of them is kept",
            *(without, len(subsets), column),
        )


def _warn_of_divided(candidates: pd.DataFrame, table: pd.DataFrame, names: Sequence[str]) -> None:
    subsets = candidates["published_subset"]
    for name in names:
        known = (table[name] != "") & (subsets != "")
        counts = subsets[known].groupby(table.loc[known, name]).nunique()
        if divided := int((counts > 1).sum()):
            logger.warning(
                "%d of %d values of the column %s stand in several of the table's own subsets, "
                "such as %r: tables/leakage says what that shares",
                *(divided, len(counts), name, counts.index[counts > 1][0]),
            )
