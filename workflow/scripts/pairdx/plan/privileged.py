"""Privileged texts: which systems are trained with texts that no system sees when it classifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pairdx.plan.cells import FOLDER, Cell, Wildcards, paths
from pairdx.plan.systems import CAPTIONS, System, bank_on

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

BANK = "<results>/{dataset}/text_banks/{bank}"
PAIRING = "<results>/{dataset}/{split}/pairings/{pairing}"
# Readers of banks whose texts are a file from outside.
FROM_FILES = ("lines", "table")
# Of a bank's entry, what says where its texts lie, and not which they are.
PLACES = ("path", "where")


class Paired(NamedTuple):
    """One pairing on one split of a dataset."""

    dataset: str
    split: str
    pairing: str


class Privileged:
    """The text banks and pairings of a configuration, and who learns from them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.banks: Mapping[str, Any] = plan.config["text_banks"]
        self.pairings: Mapping[str, Any] = plan.config["pairings"]

    # ---------------------------------------------------------------- who
    def taught(self, dataset: str) -> list[System]:
        """Return the systems on a dataset that are trained with privileged texts."""
        return [one for one in self.plan.systems_of(dataset) if one.pairing is not None]

    def pairings_of(self, dataset: str) -> list[str]:
        """Name the pairings that systems on a dataset learn from, in the order of pairings."""
        named = {one.pairing for one in self.taught(dataset)}
        return [name for name in self.pairings if name in named]

    def image_only(self, dataset: str) -> list[System]:
        """Return the trained systems on a dataset that read images alone and learn from no text."""
        return [
            one
            for one in self.plan.systems_of(dataset)
            if one.trained and one.needs_of_pairs == ["image"] and one.pairing is None
        ]

    def bank_of(self, dataset: str, pairing: str) -> str:
        """Name the bank that a pairing chooses from on a dataset that it names one for."""
        bank = bank_on(self.pairings[pairing], dataset)
        if bank is None:
            raise KeyError(dataset)
        return bank

    def banks_of(self, dataset: str) -> list[str]:
        """Name the banks that pairings on a dataset choose from."""
        return list(dict.fromkeys(self.bank_of(dataset, one) for one in self.pairings_of(dataset)))

    def encoders_of(self, dataset: str) -> set[str]:
        """Name the frozen encoders that pairings on a dataset compare by."""
        return {self.pairings[one]["encoder"] for one in self.pairings_of(dataset)}

    def needed(self) -> dict[str, list[str]]:
        """Name the pairings that are needed, by dataset: that of the learning-rate search, too.

        Its system need not be enabled; what `all` shows and counts is of enabled ones alone.
        """
        found = {dataset: self.pairings_of(dataset) for dataset in self.plan.datasets}
        search = self.plan.search
        if (pairing := search.pairing) is not None and pairing not in found[search.dataset]:
            found[search.dataset].append(pairing)
        return found

    def banks_needed(self) -> list[str]:
        """Name the banks that these choose from."""
        each = [self.bank_of(dataset, one) for dataset, of in self.needed().items() for one in of]
        return list(dict.fromkeys(each))

    def encoders_needed(self) -> list[str]:
        """Name the frozen encoders that these compare by."""
        named = {one for of in self.needed().values() for one in of}
        return sorted({self.pairings[one]["encoder"] for one in named})

    def is_random(self, encoder: str) -> bool:
        """Say whether a frozen encoder has random weights, whatever its name promises."""
        return self.plan.config["feature_extractors"][encoder]["weights"] is None

    def encoders(self, device: str) -> list[str]:
        """Name the frozen encoders of pairings, all or none on the given device."""
        return self.encoders_needed() if device == self.plan.config["device"] else []

    def encoded(self, device: str) -> list[dict[str, str]]:
        """Return dataset, bank and encoder of every encoding of a bank on the given device."""
        if device != self.plan.config["device"]:
            return []
        found = {
            (dataset, self.bank_of(dataset, one), self.pairings[one]["encoder"]): None
            for dataset in self.plan.datasets
            for one in self.pairings_of(dataset)
        }
        return [dict(zip(("dataset", "bank", "encoder"), one, strict=True)) for one in found]

    @property
    def classified(self) -> list[dict[str, Any]]:
        """Return dataset, split, pairing and seed of every text classifier."""
        return [
            {**one._asdict(), "seed": seed}
            for one in self.paired
            if one.split in self.plan.datasets[one.dataset].splits
            for seed in self.plan.config["seeds"]
        ]

    @property
    def paired(self) -> list[Paired]:
        """Every pairing that is made, also for the price of leakage."""
        return [
            Paired(name, split, pairing)
            for name, dataset in self.plan.datasets.items()
            for split in dict.fromkeys(
                [*dataset.splits, *(cell.split for cell in self.plan.pricing.cells(name))]
            )
            for pairing in self.pairings_of(name)
        ]

    # ---------------------------------------------------------------- inputs of rules
    def bank_files(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the wildcards' bank is read from: a file and a joined one, or the pairs."""
        bank = self.banks[wildcards.bank]
        if bank["reader"] == CAPTIONS:
            return {"pairs": f"<results>/{wildcards.dataset}/curated/pairs.parquet"}
        if bank["reader"] not in FROM_FILES:
            return {}
        joined = bank.get("join")
        return {"source": bank["path"], **({"joined": joined["path"]} if joined else {})}

    def from_outside(self) -> dict[str, list[str]]:
        """List the files of the banks that are needed, by the config key that says where they are.

        One that is not stated is none: a check asks for it.
        """
        found: dict[str, list[str]] = {}
        for name in self.banks_needed():
            bank = self.banks[name]
            for key, of in (("path", bank), ("join.path", bank.get("join") or {})):
                if path := of.get("path"):
                    found[f"text_banks.{name}.{key}"] = [path]
        return found

    def bank_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what decides the texts of the wildcards' bank, besides its files."""
        bank = self.banks[wildcards.bank]
        found = {key: value for key, value in bank.items() if key not in PLACES}
        if found.get("join"):
            found["join"] = {key: value for key, value in found["join"].items() if key != "path"}
        if bank["reader"] == "class_prompts":
            found["classes"] = self.plan.class_names(wildcards)
        return found

    def bank_texts(self, wildcards: Wildcards) -> dict[str, str]:
        """Return texts and text features of the bank of the wildcards' pairing."""
        dataset, pairing = wildcards.dataset, wildcards.pairing
        folder = BANK.format(dataset=dataset, bank=self.bank_of(dataset, pairing))
        encoder = self.pairings[pairing]["encoder"]
        return {
            "texts": f"{folder}/texts.parquet",
            "text_features": f"{folder}/{encoder}.safetensors",
        }

    def image_features(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the features of the images by which the wildcards' pairing compares."""
        encoder = self.pairings[wildcards.pairing]["encoder"]
        return {"features": f"<results>/{wildcards.dataset}/features/{encoder}.safetensors"}

    def pairing_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return how the wildcards' pairing chooses."""
        pairing = self.pairings[wildcards.pairing]
        return {key: pairing[key] for key in ("choose", "rank", "keep", "seed")}

    def classifier_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of the text classifier of the wildcards' pairing and dataset."""
        stated = dict(self.pairings[wildcards.pairing]["classifier"])
        return stated | stated.pop("for_dataset", {}).get(wildcards.dataset, {})

    # ---------------------------------------------------------------- what is described
    def described(self, wildcards: Wildcards) -> list[tuple[str, str]]:
        """Return split and pairing of every table of matches of the wildcards' dataset."""
        dataset = self.plan.dataset(wildcards)
        return [
            (split, name) for split in dataset.splits for name in self.pairings_of(dataset.name)
        ]

    def described_files(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return what is described: in the order of :meth:`described`, and of splits and banks.

        ``matches``, ``summaries`` and ``said`` (predictions of the text classifiers, of all seeds)
        by split and pairing; ``splits``; ``texts``, ``banks`` and ``text_features`` by pairing;
        ``seen``: predictions of the systems of :meth:`seen`.
        """
        dataset, seeds = wildcards.dataset, self.plan.config["seeds"]
        folders = [
            PAIRING.format(dataset=dataset, split=split, pairing=pairing)
            for split, pairing in self.described(wildcards)
        ]
        banks = [
            (BANK.format(dataset=dataset, bank=self.bank_of(dataset, one)), self.pairings[one])
            for one in self.pairings_of(dataset)
        ]
        splits = self.plan.splits(wildcards)
        return {
            "matches": [f"{folder}/matches.parquet" for folder in folders],
            "summaries": [f"{folder}/summary.json" for folder in folders],
            "said": [
                f"{folder}/seed{seed}/predictions.parquet" for folder in folders for seed in seeds
            ],
            "splits": [f"<results>/{dataset}/{split}/split.parquet" for split in splits],
            "texts": [f"{folder}/texts.parquet" for folder, _ in banks],
            "banks": [f"{folder}/bank.json" for folder, _ in banks],
            "text_features": [f"{folder}/{one['encoder']}.safetensors" for folder, one in banks],
            "seen": paths(f"{FOLDER}/predictions.parquet", self._seen(dataset)),
        }

    def seen(self, wildcards: Wildcards) -> list[tuple[str, str, int]]:
        """Return split, system and seed of the cells of systems that read images alone."""
        return [cell[1:] for cell in self._seen(wildcards.dataset)]

    def _seen(self, dataset: str) -> list[Cell]:
        names = [one.name for one in self.image_only(dataset)]
        return [cell for cell in self.plan.cells_of(dataset) if cell.system in names]

    def shown_image_only(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of these systems."""
        return self.plan.shown([one.name for one in self.image_only(wildcards.dataset)])

    def shown_pairings(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what tables need to know of the pairings on the wildcards' dataset."""
        dataset = wildcards.dataset
        return {
            name: {
                **{key: self.pairings[name][key] for key in ("choose", "rank", "encoder")},
                "bank": self.bank_of(dataset, name),
                "random_weights": self.is_random(self.pairings[name]["encoder"]),
            }
            for name in self.pairings_of(dataset)
        }

    def taught_by(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the wildcards' system is trained with besides its pairs: nothing of most.

        ``matches``, ``texts`` and ``text_features``; and ``text_encoder``, the weights of the
        encoder that these features are of, where it has any and runs in training.
        """
        system = self.plan.system(wildcards)
        if system.pairing is None:
            return {}
        dataset = self.plan.dataset(wildcards)
        encoder = self.pairings[system.pairing]["encoder"]
        bank = BANK.format(dataset=dataset.name, bank=system.bank(dataset))
        pairing = PAIRING.format(
            dataset=dataset.name, split=wildcards.split, pairing=system.pairing
        )
        weights = self.plan.config["feature_extractors"][encoder]["weights"]
        runs = weights is not None and "text_encoder" in system.needs
        return {
            "matches": f"{pairing}/matches.parquet",
            "texts": f"{bank}/texts.parquet",
            "text_features": f"{bank}/{encoder}.safetensors",
            **({"text_encoder": self.plan.outside.weights_files(weights)} if runs else {}),
        }
