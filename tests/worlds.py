"""Configurations as far as tables, figures and papers ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pairdx.plan.items import Asked, Kind, Search
from pairdx.tasks.multi_label.analyses import ANALYSES as OF_SEVERAL_LABELS
from pairdx.tasks.single_label.analyses import ANALYSES as OF_ONE_LABEL

# Of every task: what each item is part of.
ANALYSES = (*OF_ONE_LABEL, *OF_SEVERAL_LABELS)
ALL_ASKED: dict[Asked, Sequence[str]] = {
    "curves": ["net"],
    "explanations": ["net", "words"],
    "input_probes": ["net"],
    "leakage_price": ["net"],
    "prompts": ["net"],
    "texts": ["words"],
}
SEARCH = Search("one", "grouped", "net")


@dataclass(frozen=True)
class Run:
    """A configuration: its datasets with their splits, two systems, and what these are asked.

    Of the paper, only the dataset's table is an item. Systems read a dataset called `closed` as one
    without further classes.
    """

    splits: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {"one": ["stratified", "grouped"]}
    )
    systems: Sequence[str] = ("net", "words")
    asked: Mapping[Asked, Sequence[str]] = field(default_factory=lambda: ALL_ASKED)
    search: Search | None = SEARCH
    paper: str | None = "pairdx"
    paper_dataset: str | None = "one"
    analyses: Sequence[str] = ANALYSES
    missing: Mapping[str, str] = field(default_factory=dict)
    competition: str | None = None

    @property
    def datasets(self) -> Sequence[str]:
        """In the order of the splits."""
        return list(self.splits)

    def title_of_dataset(self, dataset: str) -> str:
        """Tell it from the name."""
        return f"Data {dataset}"

    def title_of_system(self, system: str) -> str:
        """Tell it from the name."""
        return system.capitalize()

    def analyses_of(self, dataset: str) -> Sequence[str]:
        """The same on every dataset."""
        del dataset
        return self.analyses

    def splits_of(self, dataset: str) -> Sequence[str]:
        """As they were given."""
        return self.splits[dataset]

    def systems_of(self, dataset: str, asked: Asked | None = None) -> Sequence[str]:
        """All on every dataset."""
        del dataset
        return self.asked.get(asked, []) if asked else self.systems

    def lacks(self, dataset: str) -> Mapping[str, str]:
        """The same on every dataset."""
        del dataset
        return self.missing

    def asks_out_of_distribution(self, dataset: str) -> bool:
        """On all but one."""
        return dataset != "closed"

    @property
    def asks_elsewhere(self) -> bool:
        """Always."""
        return True

    @property
    def grids(self) -> Mapping[str, str]:
        """One."""
        return {"backbones": "Backbones by way"}

    def pairings_of(self, dataset: str) -> Sequence[str]:
        """One on every dataset but one."""
        return [] if dataset == "closed" else ["reports"]

    def image_only_of(self, dataset: str) -> Sequence[str]:
        """One on every dataset."""
        del dataset
        return ["net"]

    def priced_of(self, dataset: str) -> Sequence[str]:
        """The net on every dataset but one."""
        return [] if dataset == "closed" else ["net"]

    def paper_label(self, kind: Kind, key: str, dataset: str | None) -> str | None:
        """One table."""
        is_one = (kind, key) == ("table", "dataset") and dataset == self.paper_dataset
        return "Table 3" if is_one else None
