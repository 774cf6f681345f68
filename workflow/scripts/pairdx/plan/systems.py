"""A system of the registry, as rules ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairdx.plan.datasets import Dataset
from pairdx.plan.descriptions import Family

# What tables and figures need to know of a system: not its settings, so that editing these redraws
# nothing.
SHOWN = ("title", "trained", "random", "stand_in", "paper")
# Settings that stand for what a publication describes without its exact form: tables and figures
# with such systems say that these are reconstructions.
RECONSTRUCTED = ("sentence_sampling", "relaxation")
# The reader of text banks that are the captions of the dataset itself.
CAPTIONS = "captions"


def bank_on(pairing: Mapping[str, Any], dataset: str) -> str | None:
    """Name the bank that a pairing chooses from on a dataset; None where it names none."""
    named: str | Mapping[str, str] = pairing["bank"]
    return named if isinstance(named, str) else named.get(dataset)


@dataclass(frozen=True)
class System:
    """One entry of the registry: a family with settings; one row of a comparison.

    Attributes:
        name: Its key in the section ``systems``.
        entry: What stands there.
        family: What its family says of itself.
        config: The whole configuration.
    """

    name: str
    entry: Mapping[str, Any]
    family: Family
    config: Mapping[str, Any]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings as the registry states them."""
        found: Mapping[str, Any] = self.entry["settings"]
        return found

    @property
    def trained(self) -> bool:
        """Whether anything is learned."""
        return bool(self.entry["trained"])

    @property
    def random(self) -> bool:
        """Whether another seed gives another result."""
        return bool(self.entry["random"])

    @property
    def has_curves(self) -> bool:
        """Whether it is trained in epochs."""
        return self.trained and self.family.NETWORK

    @property
    def seeds(self) -> list[int]:
        """The seeds it runs for: the first one without randomness."""
        seeds: list[int] = self.config["seeds"]
        return seeds if self.random else seeds[:1]

    @property
    def device(self) -> str:
        """Where it is trained: networks where the key ``device`` says, all else on the CPU."""
        return str(self.config["device"]) if self.family.NETWORK else "cpu"

    @property
    def gpus(self) -> int:
        """How many GPUs train it together."""
        return int(self.settings.get("gpus", 1))

    @property
    def reads(self) -> list[str]:
        """What it reads when it classifies: of ``image`` and ``caption``."""
        return self.family.reads(self.settings)

    @property
    def needs(self) -> list[str]:
        """What it is built from that is made of the dataset."""
        return self.family.needs(self.settings)

    @property
    def encoder(self) -> str | None:
        """The frozen encoder whose features it reads."""
        return self.family.encoder(self.settings)

    @property
    def weights_name(self) -> str | None:
        """The pretrained weights that it is built from, a key of downloads.weights, if any."""
        return self.family.weights_name(self.settings, self.config)

    @property
    def pairing(self) -> str | None:
        """The pairing whose texts it is trained with, a key of pairings, if any."""
        return self.family.pairing(self.settings)

    def bank(self, dataset: Dataset) -> str | None:
        """The bank that these texts are of on a dataset; None where there is none."""
        if self.pairing is None:
            return None
        return bank_on(self.config["pairings"][self.pairing], dataset.name)

    @property
    def needs_of_pairs(self) -> list[str]:
        """What it cannot do without, in training or when it classifies: image, caption."""
        trained_on = self.family.learns_from(self.settings) if self.trained else []
        return list(dict.fromkeys([*self.reads, *trained_on]))

    def why_not_on(self, dataset: Dataset) -> str | None:
        """Say why it is not asked about a dataset; None where it is."""
        named = self.entry.get("datasets")
        if named is not None and dataset.name not in named:
            return f"config key systems.{self.name}.datasets keeps it from {dataset.name}"
        bank = self.bank(dataset)
        if self.pairing is not None and bank is None:
            return f"config key pairings.{self.pairing}.bank names no bank for {dataset.name}"
        if dataset.several and (reason := self.why_not_several):
            return reason
        of_captions = bank is not None and self.config["text_banks"][bank]["reader"] == CAPTIONS
        if (of_captions or "caption" in self.needs_of_pairs) and "captions" in dataset.lacks:
            verb = "reads" if "caption" in self.reads else "is trained on"
            return f"it {verb} captions, and {dataset.lacks['captions']}"
        return None

    @property
    def why_not_several(self) -> str | None:
        """Say why it is not asked about several labels per pair; None where it is.

        No loss here is of several labels: what is trained learns from what is told of images.
        """
        if not self.family.SEVERAL:
            return f"a system of the family {self.entry['family']} knows one label per pair"
        if self.trained and "caption" not in self.family.learns_from(self.settings):
            return "it is trained on one label per pair"
        return None

    def runs_on(self, dataset: Dataset) -> bool:
        """Whether it is asked about a dataset."""
        return self.why_not_on(dataset) is None

    def image_size(self, dataset: Dataset) -> int:
        """Return the side of the packed images that it sees, in pixels."""
        return int(self.entry.get("image_size") or dataset.key("packing.image_size"))

    def build_settings(self, dataset: Dataset, home: Dataset | None = None) -> dict[str, Any]:
        """Return what its family builds it from, for one dataset.

        Args:
            dataset: Whose classes it is asked about.
            home: The dataset on which it is what it is; None: the same.
        """
        of_dataset = {
            "squaring": dataset.key("packing.squaring"),
            "class_names": dataset.class_names,
            "class_prompts": dataset.class_prompts,
            "several": dataset.several,
            "bank": self.bank(dataset),
        }
        settings = self.settings_for(home or dataset)
        return dict(self.family.build_settings(settings, self.config, of_dataset))

    def settings_for(self, dataset: Dataset) -> dict[str, Any]:
        """Return the settings as they are on one dataset."""
        return {**self.settings, **self.entry.get("for_dataset", {}).get(dataset.name, {})}

    def shown(self) -> dict[str, Any]:
        """Return what tables and figures need to know of it; ``reconstructed`` only where it is."""
        stated = [self.settings.get(key) or {} for key in RECONSTRUCTED]
        reconstructed = any(one and one.get("form") != "none" for one in stated)
        known = {"reconstructed": True} if self.trained and reconstructed else {}
        return {**{key: self.entry[key] for key in SHOWN}, **known}
