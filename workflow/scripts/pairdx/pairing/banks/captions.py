"""The captions of the dataset's own pairs; which are of training pairs, a split decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.files import read_table
from pairdx.pairing.bank import Bank, bank_of


def read(_: Mapping[str, Any], files: Mapping[str, Path], __: str) -> Bank:
    """Read every caption once: a text is called after the first pair that has it."""
    pairs = read_table(files["pairs"], ["pair_id", "caption"])
    found = pairs.rename(columns={"caption": "text"}).assign(
        text_id="caption of " + pairs["pair_id"],
        label="",
        pair_ids=pairs["pair_id"].map(lambda name: [name]),
        row=range(1, len(pairs) + 1),
    )
    return bank_of(
        found,
        where=files["pairs"],
        remedy="the dataset's pairs have no captions: name another `bank` in the pairing",
    )
