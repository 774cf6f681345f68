"""Grids: tables of systems by backbone and by way of adapting it, on every dataset that has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pairdx.plan.cells import FOLDER, Cell, OfWildcards, Wildcards, paths

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class GridPlace(NamedTuple):
    """One cell of a grid.

    Attributes:
        row: Key of the backbone.
        column: Key of the way.
        dataset: Name of the dataset.
        split: Name of the split.
        system: Name of the system.
        left_out: Why there is no result; None where there is one.
    """

    row: str
    column: str
    dataset: str
    split: str
    system: str
    left_out: str | None


class Grids:
    """What the section ``grids`` means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entries: dict[str, Any] = dict(plan.config["grids"])

    def compares(self, grid: str) -> bool:
        """Whether anything is made that could be compared: a way besides the baseline runs."""
        baseline = self.entries[grid]["baseline"]
        places = self.places(grid)
        return any(one.left_out is None and one.column != baseline for one in places)

    def shown(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what tables need of the wildcards' grid: its words, and its cells."""
        entry = self.entries[wildcards.grid]
        return {
            **{key: entry[key] for key in ("title", "metric", "baseline", "columns")},
            "rows": {key: row["title"] for key, row in entry["rows"].items()},
            "places": self.places(wildcards.grid),
        }

    def places(self, grid: str) -> list[GridPlace]:
        """Return the cells of a grid, row by row, with the reason of those that are not run.

        A row need not have a system in every column: then there is no such cell. Nor is there any
        on datasets that none of the grid's systems can run on, or that it is not about.
        """
        entry = self.entries[grid]
        return [
            GridPlace(row, column, dataset, split, system, self._left_out(system, dataset))
            for row, of_row in entry["rows"].items()
            for dataset in self.datasets_of(grid)
            for split in self.plan.datasets[dataset].splits
            for column in entry["columns"]
            if (system := of_row["systems"].get(column)) is not None
        ]

    def cells(self, wildcards: Wildcards) -> list[Cell]:
        """Return the cells that the wildcards' grid shows, each once, in the order of all cells."""
        places = self.places(wildcards.grid)
        named = {(one.dataset, one.split, one.system) for one in places if one.left_out is None}
        return [cell for cell in self.plan.cells if cell[:3] in named]

    def files(self, file: str) -> OfWildcards:
        """Return what lists a file of each of these."""
        return lambda wildcards: paths(f"{FOLDER}/{file}", self.cells(wildcards))

    def registry(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the systems of these."""
        return self.plan.shown(list(dict.fromkeys(one.system for one in self.cells(wildcards))))

    def datasets(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the datasets of the wildcards' grid, and labels."""
        shown = self.plan.shown_datasets()
        return {
            name: {**shown[name], "classes": list(self.plan.datasets[name].labels)}
            for name in self.datasets_of(wildcards.grid)
        }

    def datasets_of(self, grid: str) -> list[str]:
        """Name the datasets that run and that a grid is about: any of its systems can run there."""
        named = self.entries[grid].get("datasets")
        rows = self.entries[grid]["rows"].values()
        systems = [self.plan.systems[name] for row in rows for name in row["systems"].values()]
        return [
            name
            for name, dataset in self.plan.datasets.items()
            if (named is None or name in named)
            and any(system.why_not_on(dataset) is None for system in systems)
        ]

    def _left_out(self, name: str, dataset: str) -> str | None:
        system = self.plan.systems[name]
        if system.entry["enabled"]:
            return system.why_not_on(self.plan.datasets[dataset])
        reason = f"config key systems.{name}.enabled is false"
        weights = system.weights_name
        source = self.plan.config["downloads"]["weights"].get(weights, {})
        if "where" in source and source["path"] is None:
            return f"{reason}; its weights must be asked for: {source['where']}"
        return reason
