"""What a job imports by name, besides what its script names: parts of its code's digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pairdx.plan.cells import OfWildcards, Wildcards

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Modules:
    """The modules of families, readers and tasks, for one job's wildcards."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def family(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports for the wildcards' system: its family, and no other."""
        return [f"pairdx.models.{self.plan.family_name(wildcards)}.system"]

    def predicting(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to predict: the family, its prompts, the rows of the task."""
        prompted = self.plan.system(wildcards).family.PROMPTED
        name, task = self.plan.family_name(wildcards), self.plan.dataset(wildcards).key("task")
        prompting = [f"pairdx.models.{name}.prompting"] if prompted else []
        return [*self.family(wildcards), *prompting, f"pairdx.tasks.{task}.rows"]

    def predicting_elsewhere(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to predict for another dataset: no prompts are varied there."""
        task = self.plan.dataset(wildcards).key("task")
        return [*self.family(wildcards), f"pairdx.tasks.{task}.rows"]

    def rows(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to write predictions of the wildcards' dataset."""
        return [f"pairdx.tasks.{self.plan.dataset(wildcards).key('task')}.rows"]

    def task(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports of the task of the wildcards' dataset, metrics included."""
        return [f"pairdx.tasks.{self.plan.dataset(wildcards).key('task')}.task"]

    def tasks_having(self, analysis: str) -> OfWildcards:
        """Return what names the same of the tasks that have an analysis."""
        datasets = [self.plan.datasets[name] for name in self.plan.having(analysis)]
        tasks = dict.fromkeys(one.key("task") for one in datasets)
        return lambda _: [f"pairdx.tasks.{task}.task" for task in tasks]

    def tasks_of_grid(self, wildcards: Wildcards) -> list[str]:
        """Name the same of the tasks of the datasets of the wildcards' grid."""
        tasks = dict.fromkeys(one["task"] for one in self.plan.grids.datasets(wildcards).values())
        return [f"pairdx.tasks.{task}.task" for task in tasks]

    def timing(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to time the wildcards' system: also the network it exports."""
        exported = self.plan.system(wildcards).family.EXPORTED
        graph = [f"pairdx.models.{self.plan.family_name(wildcards)}.graph"] if exported else []
        description = f"pairdx.models.{self.plan.family_name(wildcards)}.description"
        return [*self.family(wildcards), *graph, description]

    def deploying(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to deploy: also a library's weights, and metrics for the card."""
        library = f"pairdx.models.{self.plan.family_name(wildcards)}.library"
        return [*self.timing(wildcards), library, *self.task(wildcards)]

    def reader(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to read the wildcards' dataset."""
        return [f"pairdx.corpus.{self.plan.reader_name(wildcards)}.reading"]

    def explaining(self, wildcards: Wildcards) -> list[str]:
        """Name what a job imports to explain: their families, and how these are explained."""
        families = sorted({*self.plan.questions.explained_families(wildcards).values()})
        parts = ("system", "explanation")
        return [f"pairdx.models.{family}.{part}" for family in families for part in parts]
