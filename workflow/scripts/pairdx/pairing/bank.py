"""A bank of texts: which are kept, which rejected and why, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.files import read_table, write_json, write_table
from pairdx.pairing.cleaning import cleaned, harmless

COLUMNS = ["text_id", "text", "label", "pair_ids", "row"]
EMPTY, REPEATED = "empty", "repeated"
LONGEST_SHOWN = 200  # characters of a rejected text


@dataclass(frozen=True)
class Bank:
    """Texts to choose from.

    Attributes:
        texts: text_id (unique), text, label ("" or a class), pair_ids (the pairs whose caption it
            is; none elsewhere), row (line or row of the source, from 1).
        rejected: row, reason (``empty``, ``repeated``), text (its first characters).
        summary: Counts: ``read``, ``dropped`` (by ``keep``), ``kept``, ``rejected`` by reason,
            ``changed`` by cleaning; ``characters``: median and longest of those kept.
    """

    texts: pd.DataFrame
    rejected: pd.DataFrame
    summary: Mapping[str, Any]


def bank_of(
    found: pd.DataFrame,
    *,
    where: object,
    cleaning: bool = False,
    dropped: int = 0,
    remedy: str = "name a source that holds texts, or the column in which they stand",
) -> Bank:
    """Clean texts, and reject those of which nothing is left or that are there already.

    Texts are the same if they differ in case and blanks only. Captions of the same words are one
    text of several pairs, and none is rejected for it; prompts of two classes are two texts.

    Args:
        found: The columns of :attr:`Bank.texts`.
        where: The source, for the error.
        cleaning: Whether remains of optical character recognition are taken out. Control
            characters always are.
        dropped: How many rows of the source are no texts of the bank.
        remedy: What to do where no text is left.

    Raises:
        PairDxError: No text is left, or two have the same identifier.
    """
    texts = [(cleaned if cleaning else harmless)(text) for text in found["text"]]
    table = found[COLUMNS].copy()
    table["text"] = pd.Series(texts, index=found.index, dtype=str)
    words = pd.Series([" ".join(text.casefold().split()) for text in texts], index=found.index)
    empty = words.map(is_empty)
    same = pd.DataFrame({"words": words, "label": table["label"]})[~empty].duplicated()
    repeated = same.reindex(found.index, fill_value=False)
    kept = table[~empty & ~repeated].reset_index(drop=True)
    if kept.empty:
        raise PairDxError(
            f"the text bank is empty: of {len(found)} texts, {int(empty.sum())} have no letter or "
            "digit",
            where=where,
            remedy=remedy,
        )
    _refuse_same_identifiers(kept["text_id"], where)
    merged = table["pair_ids"].map(len).gt(0)
    if merged.any():
        of_same = table.loc[~empty, "pair_ids"].groupby(words[~empty], sort=False)
        merged_ids: list[Any] = [[one for ids in group for one in ids] for _, group in of_same]
        kept["pair_ids"] = pd.Series(merged_ids, index=kept.index, dtype=object)
    reasons = pd.Series(EMPTY, index=found.index).where(empty, REPEATED)
    gone = empty | (repeated & ~merged)
    rejected = pd.DataFrame(
        {
            "row": found.loc[gone, "row"],
            "reason": reasons[gone],
            "text": found.loc[gone, "text"].map(lambda text: harmless(text)[:LONGEST_SHOWN]),
        }
    ).reset_index(drop=True)
    lengths = kept["text"].str.len()
    summary = {
        "read": len(found) + dropped,
        "dropped": dropped,
        "kept": len(kept),
        "rejected": {name: int((rejected["reason"] == name).sum()) for name in (EMPTY, REPEATED)},
        "changed": int((table["text"] != found["text"].str.strip()).sum()),
        "characters": {"median": float(lengths.median()), "longest": int(lengths.max())},
    }
    return Bank(kept, rejected, summary)


def is_empty(text: str) -> bool:
    """Say whether a text has no letter or digit."""
    return not any(map(str.isalnum, text))


def _refuse_same_identifiers(names: pd.Series, where: object) -> None:
    twice = names[names.duplicated()]
    if len(twice):
        raise PairDxError(
            f"{len(twice)} texts have the identifier of another, such as {twice.iloc[0]!r}",
            where=where,
            remedy="set the bank's key `id` to a column that names every row, or to null",
        )


def write_bank(bank: Bank, texts: str, rejected: str, summary: str) -> None:
    """Write the three files of a bank."""
    write_table(texts, bank.texts)
    write_table(rejected, bank.rejected)
    write_json(summary, dict(bank.summary))


def read_texts(path: str | Path) -> pd.DataFrame:
    """Read the texts of a bank, as :attr:`Bank.texts`; pair_ids are lists."""
    table = read_table(path)
    return table.assign(pair_ids=table["pair_ids"].map(lambda ids: [str(one) for one in ids]))
