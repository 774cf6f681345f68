"""Joins that say who found no partner.

A left join gives what finds no partner the same empty cells as what is not known, and an inner join
drops it; a screen that reads those cells is then off without a word.
"""

from __future__ import annotations

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.logs import logger

OF_DIFFERENT_RUNS = (
    "one of the two files is of other pairs: delete the older one, and the workflow makes it again"
)


def joined(left: pd.DataFrame, right: pd.DataFrame, on: str, *, what: str) -> pd.DataFrame:
    """Join two tables in which every row of the left one has one partner in the right one.

    Args:
        left: One row per value of ``on``; its order and index are those of the result.
        right: One row per value of ``on``; may hold more of them.
        on: The column of both.
        what: What the two are, for messages, such as "the split and the pairs".

    Raises:
        PairDxError: A row of the left one has no partner.
    """
    strangers = left.loc[~left[on].isin(right[on]), on]
    if len(strangers):
        raise PairDxError(
            f"{what} do not fit each other: {len(strangers)} of {len(left)} find no partner",
            where=f"{on} {strangers.iloc[0]!r}",
            remedy=OF_DIFFERENT_RUNS,
        )
    return left.merge(right, on=on, how="left", validate="one_to_one").set_axis(left.index)


def joined_where_known(
    left: pd.DataFrame, right: pd.DataFrame, on: str, *, where: object, unknown: str
) -> pd.DataFrame:
    """Join a table of others' making, whose rows may lack a partner; say how many do.

    Args:
        left: Any number of rows per value of ``on``; "" is no value.
        right: One row per value of ``on``; "" is none there either, and finds no row.
        on: The column of both, of text.
        where: The file of the right one, for messages.
        unknown: What is not known of a row without a partner, such as "age and sex".

    Returns:
        The rows of ``left``, in their order, with empty cells where there is no partner.

    Raises:
        PairDxError: No row has a partner.
    """
    stated = left[on].str.strip() != ""
    right = right[right[on].str.strip() != ""]
    alone = stated & ~left[on].isin(right[on])
    if stated.any() and alone.sum() == stated.sum():
        listed = ", ".join(repr(value) for value in right[on].head(3)) or "none"
        raise PairDxError(
            f"no {on} of the images is in this table, so that {unknown} would be known of none "
            f"(of the images: {left.loc[stated, on].iloc[0]!r}; here: {listed})",
            where=where,
            remedy="use tables of one release of the corpus; if they are, their identifiers are "
            "spelled differently: write them in one spelling",
        )
    if alone.any():
        logger.warning(
            "%d of %d images have a %s that %s does not list, such as %r: their %s is not known",
            *(alone.sum(), len(left), on, where, left.loc[alone, on].iloc[0], unknown),
        )
    return left.merge(right, on=on, how="left", validate="many_to_one")
