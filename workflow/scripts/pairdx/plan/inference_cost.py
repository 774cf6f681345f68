"""Whose cost of classifying one image is compared: image-only networks, and whole CLIP models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import Cell, Wildcards
from pairdx.plan.systems import System

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

# Stands before the name of an encoder, whose two towers are priced as one.
BOTH_TOWERS = "both_towers_of_"
# The settings that decide what a network with a backbone is when it classifies.
DECIDE = ("backbone", "resize_to", "text_branch", "fusion", "distil_into")
# The way of a system in the table: from its own settings.
UNIMODAL, TAUGHT, WHOLE = "unimodal", "taught", "both_towers"


class InferenceCost:
    """What the comparison of inference is made of, by dataset."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    # ---------------------------------------------------------------- who
    def compared(self, dataset: str) -> dict[str, str | None]:
        """Return the image-only networks, each with the one that its time is divided by, if any.

        Those of the grids, row by row, with what their row has in the grid's baseline column. Where
        no grid has any: those that learn from privileged texts, with the unimodal ones of the same
        backbone. Of those that are one network when they classify, the first stands for all.
        """
        found = self._of_grids(dataset) or self._of_backbones(dataset)
        first: dict[str, str] = {}
        for name in found:
            first.setdefault(self._network(name), name)
        return {
            name: None if against is None else first[self._network(against)]
            for name, against in found.items()
            if first[self._network(name)] == name
        }

    def _network(self, name: str) -> str:
        """Tell networks apart that classify; how they were trained is nothing to their cost."""
        system = self.plan.systems[name]
        if not _backbone(system):
            return name
        parts = {key: system.settings.get(key) for key in DECIDE}
        return json.dumps([system.entry["family"], system.entry.get("image_size"), parts])

    def _of_grids(self, dataset: str) -> dict[str, str | None]:
        running = {one.name for one in self._image_only(dataset)}
        found: dict[str, str | None] = {}
        for grid in self.plan.config["grids"].values():
            for row in grid["rows"].values():
                baseline = row["systems"].get(grid["baseline"])
                baseline = baseline if baseline in running else None
                each = [baseline, *row["systems"].values()]
                for name in (one for one in each if one in running):
                    found.setdefault(name, None if name == baseline else baseline)
        return found

    def _of_backbones(self, dataset: str) -> dict[str, str | None]:
        systems = self._image_only(dataset)
        found: dict[str, str | None] = {}
        for taught in (one for one in systems if one.pairing is not None):
            baseline = next((one.name for one in systems if _is_plain(one, taught)), None)
            if baseline is not None:
                found.setdefault(baseline, None)
            found[taught.name] = baseline
        return found

    def _image_only(self, dataset: str) -> list[System]:
        applies = "inference_cost" in self.plan.datasets[dataset].analyses
        return [
            one
            for one in (self.plan.systems_of(dataset) if applies else ())
            if one.trained and one.family.NETWORK and one.reads == ["image"]
        ]

    def encoders(self, dataset: str) -> dict[str, str | None]:
        """Return the encoders that texts are paired by, each with what its time is divided by.

        That is the unimodal system of its own image tower; or else the first that is compared.
        """
        compared = self.compared(dataset)
        baselines = [one for one, against in compared.items() if against is None]
        paired = self.plan.privileged.encoders_of(dataset) if compared else set()
        return {
            name: next(
                (one for one in baselines if _backbone(self.plan.systems[one]).get("name") == name),
                next(iter(baselines), None),
            )
            for name in self.plan.config["feature_extractors"]
            if name in paired
        }

    def names(self, dataset: str) -> list[str]:
        """Name everything that is compared on a dataset."""
        return [*self.compared(dataset), *(f"{BOTH_TOWERS}{one}" for one in self.encoders(dataset))]

    # ---------------------------------------------------------------- of the rule
    def files(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what each is loaded from: ``settings``, ``weights`` and so on, with its number.

        A system is that of the first split and seed: its cost depends on the architecture alone.
        """
        dataset = wildcards.dataset
        split, seed = self.plan.datasets[dataset].splits[0], self.plan.config["seeds"][0]
        found: dict[str, Any] = {}
        for at, name in enumerate(self.compared(dataset)):
            # What these functions ask of wildcards, a cell has.
            cell: Any = Cell(dataset, split, name, seed)
            own = {**self.plan.files.built_from(cell), **self.plan.files.saved_first(cell)}
            found |= {f"{part}_{at}": file for part, file in own.items()}
        for at, name in enumerate(self.encoders(dataset), len(self.compared(dataset))):
            weights = self.plan.config["feature_extractors"][name]["weights"]
            if weights is not None:
                found[f"pretrained_{at}"] = self.plan.outside.weights_files(weights)
        return found

    def systems(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the networks in the order of their numbers: name, against, way and image size."""
        dataset = self.plan.dataset(wildcards)
        return [
            {
                "name": name,
                "against": against,
                "way": UNIMODAL if self.plan.systems[name].pairing is None else TAUGHT,
                "image_size": self.plan.systems[name].image_size(dataset),
            }
            for name, against in self.compared(dataset.name).items()
        ]

    def whole_models(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the encoders, whose numbers follow: also what each is built from."""
        dataset = self.plan.dataset(wildcards)
        squaring = dataset.key("packing.squaring")
        described = self.plan.config["feature_extractors"]
        return [
            {
                "name": f"{BOTH_TOWERS}{name}",
                "encoder": name,
                "random_weights": self.plan.privileged.is_random(name),
                "against": against,
                "way": WHOLE,
                "settings": {**described[name], "squaring": squaring},
            }
            for name, against in self.encoders(dataset.name).items()
        ]

    def modules(self, wildcards: Wildcards) -> list[str]:
        """Name what the job imports by name: the families of the networks."""
        named = {self.plan.systems[one].entry["family"] for one in self.compared(wildcards.dataset)}
        return [f"pairdx.models.{family}.system" for family in sorted(named)]


def _backbone(system: System) -> Mapping[str, Any]:
    found: Mapping[str, Any] = system.settings.get("backbone") or {}
    return found


def _is_plain(system: System, taught: System) -> bool:
    """Say whether a system is another's backbone with a head and nothing besides."""
    same = system.entry["family"] == taught.entry["family"]
    plain = system.pairing is None and system.settings.get("text_branch") is None
    return same and plain and _backbone(system) == _backbone(taught)
