"""A prompt of every class and template: a text that tells the class, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.pairing.bank import Bank, bank_of, is_empty


def read(settings: Mapping[str, Any], _: Mapping[str, Path], key: str) -> Bank:
    """Write the prompts, class by class, with display names as they are configured.

    Raises:
        PairDxError: No prompt of a class has a letter or digit.
    """
    rows = [
        {"text": template.replace("{}", name), "label": label}
        for label, name in settings["classes"].items()
        for template in settings["templates"]
    ]
    telling = {row["label"] for row in rows if not is_empty(row["text"])}
    mute = [label for label in settings["classes"] if label not in telling]
    if mute:
        raise PairDxError(
            f"no prompt of the class(es) {', '.join(map(repr, mute))} has a letter or digit",
            where=key,
            remedy=f"give {key}.templates words beside {{}}, or the class a display name of words "
            "(`classes` of the dataset)",
        )
    return bank_of(numbered(rows, "prompt"), where=key)


def numbered(rows: list[dict[str, str]], word: str) -> pd.DataFrame:
    """Name texts that belong to no pair by their number."""
    found = pd.DataFrame(rows)
    return found.assign(
        text_id=[f"{word} {number}" for number in range(1, len(rows) + 1)],
        pair_ids=pd.Series([[] for _ in rows], dtype=object),
        row=range(1, len(rows) + 1),
    )
