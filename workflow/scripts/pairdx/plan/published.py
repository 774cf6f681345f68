"""What of this run stands beside a publication's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import FOLDER, Cell, OfWildcards, Wildcards, paths
from pairdx.plan.items import COMPARISON

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Published:
    """The side of the configuration's paper; empty without one."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.paper = plan, plan.paper

    @property
    def dataset(self) -> str | None:
        """The dataset that stands beside the paper: the first of its that runs."""
        return self.paper.dataset(list(self.plan.datasets)) if self.paper else None

    @property
    def datasets(self) -> list[str]:
        """The datasets that stand beside it: the first, or each (the file's key ``beside``)."""
        return self.paper.beside(list(self.plan.datasets)) if self.paper else []

    @property
    def compared(self) -> list[str]:
        """Those of them that stand in the comparison of all systems, as their tasks have it."""
        return [name for name in self.datasets if name in self.plan.having(COMPARISON)]

    @property
    def places(self) -> list[tuple[str, str]]:
        """Each dataset that stands beside it and has the paper's split, with it."""
        return self._places(self.datasets)

    @property
    def compared_places(self) -> list[tuple[str, str]]:
        """Those of them that stand in the comparison of all systems."""
        return self._places(self.compared)

    def _places(self, names: list[str]) -> list[tuple[str, str]]:
        if self.paper is None:
            return []
        split = self.paper.split
        return [(name, split) for name in names if split in self.plan.datasets[name].splits]

    @property
    def files(self) -> list[str]:
        """The paper's file, from the folder of the Snakefile; none where nothing is beside it."""
        return [self.paper.path] if self.paper and self.dataset else []

    def about(self, dataset: str) -> dict[str, str]:
        """Return what the paper's file says of a dataset in words; nothing of one that is not its.

        ``citation``, and ``follows``: why the dataset was made.
        """
        if self.paper is None or dataset not in self.paper.datasets:
            return {}
        return dict(self.paper.content.get("texts", {}))

    @property
    def title(self) -> str | None:
        """The paper's short title, where something of ours is beside it."""
        return str(self.paper.content["title"]["value"]) if self.paper and self.places else None

    def stated(self, wildcards: Wildcards) -> dict[str, Any] | None:
        """Return what the paper states about the wildcards' system.

        Nothing off its split or about another system; None where it is not about the dataset.
        """
        if self.paper is None or wildcards.dataset not in self.datasets:
            return None
        key = self.plan.system(wildcards).entry["paper"]
        return dict(self.paper.stated(key, wildcards.dataset, wildcards.split))

    @property
    def cells(self) -> list[Cell]:
        """The compared cells of the systems that the paper is about, on its datasets and split."""
        return [
            cell
            for cell in self.plan.cells
            if (cell.dataset, cell.split) in self.compared_places and self._states(cell)
        ]

    def _states(self, cell: Cell) -> bool:
        """Whether it states anything of a cell's system: of each dataset not of every one."""
        key = self.plan.systems[cell.system].entry["paper"]
        return self.paper is not None and bool(self.paper.stated(key, cell.dataset, cell.split))

    def files_of_cells(self, file: str) -> list[str]:
        """List a file of each of these."""
        return paths(f"{FOLDER}/{file}", self.cells)

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """What a table of all its numbers needs to know of every compared dataset beside it.

        ``configured`` (what it states as a number and the configuration decides, by name),
        ``screened`` and ``drawn``.
        """
        return {name: self._facts_of(name) for name in self.compared}

    def _facts_of(self, name: str) -> dict[str, Any]:
        assert self.paper is not None  # noqa: S101 - it has the dataset
        dataset = self.plan.datasets[name]
        screened = dataset.reader.SCREENED
        # What others have filtered was not filtered as the configuration says.
        configured = self.paper.configured(self.plan.config, dataset.entry if screened else {})
        return {"configured": configured, "screened": screened, "drawn": dataset.reader.DRAWN}

    # ------------------------------------------------------------ grids
    def grid_label(self, wildcards: Wildcards) -> str | None:
        """Return how the paper calls the wildcards' grid, where it has it: ``Table 1``."""
        return self.paper.grids.get(wildcards.grid) if self.paper and self.datasets else None

    def keys_of_grid(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the keys of the paper's file by the systems of a grid, run here or not."""
        keys = {
            place.system: self.plan.systems[place.system].entry["paper"]
            for place in self.plan.grids.places(wildcards.grid)
        }
        known = self.paper.systems if self.paper else {}
        return {system: key for system, key in keys.items() if key in known}

    def titles(self, rule: str) -> OfWildcards:
        """Return what names the paper's items among a rule's outputs: dataset_csv: Table 3."""

        def found(wildcards: Wildcards) -> dict[str, str]:
            dataset = wildcards.get("dataset")
            ours = bool(self.datasets) and dataset in (None, *self.datasets)
            return self.paper.titles(rule, dataset) if self.paper and ours else {}

        return found
