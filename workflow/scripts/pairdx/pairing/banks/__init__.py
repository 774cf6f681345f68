"""Readers of text banks: each returns texts as it finds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.pairing.bank import Bank
from pairdx.pairing.banks import captions, class_prompts, entities, lines, table

READERS = {
    "captions": captions.read,
    "class_prompts": class_prompts.read,
    "entities": entities.read,
    "lines": lines.read,
    "table": table.read,
}


def read_bank(settings: Mapping[str, Any], files: Mapping[str, Path], name: str) -> Bank:
    """Read a text bank.

    Args:
        settings: Its entry in ``text_banks``; of class prompts also ``classes``: display names by
            label.
        files: ``pairs`` of captions; ``source``, and perhaps ``joined``, of what lies in files.
        name: The entry's, for messages.

    Raises:
        PairDxError: A file is missing or cannot be read, a column is missing, or no text is left.
    """
    return READERS[settings["reader"]](settings, files, f"text_banks.{name}")
