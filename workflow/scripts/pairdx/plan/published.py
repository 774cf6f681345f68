"""What of this run stands beside a publication's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import FOLDER, Cell, OfWildcards, Wildcards, paths

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
    def cell(self) -> tuple[str, str] | None:
        """That dataset and the paper's split; None where nothing of ours is beside the paper."""
        if self.paper is None or self.dataset is None:
            return None
        made = self.paper.split in self.plan.datasets[self.dataset].splits
        return (self.dataset, self.paper.split) if made else None

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
        return dict(self.paper.content["texts"])

    @property
    def title(self) -> str | None:
        """The paper's short title, where something of ours is beside it."""
        return str(self.paper.content["title"]["value"]) if self.paper and self.cell else None

    def stated(self, wildcards: Wildcards) -> dict[str, Any] | None:
        """Return what the paper states about the wildcards' system.

        Nothing off its split or about another system; None where it is not about the dataset.
        """
        if self.paper is None or wildcards.dataset != self.dataset:
            return None
        key = self.plan.system(wildcards).entry["paper"]
        return dict(self.paper.stated(key, wildcards.dataset, wildcards.split))

    @property
    def cells(self) -> list[Cell]:
        """The cells of the systems that the paper is about, on its dataset and split."""
        if self.paper is None:
            return []
        return [
            cell
            for cell in self.plan.cells
            if (cell.dataset, cell.split) == (self.dataset, self.paper.split)
            and self.plan.systems[cell.system].entry["paper"]
        ]

    @property
    def systems_and_seeds(self) -> list[tuple[str, int]]:
        """System and seed of each of these."""
        return [(cell.system, cell.seed) for cell in self.cells]

    def files_of_cells(self, file: str) -> list[str]:
        """List a file of each of these."""
        return paths(f"{FOLDER}/{file}", self.cells)

    @property
    def configured(self) -> dict[str, float]:
        """What the paper states as a number and the configuration decides, by name."""
        if self.paper is None or self.dataset is None:
            return {}
        dataset = self.plan.datasets[self.dataset]
        # What others have filtered was not filtered as the configuration says.
        entry = dataset.entry if dataset.reader.SCREENED else {}
        return self.paper.configured(self.plan.config, entry)

    def titles(self, rule: str) -> OfWildcards:
        """Return what names the paper's items among a rule's outputs: dataset_csv: Table 3."""

        def found(wildcards: Wildcards) -> dict[str, str]:
            dataset = wildcards.get("dataset")
            ours = self.dataset is not None and dataset in (None, self.dataset)
            return self.paper.titles(rule, dataset) if self.paper and ours else {}

        return found
