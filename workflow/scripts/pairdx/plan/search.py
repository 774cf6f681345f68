"""The systems that the learning-rate search trains.

One entry per rate: the searched system's with another learning rate, not enabled, so that no table
or figure of `all` shows it. The rules that train systems train it like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError
from pairdx.plan.cells import FOLDER, Cell, paths
from pairdx.plan.checks.families import problems_of_system
from pairdx.plan.checks.privileged import files_not_stated
from pairdx.plan.items import NOTHING_SEARCHED

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Search:
    """What the section ``learning_rate_search`` means; nothing if it is null."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.section: dict[str, Any] = plan.config["learning_rate_search"] or {}

    @property
    def system(self) -> str:
        """The system that is searched for."""
        return str(self.section["system"])

    @property
    def dataset(self) -> str:
        """The dataset on which it is trained."""
        return str(self.section["dataset"] or next(iter(self.plan.datasets)))

    @property
    def split(self) -> str:
        """The split on which it is trained; empty if there is no search."""
        if not self.section:
            return ""
        return str(self.section["split"] or self.plan.datasets[self.dataset].splits[0])

    def rates(self) -> dict[str, float]:
        """Return the rates to try, lowest first, by the name of the system trained with each.

        A name depends on its rate alone, so that another list trains only what is new in it.
        """
        rates = sorted(map(float, self.section.get("learning_rates", ())))
        return {f"{self.system}_lr{rate!r}": rate for rate in rates}

    @property
    def pairing(self) -> str | None:
        """The pairing whose texts it learns from there; None without any, or without a search."""
        if not self.section:
            return None
        system = self.plan.systems[self.system]
        return system.pairing if system.runs_on(self.plan.datasets[self.dataset]) else None

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return the registry entries of the search."""
        if not self.section:
            return {}
        entry = dict(self.plan.config["systems"][self.system])
        if "for_dataset" in entry:  # a rate that is stated for a dataset would be laid over each
            entry["for_dataset"] = {
                dataset: {key: value for key, value in own.items() if key != "learning_rate"}
                for dataset, own in entry["for_dataset"].items()
            }
        return {
            name: {
                **entry,
                "enabled": False,
                "settings": {**entry["settings"], "learning_rate": rate},
            }
            for name, rate in self.rates().items()
        }

    def _cells(self) -> list[Cell]:
        seed = self.plan.config["seeds"][0]
        return [Cell(self.dataset, self.split, name, seed) for name in self.rates()]

    def states(self, _: Any) -> list[str]:
        """List the states of every rate, which nobody needs once their curves are compared."""
        return [self.plan.files.state_folder(cell) for cell in self._cells()]

    def histories(self, _: Any) -> list[str]:
        """List training.csv of every rate.

        Raises:
            PairDxError: There is nothing to search for.
        """
        if not self.section:
            raise PairDxError(
                NOTHING_SEARCHED,
                remedy="name a system and rates there, or ask for another target",
            )
        system = self.plan.systems[self.system]
        reason = system.why_not_on(self.plan.datasets[self.dataset])
        if reason is not None:
            raise PairDxError(
                f"config key learning_rate_search.dataset: {self.system} is not trained on "
                f"{self.dataset}: {reason}",
                remedy="name another dataset there",
            )
        found = [
            *problems_of_system(self.system, self.plan.config, self.plan.families),
            *files_not_stated(self.plan, self.system, self.dataset),
        ]
        if found:
            raise PairDxError(
                "the system that is searched for cannot be trained:\n" + "\n".join(found),
                remedy="correct the keys, or search for another system",
            )
        return paths(f"{FOLDER}/training.csv", self._cells())

    def facts(self, _: Any) -> dict[str, Any]:
        """Return what the table and the figure of the search need to know."""
        system = self.plan.systems[self.system]
        settings = system.settings_for(self.plan.datasets[self.dataset])
        return {
            "system": self.system,
            "registry": self.plan.shown([self.system]),
            "dataset": self.dataset,
            "split": self.split,
            "seed": self.plan.config["seeds"][0],
            "learning_rates": [*self.rates().values()],
            # Which epoch's weights training keeps.
            "keep_epoch": settings.get("keep_epoch", "last"),
        }
