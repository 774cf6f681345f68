"""Several systems of ours for one of the paper's: readings of what its text leaves open.

The first of them stands for the paper's system wherever there is room for one. The paper's numbers
are set beside each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.paper.discrepancies import discrepancies_for_reading

Registry = Mapping[str, Mapping[str, Any]]


def beside_each_other(
    table: pd.DataFrame, readings: Mapping[str, pd.DataFrame], registry: Registry
) -> pd.DataFrame:
    """Put the rows of further readings behind those of the system that they are readings of.

    Args:
        table: What ``discrepancy_table`` returned, with the first reading of every system.
        readings: The same with another reading in its place, by that system's name.
        registry: ``paper`` of every system.

    Returns:
        The rows of ``table``, and of every reading those about its own system; behind
        ``statement`` the column ``system``: which system of ours a row is about, if it is one of a
        further reading. Empty for all others.
    """
    about = table["statement"].str.extract(r"^systems\.([^.]+)\.", expand=False)
    last = {key: at for at, key in enumerate(about) if isinstance(key, str)}
    pieces = [(at, 0, table.iloc[[at]].assign(system=None)) for at in range(len(table))]
    for order, (name, other) in enumerate(readings.items(), start=1):
        key = registry[name]["paper"]
        pieces.append((last[key], order, other[(about == key).to_numpy()].assign(system=name)))
    ordered = [one for *_, one in sorted(pieces, key=lambda piece: piece[:2])]
    # Typed as a whole: pandas would take empty columns of single rows for columns of nothing.
    rows = [row for one in ordered for row in one.to_dict("records")]
    columns = list(table.columns)
    columns.insert(1, "system")
    return pd.DataFrame(rows, columns=columns)


def readings_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the rows as text, each about the system that it is about.

    Args:
        table: What :func:`beside_each_other` returned.
        registry: title, stand_in and paper of every system.
    """
    named = table["system"].fillna("")
    runs = (named != named.shift()).cumsum()
    shown = []
    for _, rows in table.groupby(runs, sort=False):
        name = named[rows.index[0]]
        own = {name: registry[name]} if name else registry
        shown.append(discrepancies_for_reading(rows, own))
    return pd.concat(shown, ignore_index=True)
