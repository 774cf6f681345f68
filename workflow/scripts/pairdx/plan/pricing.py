"""The price of leakage: the same test pairs, trained with and without their siblings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError
from pairdx.plan.cells import (
    FOLDER,
    WITH_SIBLINGS,
    WITHOUT_SIBLINGS,
    Cell,
    Wildcards,
    folder_of,
    paths,
)
from pairdx.plan.items import NO_SPLIT_TO_PRICE, NOTHING_PRICED
from pairdx.plan.systems import System

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Pricing:
    """What the section ``leakage_price`` means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chosen = plan.config["leakage_price"]["systems"]

    def chooses(self, system: System) -> bool:
        """Whether a system is among those chosen, and trained."""
        return system.trained and (self.chosen == "trained" or system.name in self.chosen)

    def shown(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what a table needs to know of the systems that are priced."""
        return self.plan.shown(self.names_of(wildcards))

    @property
    def datasets(self) -> list[str]:
        """The datasets on which any system is priced; where there are none, all: each says why."""
        priced = [name for name in self.plan.datasets if self.systems(name)]
        return priced or list(self.plan.datasets)

    def systems(self, dataset: str) -> list[System]:
        """Return the systems trained once more on a dataset: those chosen that are trained."""
        of = self.plan.datasets[dataset]
        if WITHOUT_SIBLINGS not in of.splits or "leakage_price" not in of.analyses:
            return []
        return [system for system in self.plan.systems_of(dataset) if self.chooses(system)]

    def cells(self, dataset: str, split: str = WITH_SIBLINGS) -> list[Cell]:
        """Return every such training, or those that they are compared with."""
        return [
            Cell(dataset, split, system.name, seed)
            for system in self.systems(dataset)
            for seed in system.seeds
        ]

    def cells_of_dataset(self, wildcards: Wildcards) -> list[tuple[str, int]]:
        """Return system and seed of every such training on the wildcards' dataset."""
        return [(cell.system, cell.seed) for cell in self.cells(wildcards.dataset)]

    def names_of(self, wildcards: Wildcards) -> list[str]:
        """Name the systems that are priced on the wildcards' dataset."""
        return [system.name for system in self.systems(wildcards.dataset)]

    def predictions(self, split: str) -> Callable[[Wildcards], list[str]]:
        """Return what lists their predictions on one of the two splits."""

        def files(wildcards: Wildcards) -> list[str]:
            name = wildcards.dataset
            if WITHOUT_SIBLINGS not in self.plan.datasets[name].splits:
                raise PairDxError(
                    NO_SPLIT_TO_PRICE,
                    remedy=f"add it to config key datasets.{name}.splits",
                )
            if not self.systems(name):
                raise PairDxError(
                    NOTHING_PRICED,
                    remedy="name one there, or ask for another target",
                )
            return paths(f"{FOLDER}/predictions.parquet", self.cells(name, split))

        return files

    def choice(self, wildcards: Wildcards) -> dict[str, str]:
        """For a training with siblings: what the one without chose on validation pairs.

        So that the two differ in nothing else.
        """
        settings = self.plan.system(wildcards).settings
        chooses = isinstance(settings.get("inverse_regularisation"), list)
        if wildcards.split != WITH_SIBLINGS or not chooses:
            return {}
        return {"choice": f"{folder_of(wildcards, split=WITHOUT_SIBLINGS)}/settings.json"}
