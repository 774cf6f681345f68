"""The outputs of a job by the names that they have in every rule: an item's key and a format."""

from __future__ import annotations

from typing import Any


def is_made(output: Any, key: str, suffix: str = "csv") -> bool:
    """Say whether a rule's configuration has an item, such as ``split_effect``."""
    return bool(output.get(f"{key}_{suffix}"))


def path_in(output: Any, key: str, suffix: str, at: int | None = None) -> str:
    """Return where an item's format is written.

    Args:
        output: ``snakemake.output``, or a mapping of its names.
        key: The item's file name without what it depends on.
        suffix: The format.
        at: Position, where one job makes the item for several splits or systems.
    """
    found = output[f"{key}_{suffix}"]
    return str(found if at is None else found[at])
