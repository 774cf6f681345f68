"""Cells: dataset x split x system x seed, what a rule's job is about, and their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

# The splits between which accuracies are compared: the one that leaks, and the one that does not.
COMPARED_SPLITS = ("stratified", "grouped")
# The split that comes with the data.
PUBLISHED = "published"
# The split that is made for the price of leakage alone, and the one that it is compared with: the
# same test pairs, trained with and without their siblings.
WITH_SIBLINGS, WITHOUT_SIBLINGS = "with_siblings", "grouped"

FOLDER = "<results>/{dataset}/{split}/{system}/seed{seed}"


class Cell(NamedTuple):
    """One training or evaluation."""

    dataset: str
    split: str
    system: str
    seed: int


class Wildcards(Protocol):
    """What a rule's wildcards are to the plan; only those that the rule has can be asked for."""

    dataset: str
    split: str
    system: str
    seed: str
    archive: str
    encoder: str
    size: str
    other: str
    bank: str
    pairing: str
    grid: str
    documents: str
    shard: str

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return a wildcard that may be missing."""


# What rules take where a value depends on the job.
OfWildcards = Callable[[Wildcards], Any]


def folder_of(wildcards: Wildcards, **others: object) -> str:
    """Return the folder of the wildcards' cell, or of one that differs in what is named."""
    cell = {name: getattr(wildcards, name) for name in Cell._fields if name not in others}
    return FOLDER.format(**cell, **others)


def paths(pattern: str, cells: Iterable[Cell]) -> list[str]:
    """Fill {dataset}, {split}, {system} and {seed} of a path with every cell."""
    return [pattern.format(**cell._asdict()) for cell in cells]
