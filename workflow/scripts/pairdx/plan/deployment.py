"""Which systems are put to use outside the workflow, of which cells, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError
from pairdx.plan.cells import FOLDER, WITHOUT_SIBLINGS, Cell, Wildcards, folder_of, paths
from pairdx.plan.datasets import Dataset
from pairdx.plan.systems import System

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

KEY = "deployment"
# The one tokeniser that a deployed folder can hold as data: words that have vectors.
WORDS = "words"


class Deployment:
    """What the key ``deployment`` means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @property
    def _section(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.plan.config[KEY]
        return found

    # ---------------------------------------------------------------- who
    def why_not(self, system: System, dataset: Dataset) -> str | None:
        """Say why a system of a dataset cannot be deployed, whatever is asked for; None if not."""
        if (reason := system.why_not_on(dataset)) is not None:
            return reason
        if not system.family.EXPORTED:
            return f"systems of the family {system.entry['family']} have no network to export"
        reader = self._text_reader(system, dataset)
        if reader is not None and reader["tokeniser"] != WORDS:
            return f"its tokeniser ({reader['tokeniser']}) cannot be handed on as data"
        return None

    def split(self, dataset: Dataset) -> str | None:
        """Name the split whose systems are deployed; None where the dataset has not the stated one.

        Where none is stated, the grouped one, whose validation pairs share nobody with training;
        without it the first.
        """
        stated: str | None = self._section["split"]
        if stated is not None:
            return stated if stated in dataset.splits else None
        return WITHOUT_SIBLINGS if WITHOUT_SIBLINGS in dataset.splits else dataset.splits[0]

    def seed(self, system: System) -> int:
        """Return the seed that is deployed: the stated one, or that of a system with one only."""
        stated: int | None = self._section["seed"]
        return stated if stated in system.seeds else system.seeds[0]

    def left_out(self, dataset: Dataset) -> dict[str, str]:
        """Say of every system that runs on a dataset and is not deployed, why not."""
        split, chosen = self.split(dataset), self._section["systems"]
        found: dict[str, str] = {}
        for system in self.plan.systems_of(dataset.name):
            if isinstance(chosen, list) and system.name not in chosen:
                found[system.name] = f"config key {KEY}.systems does not name it"
            elif (reason := self.why_not(system, dataset)) is not None:
                found[system.name] = reason
            elif chosen == "trained" and not system.trained:
                found[system.name] = f"config key {KEY}.systems takes those that are trained"
            elif split is None:
                stated = f"config key {KEY}.split: {self._section['split']}"
                found[system.name] = f"{stated} is not among its splits"
        return found

    @property
    def cells(self) -> list[Cell]:
        """The cells that the target ``deployed`` makes folders of, in the order of tables."""
        return [
            Cell(name, str(self.split(dataset)), system.name, self.seed(system))
            for name, dataset in self.plan.datasets.items()
            for system in self.plan.systems_of(name)
            if system.name not in self.left_out(dataset)
        ]

    def folders(self) -> list[str]:
        """List the folders of these cells."""
        return paths(f"{FOLDER}/deployed", self.cells)

    def listed(self) -> list[dict[str, Any]]:
        """Return a row per dataset and system: what is deployed where, and what is not and why."""
        folders = {(cell.dataset, cell.system): cell for cell in self.cells}
        rows: list[dict[str, Any]] = []
        for name, dataset in self.plan.datasets.items():
            reasons = self.left_out(dataset)
            for system in self.plan.systems_of(name):
                cell = folders.get((name, system.name))
                folder = "" if cell is None else FOLDER.format(**cell._asdict()) + "/deployed"
                rows.append(
                    {
                        "dataset": name,
                        "system": system.name,
                        "title": system.entry["title"],
                        "stand_in": system.entry["stand_in"],
                        "folder": folder.removeprefix("<results>/"),
                        "left_out": reasons.get(system.name, ""),
                    }
                )
        return rows

    # ---------------------------------------------------------------- one job
    def files(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what a folder is made of.

        Raises:
            PairDxError: The wildcards' system cannot be deployed.
        """
        system, dataset = self.plan.system(wildcards), self.plan.dataset(wildcards)
        if (reason := self.why_not(system, dataset)) is not None:
            raise PairDxError(
                f"{system.name} cannot be deployed on {dataset.name}: {reason}",
                remedy="ask for another system; <results>/deployed.csv lists which can be",
            )
        folder = folder_of(wildcards)
        return {
            **self.plan.files.saved(wildcards),
            **self.plan.files.built_from(wildcards),
            **self.plan.files.training_data(wildcards),
            "predictions": f"{folder}/predictions.parquet",
            "others": f"{folder}/out_of_distribution.parquet",
            "passport": f"{folder}/passport.json",
        }

    def stated(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what deployment.json says of the cell that the configuration knows."""
        system, dataset = self.plan.system(wildcards), self.plan.dataset(wildcards)
        image = {
            "size": system.image_size(dataset),
            "squaring": dataset.key("packing.squaring"),
        }
        reader = self._text_reader(system, dataset)
        text = reader and {"tokeniser": WORDS, "tokens": int(reader["settings"]["tokens"])}
        return {
            "system": system.name,
            "title": system.entry["title"],
            "family": system.entry["family"],
            "stand_in": bool(system.entry["stand_in"]),
            "dataset": dataset.name,
            "dataset_title": dataset.entry["title"],
            "split": wildcards.split,
            "seed": int(wildcards.seed),
            "task": dataset.key("task"),
            "classes": [[label, name] for label, name in dataset.class_names.items()],
            "reads": system.reads,
            "image": image if "image" in system.reads else None,
            "text": text,
            "risk": None if dataset.several else self._risk,
        }

    @property
    def _risk(self) -> float:
        return float(self.plan.config["evaluation"]["abstention"]["risk"])

    def _text_reader(self, system: System, dataset: Dataset) -> Mapping[str, Any] | None:
        """Return how a system reads captions when it classifies; None where it reads none."""
        if "caption" not in system.reads:
            return None
        settings = system.settings_for(dataset)
        unknown: Mapping[str, Any] = {"tokeniser": None, "settings": {}}
        return system.family.text_reader(settings, self.plan.config) or unknown
