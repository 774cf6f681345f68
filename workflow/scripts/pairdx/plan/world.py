"""The plan as tables and figures ask it: :class:`pairdx.plan.items.World`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pairdx.plan.items import Asked, Kind, Search
from pairdx.plan.plan import Plan
from pairdx.plan.systems import System


class PlansWorld:
    """A plan's answers to what tables and figures ask."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @property
    def datasets(self) -> Sequence[str]:
        """Names of those that run, in table order."""
        return list(self.plan.datasets)

    @property
    def search(self) -> Search | None:
        """The learning-rate search; None where there is none."""
        search = self.plan.search
        return Search(search.dataset, search.split, search.system) if search.section else None

    @property
    def paper(self) -> str | None:
        """Name of the paper's file, or None."""
        return self.plan.paper.name if self.plan.paper else None

    @property
    def paper_dataset(self) -> str | None:
        """The dataset that stands beside the paper in the comparison, or None."""
        return next(iter(self.plan.published.compared), None)

    def title_of_dataset(self, dataset: str) -> str:
        """Return how a dataset is called in tables and figures."""
        return str(self.plan.datasets[dataset].entry["title"])

    def title_of_system(self, system: str) -> str:
        """Return how a system is called in tables and figures."""
        return str(self.plan.systems[system].entry["title"])

    def splits_of(self, dataset: str) -> Sequence[str]:
        """Name the splits of a dataset, in its order."""
        return self.plan.datasets[dataset].splits

    def systems_of(self, dataset: str, asked: Asked | None = None) -> Sequence[str]:
        """Name the enabled systems that run on a dataset, or those of them that are asked."""
        return [system.name for system in self._systems(dataset, asked)]

    def _systems(self, dataset: str, asked: Asked | None) -> list[System]:
        questions, enabled = self.plan.questions, self.plan.systems_of(dataset)
        match asked:
            case None:
                return enabled
            case "curves":
                return [system for system in enabled if system.has_curves]
            case "explanations":
                return questions.explained(dataset)
            case "input_probes":
                probed = {cell.system for cell in questions.input_probed_cells(dataset)}
                return [system for system in enabled if system.name in probed]
            case "leakage_price":
                return [system for system in enabled if self.plan.pricing.chooses(system)]
            case "prompts":
                return questions.prompted(dataset)
            case "texts":
                readers = questions.text_readers(dataset)
                return [system for system in enabled if system.name in readers]

    def analyses_of(self, dataset: str) -> Sequence[str]:
        """Name the analyses that apply to a dataset's task."""
        return self.plan.datasets[dataset].analyses

    def lacks(self, dataset: str) -> Mapping[str, str]:
        """Say what a dataset's data do not tell, each with the reason."""
        return self.plan.datasets[dataset].lacks

    def asks_out_of_distribution(self, dataset: str) -> bool:
        """Say whether systems are asked about pairs of classes that none was trained on."""
        return self.plan.datasets[dataset].asks_out_of_distribution

    @property
    def competition(self) -> str | None:
        """Why there is no table of a competition; None where there is one."""
        return self.plan.findings.no_competition

    @property
    def asks_elsewhere(self) -> bool:
        """Whether any system is asked about another dataset than its own, class by class."""
        return bool(self.plan.tested_on.compared)

    @property
    def grids(self) -> Mapping[str, str]:
        """The titles of tables by backbone and way of adapting, by name."""
        grids = self.plan.grids
        return {
            name: str(grid["title"]) for name, grid in grids.entries.items() if grids.compares(name)
        }

    def pairings_of(self, dataset: str) -> Sequence[str]:
        """Name the pairings whose texts systems on a dataset are trained with."""
        return self.plan.privileged.pairings_of(dataset)

    def image_only_of(self, dataset: str) -> Sequence[str]:
        """Name the trained systems on a dataset that read images alone and learn from no text."""
        return [one.name for one in self.plan.privileged.image_only(dataset)]

    def priced_of(self, dataset: str) -> Sequence[str]:
        """Name what the cost of classifying one image is compared of."""
        return self.plan.inference_cost.names(dataset)

    def paper_label(self, kind: Kind, key: str, dataset: str | None) -> str | None:
        """Say which item of the paper this one is, or None."""
        paper, ours = self.plan.paper, self.plan.published.datasets
        beside = bool(ours) and dataset in (None, *ours)
        return paper.label(kind, key, dataset) if paper and beside else None
