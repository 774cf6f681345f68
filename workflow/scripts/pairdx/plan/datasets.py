"""A dataset of the configuration, as rules ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pairdx.plan.descriptions import Reader, analyses_of


@dataclass(frozen=True)
class Dataset:
    """A named source of examples.

    Attributes:
        name: Its key in the section ``datasets``.
        entry: What stands there; curation settled (see :mod:`pairdx.plan.curation`).
        reader: What its reader says of itself.
        config: The whole configuration.
    """

    name: str
    entry: Mapping[str, Any]
    reader: Reader
    config: Mapping[str, Any]

    def key(self, path: str) -> Any:
        """Return the value at a dotted path, such as ``curation.images``."""
        return reduce(lambda value, part: value[part], path.split("."), self.entry)

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of every table and figure."""
        return list(self.entry["classes"])

    @property
    def class_names(self) -> dict[str, str]:
        """The display name of every class, by label."""
        return dict(self.entry["classes"])

    @property
    def analyses(self) -> tuple[str, ...]:
        """The analyses that apply to its task."""
        return analyses_of(self.entry["task"])

    @property
    def splits(self) -> list[str]:
        """The splits that are made; the first is that of what is asked once."""
        return list(self.entry["splits"])

    @property
    def source(self) -> Mapping[str, Any]:
        """What its reader needs."""
        found: Mapping[str, Any] = self.entry["source"]
        return found

    @property
    def archives(self) -> list[str]:
        """What holds its images."""
        return self.reader.archives(self.source)

    def store(self, archive: str) -> str:
        """Say where one of its archives lies, or will lie."""
        return self.reader.store(self.source, self.config, archive)

    @property
    def stores(self) -> list[str]:
        """Where all of them lie."""
        return [self.store(archive) for archive in self.archives]

    @property
    def tables(self) -> dict[str, str]:
        """The files that candidates are read from, by name."""
        return self.reader.tables(self.source, self.config)

    @property
    def asks_out_of_distribution(self) -> bool:
        """Whether systems are asked about pairs of classes that none was trained on."""
        most = self.config["evaluation"]["out_of_distribution_pairs"]
        return bool(self.entry["out_of_distribution"]) and most != 0
