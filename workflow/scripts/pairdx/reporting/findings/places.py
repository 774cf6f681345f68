"""Whose predictions of findings are compared where: the places of a comparison, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.files import read_table
from pairdx.reporting.format.labels import readable, system_title

Registry = Mapping[str, Mapping[str, Any]]
# Of what is compared: ``datasets`` (title and classes, by name), and ``splits`` (dataset, other,
# split and the other's split, where that has another name).
Facts = Mapping[str, Any]
NOT_TRAINED = "(not trained)"


@dataclass(frozen=True)
class Asked:
    """A system of all seeds, and the test pairs that it is asked about.

    Attributes:
        dataset: Where it is at home.
        other: Whose pairs these are; at home the same.
        split: The split that it is trained on.
        split_there: The split whose pairs these are.
        system: Key of the registry.
        classes: The findings that are asked about.
        predictions: One predictions table per seed.
    """

    dataset: str
    other: str
    split: str
    split_there: str
    system: str
    classes: Sequence[str]
    predictions: list[pd.DataFrame] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Whose pairs of which split, asked about by systems trained where."""
        return self.other, self.split_there, self.dataset, self.split

    def named(self) -> dict[str, str]:
        """Return the columns that name it."""
        names = ("dataset", "other", "split", "split_there", "system")
        return {name: getattr(self, name) for name in names}


NAMED = ("dataset", "other", "split", "split_there", "system")


def read_asked(
    asked: Iterable[Sequence[Any]], files: Iterable[str | Path], facts: Facts
) -> list[Asked]:
    """Gather the predictions of all seeds, in the order in which places first appear.

    Args:
        asked: Dataset, split, system, seed and the other dataset of every file.
        files: The predictions, in the same order.
        facts: What is known of datasets and splits.
    """
    splits = {tuple(one[:3]): one[3] for one in facts["splits"]}
    found: dict[tuple[str, ...], Asked] = {}
    for (dataset, split, system, _, other), path in zip(asked, files, strict=True):
        key = (dataset, other, split, system)
        if key not in found:
            there = splits.get((dataset, other, split), split)
            classes = [*facts["datasets"][other]["classes"]]
            found[key] = Asked(dataset, other, split, there, system, classes)
        found[key].predictions.append(read_table(path))
    return list(found.values())


def in_order(asked: Iterable[Asked], facts: Facts, registry: Registry) -> list[Asked]:
    """Sort by test pairs, then by where systems are at home, then by system."""
    datasets, systems = [*facts["datasets"]], [*registry]
    asked = list(asked)
    splits = list(dict.fromkeys(name for one in asked for name in (one.split_there, one.split)))
    return sorted(
        asked,
        key=lambda one: (
            datasets.index(one.other),
            splits.index(one.split_there),
            datasets.index(one.dataset),
            splits.index(one.split),
            systems.index(one.system),
        ),
    )


def by_place(asked: Iterable[Asked]) -> dict[tuple[str, str, str, str], list[Asked]]:
    """Gather the systems that are asked about the same test pairs after the same training data."""
    found: dict[tuple[str, str, str, str], list[Asked]] = {}
    for one in asked:
        found.setdefault(one.place, []).append(one)
    return found


def once(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Return rows of which those of a system that is not trained are on the same pairs but once.

    Asked about the pairs of another dataset, it is what it is at home there.

    Args:
        table: With the columns :data:`NAMED`.
        registry: Every system.
    """
    bare = ~table["system"].map(lambda name: bool(registry[name].get("trained"))).astype(bool)
    again = table.duplicated(["other", "split_there", "system"])
    return table[~(bare & again)]


def named_columns(
    table: pd.DataFrame, facts: Facts, registry: Registry, *, system: bool = True
) -> dict[str, list[str]]:
    """Return the titles of rows; of datasets and splits only where they are not all the same.

    Args:
        table: With the columns :data:`NAMED`, of which ``system`` may be missing.
        facts: What is known of datasets.
        registry: Every system.
        system: Whether rows are about one system.
    """
    titles = {name: str(one["title"]) for name, one in facts["datasets"].items()}
    splits = zip(table["split"], table["split_there"], strict=True)
    shown = {
        "Tested on": [titles[name] for name in table["other"]],
        "Trained on": [titles[name] for name in table["dataset"]],
        "Split": [
            readable(here) + ("" if here == there else f" (there: {there})")
            for here, there in splits
        ],
    }
    if system:
        untrained = [not registry[name].get("trained") for name in table["system"]]
        shown["Trained on"] = [
            NOT_TRAINED if bare else title
            for title, bare in zip(shown["Trained on"], untrained, strict=True)
        ]
    one_home = table["dataset"].nunique() == 1 and table["other"].nunique() == 1
    if one_home:
        shown = {"Split": shown["Split"]}
    kept = {name: each for name, each in shown.items() if len(set(each)) > 1}
    if not system:
        return kept
    return kept | {"System": [system_title(name, registry) for name in table["system"]]}
