"""What is compared of systems on datasets of several labels per pair, at home and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.plan import finding_prompts
from pairdx.plan.cells import FOLDER, Wildcards
from pairdx.plan.items import FINDINGS, FINDINGS_COMPARISON
from pairdx.plan.tested_on import Asked

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Findings:
    """Whose predictions of findings are read for which table.

    A place is a dataset's test pairs of a split: at home, of the dataset that a system is trained
    on, or of one that it is tested on. Unlike single labels, findings are asked about in the words
    of the other, so that both are scored alike and stand in one table.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @property
    def datasets(self) -> list[str]:
        """Those whose systems are asked about findings, in plan order."""
        return self.plan.having(FINDINGS)

    @property
    def asked(self) -> list[Asked]:
        """Every cell at home, then on every other that it is tested on, in the order of tables."""
        names = self.plan.having(FINDINGS_COMPARISON)
        return [one for name in names for one in self.asked_of(name)]

    def asked_of(self, dataset: str) -> list[Asked]:
        """Return those of one dataset; at home, the other is the dataset itself."""
        elsewhere = self.plan.tested_on
        home = [Asked(*cell, dataset) for cell in self.plan.cells_of(dataset)]
        there = [
            Asked(*cell, other)
            for other in elsewhere.others(dataset)
            for cell in elsewhere.cells(dataset, other)
        ]
        return [*home, *there]

    def asked_by(self, wildcards: Wildcards) -> list[Asked]:
        """Return those of the wildcards' dataset."""
        return self.asked_of(wildcards.dataset)

    @property
    def task(self) -> str:
        """The task of the compared datasets."""
        return str(self.plan.datasets[self.plan.having(FINDINGS_COMPARISON)[0]].key("task"))

    def files(self) -> list[str]:
        """List the predictions of all."""
        return [_file(one) for one in self.asked]

    def files_of(self, wildcards: Wildcards) -> list[str]:
        """List the predictions of those of the wildcards' dataset."""
        return [_file(one) for one in self.asked_by(wildcards)]

    # ---------------------------------------------------------------- the competition
    @property
    def no_competition(self) -> str | None:
        """Why there is no table of a competition; None where there is one."""
        stated = self.plan.config["competition"]
        if stated is None:
            return "no competition is stated: config key competition is null"
        if stated["dataset"] not in self.plan.datasets:
            return f"config key competition.dataset: {stated['dataset']} does not run"
        if not self.in_competition:
            return f"no system is asked about {stated['dataset']}, config key competition.dataset"
        return None

    @property
    def in_competition(self) -> list[Asked]:
        """Every cell that is asked about the dataset of the competition."""
        stated = self.plan.config["competition"] or {}
        return [one for one in self.asked if one.other == stated.get("dataset")]

    def competition_files(self) -> list[str]:
        """List their predictions."""
        return [_file(one) for one in self.in_competition]

    def competition_facts(self) -> dict[str, Any]:
        """Return title, task, classes and chosen findings of its dataset, and systems' homes."""
        stated = self.plan.config["competition"]
        dataset = self.plan.datasets[stated["dataset"]]
        homes = dict.fromkeys(one.dataset for one in self.in_competition)
        return {
            "title": dataset.entry["title"],
            "task": dataset.key("task"),
            "classes": dataset.labels,
            "findings": {name: dataset.class_names[name] for name in stated["findings"]},
            "homes": {name: self.plan.datasets[name].entry["title"] for name in homes},
        }

    def shown_in_competition(self) -> dict[str, dict[str, Any]]:
        """Return what the table needs to know of its systems."""
        return self.plan.shown(list(dict.fromkeys(one.system for one in self.in_competition)))

    def facts(self) -> dict[str, Any]:
        """Return what tables need to know of places: see :meth:`facts_of`."""
        return self._facts(self.asked)

    def facts_of(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the same of the places of the wildcards' dataset.

        ``datasets`` (title and display names of the findings) by name, and ``splits``: where the
        split there has another name, by dataset, other and split.
        """
        return self._facts(self.asked_by(wildcards))

    def _facts(self, asked: list[Asked]) -> dict[str, Any]:
        named = {name for one in asked for name in (one.dataset, one.other)}
        places = dict.fromkeys((one.dataset, one.other, one.split) for one in asked)
        there = {place: self._split_there(*place) for place in places}
        return {
            "datasets": {
                name: {"title": one.entry["title"], "classes": one.class_names}
                for name, one in self.plan.datasets.items()
                if name in named
            },
            "splits": [[*place, split] for place, split in there.items() if split != place[2]],
        }

    def _split_there(self, dataset: str, other: str, split: str) -> str:
        return split if other == dataset else self.plan.tested_on.split_there(split, other)

    def own_prompts(self, wildcards: Wildcards) -> dict[str, str]:
        """Name the set of prompts of each system whose prompts are varied."""
        prompted = self.plan.questions.prompted(wildcards.dataset)
        return {one.name: finding_prompts.chosen(one.settings) for one in prompted}

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the systems that are asked."""
        return self.plan.shown_having(FINDINGS_COMPARISON)


def _file(asked: Asked) -> str:
    folder = FOLDER.format(**asked._asdict())
    elsewhere = "" if asked.other == asked.dataset else f"tested_on/{asked.other}/"
    return f"{folder}/{elsewhere}predictions.parquet"
