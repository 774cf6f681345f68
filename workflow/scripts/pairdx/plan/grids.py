"""Grids: tables of systems by backbone and by way of adapting it, on every dataset that has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pairdx.plan.cells import FOLDER, Cell, Wildcards
from pairdx.plan.descriptions import metrics_of

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

# Between the dataset that systems are trained on and the one whose test pairs they are asked about.
ASKED = "/"


class GridPlace(NamedTuple):
    """One cell of a grid.

    Attributes:
        row: Key of the backbone.
        column: Key of the way.
        dataset: Name of the dataset; of systems asked about another, ``trained on/tested on``.
        split: Name of the split that they are trained on.
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
            GridPlace(row, column, place, split, system, self._left_out(system, place))
            for row, of_row in entry["rows"].items()
            for dataset in self.datasets_of(grid)
            for split in self.plan.datasets[dataset].splits
            for place in self.asked_about(grid, dataset)
            for column in entry["columns"]
            if (system := of_row["systems"].get(column)) is not None
        ]

    def asked_about(self, grid: str, dataset: str) -> list[str]:
        """Name the test sets of a grid's systems on a dataset: its own, and if so asked others.

        Left out are those of which nobody knows the classes of any pair.
        """
        if not self.entries[grid].get("tested_on"):
            return [dataset]
        others = self.plan.tested_on.others(dataset)
        places = {dataset: dataset} | {other: f"{dataset}{ASKED}{other}" for other in others}
        known = self.plan.datasets
        return [place for name, place in places.items() if "labels" not in known[name].lacks]

    def cells(self, wildcards: Wildcards) -> list[Cell]:
        """Return the cells that the wildcards' grid shows, each once, in the order of all cells.

        Of systems asked about another dataset, ``dataset`` names both, as in :class:`GridPlace`.
        """
        places = self.places(wildcards.grid)
        named = {(one.dataset, one.split, one.system) for one in places if one.left_out is None}
        homes = dict.fromkeys(one.dataset for one in places)
        return [
            cell._replace(dataset=place)
            for cell in self.plan.cells
            for place in homes
            if place.split(ASKED)[0] == cell.dataset and (place, *cell[1:3]) in named
        ]

    def predictions(self, wildcards: Wildcards) -> list[str]:
        """List the predictions of each of these."""
        return [self._predictions(cell) for cell in self.cells(wildcards)]

    def _predictions(self, cell: Cell) -> str:
        home, _, other = cell.dataset.partition(ASKED)
        folder = FOLDER.format(**cell._replace(dataset=home)._asdict())
        return f"{folder}/{f'tested_on/{other}/' if other else ''}predictions.parquet"

    def registry(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the systems of these."""
        return self.plan.shown(list(dict.fromkeys(one.system for one in self.cells(wildcards))))

    def datasets(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the datasets of the wildcards' grid, and labels."""
        grid = wildcards.grid
        names = [place for name in self.datasets_of(grid) for place in self.asked_about(grid, name)]
        return {name: self._shown_of(name) for name in names}

    def _shown_of(self, place: str) -> dict[str, Any]:
        home, _, other = place.partition(ASKED)
        shown = self.plan.shown_datasets()
        asked = other or home
        title = shown[asked]["title"]
        if other:
            title = f"{shown[home]['title']} \N{RIGHTWARDS ARROW} {title}"
        return {**shown[asked], "title": title, "classes": list(self.plan.datasets[asked].labels)}

    def datasets_of(self, grid: str) -> list[str]:
        """Name the datasets that run and that a grid is about: any of its systems can run there.

        Unless it names them, only those whose task has its metric (where none has, all: then the
        metric is refused).
        """
        named = self.entries[grid].get("datasets")
        rows = self.entries[grid]["rows"].values()
        systems = [self.plan.systems[name] for row in rows for name in row["systems"].values()]
        found = [
            name
            for name, dataset in self.plan.datasets.items()
            if (named is None or name in named)
            and any(system.why_not_on(dataset) is None for system in systems)
        ]
        if named is not None:
            return found
        metric = self.entries[grid]["metric"]
        tasks = {name: self.plan.datasets[name].key("task") for name in found}
        return [name for name in found if metric in metrics_of(tasks[name])] or found

    def _left_out(self, name: str, place: str) -> str | None:
        home, _, other = place.partition(ASKED)
        system = self.plan.systems[name]
        if system.entry["enabled"]:
            reason = system.why_not_on(self.plan.datasets[home])
            elsewhere = self.plan.tested_on.left_out(home, other) if other else {}
            return reason or elsewhere.get(name)
        reason = f"config key systems.{name}.enabled is false"
        weights = system.weights_name
        source = self.plan.config["downloads"]["weights"].get(weights, {})
        if "where" in source and source["path"] is None:
            return f"{reason}; its weights must be asked for: {source['where']}"
        return reason
