"""The plan: from a checked configuration to the names and paths that rules are made of.

What a rule asks with wildcards is a method that takes them. What concerns one question is a part of
its own: :mod:`pairdx.plan.questions`, :mod:`~pairdx.plan.search`, :mod:`~pairdx.plan.pricing`,
:mod:`~pairdx.plan.tested_on`, :mod:`~pairdx.plan.outside`, :mod:`~pairdx.plan.measured`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import PurePath
from typing import Any

from pairdx.plan import curation
from pairdx.plan.cells import PUBLISHED, WITH_SIBLINGS, Cell, OfWildcards, Wildcards
from pairdx.plan.classifying import Classifying
from pairdx.plan.datasets import Dataset
from pairdx.plan.deployment import Deployment
from pairdx.plan.descriptions import Family, Reader
from pairdx.plan.facts import Facts
from pairdx.plan.files import Files
from pairdx.plan.findings import Findings
from pairdx.plan.grids import Grids
from pairdx.plan.inference_cost import InferenceCost
from pairdx.plan.modules import Modules
from pairdx.plan.outside import Outside
from pairdx.plan.papers import Paper
from pairdx.plan.pricing import Pricing
from pairdx.plan.privileged import Privileged
from pairdx.plan.published import Published
from pairdx.plan.questions import Questions
from pairdx.plan.search import Search
from pairdx.plan.systems import System
from pairdx.plan.tested_on import Elsewhere

NOTHING = "(?!)"  # a regular expression that matches no text


def one_of(names: Sequence[str]) -> str:
    """Return a regular expression for a wildcard that takes these values only."""
    return "|".join(names) or NOTHING


class Plan:
    """What a configuration means.

    Attributes:
        config: The whole configuration, checked.
        families: What families of systems say of themselves, by name.
        datasets: Those that run, in the order of tables, by name.
        systems: All of the registry, enabled or not, and those of the learning-rate search.
        paper: The publication beside whose numbers ours are set; None for none.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        families: Mapping[str, Family],
        readers: Mapping[str, Reader],
        paper: Paper | None,
    ) -> None:
        self.config = config
        self.families = families
        self.paper = paper
        self.datasets = {
            name: Dataset(
                name,
                {**entry, "curation": curation.settings(entry["curation"])},
                readers[entry["reader"]],
                config,
            )
            for name, entry in config["datasets"].items()
            if entry["enabled"]
        }
        self.search = Search(self)
        entries = {**config["systems"], **self.search.entries()}
        self.systems = {
            name: System(name, entry, families[entry["family"]], config)
            for name, entry in entries.items()
        }
        self.questions = Questions(self)
        self.pricing = Pricing(self)
        self.tested_on = Elsewhere(self)
        self.privileged = Privileged(self)
        self.inference_cost = InferenceCost(self)
        self.outside = Outside(self)
        self.files = Files(self)
        self.modules = Modules(self)
        self.facts = Facts(self)
        self.published = Published(self)
        self.grids = Grids(self)
        self.findings = Findings(self)
        self.deployment = Deployment(self)
        self.classifying = Classifying(self)

    # ---------------------------------------------------------------- datasets
    def dataset(self, wildcards: Wildcards) -> Dataset:
        """Return the dataset that the wildcards name."""
        return self.datasets[wildcards.dataset]

    def of(self, path: str) -> OfWildcards:
        """Return what asks the wildcards' dataset for one key, and so depends on no other."""
        return lambda wildcards: self.dataset(wildcards).key(path)

    def labels(self, wildcards: Wildcards) -> list[str]:
        """Return the classes of the wildcards' dataset, in order."""
        return self.dataset(wildcards).labels

    def class_names(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the display name of each of them, by label, in the same order."""
        return self.dataset(wildcards).class_names

    def several(self, wildcards: Wildcards) -> bool:
        """Whether any number of classes can be true of a pair of the wildcards' dataset."""
        return self.dataset(wildcards).several

    def strata(self, wildcards: Wildcards) -> list[str]:
        """Return what pairs count as once in curation and splits (their column ``label``)."""
        return list(self.dataset(wildcards).strata)

    def strata_names(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the display name of each of these, in the same order."""
        return self.dataset(wildcards).strata

    def lacks(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the data of the wildcards' dataset do not tell, each with the reason."""
        return dict(self.dataset(wildcards).lacks)

    def splits(self, wildcards: Wildcards) -> list[str]:
        """Return the splits of the wildcards' dataset."""
        return self.dataset(wildcards).splits

    def needs_subset(self, wildcards: Wildcards) -> bool:
        """Whether the only split is that of the data, and what states no subset is rejected."""
        dataset = self.dataset(wildcards)
        return dataset.splits == [PUBLISHED] and dataset.reader.SCREENED

    def stores(self, wildcards: Wildcards) -> list[str]:
        """Say where the archives of the wildcards' dataset lie."""
        return self.dataset(wildcards).stores

    def archives(self, wildcards: Wildcards) -> list[str]:
        """Name the archives of the wildcards' dataset."""
        return self.dataset(wildcards).archives

    def drawn(self, wildcards: Wildcards) -> bool:
        """Whether the wildcards' dataset is synthetic."""
        return self.dataset(wildcards).reader.DRAWN

    def names_articles(self, wildcards: Wildcards) -> bool:
        """Whether pictures of the wildcards' dataset are shown with the article they are from."""
        return self.dataset(wildcards).reader.ARTICLES

    def curated_by(self, *keys: str) -> OfWildcards:
        """Return what asks for the part of curation that a rule uses, classes among it if named."""

        def part(wildcards: Wildcards) -> dict[str, Any]:
            dataset = self.dataset(wildcards)
            top: dict[str, Any] = {
                "classes": list(dataset.strata),
                "out_of_distribution": dataset.key("out_of_distribution"),
            }
            return {key: top[key] if key in top else dataset.key(f"curation.{key}") for key in keys}

        return part

    @property
    def archive_names(self) -> list[str]:
        """Every archive of any dataset."""
        return list(dict.fromkeys(name for one in self.datasets.values() for name in one.archives))

    def first_split_name(self, wildcards: Wildcards) -> str:
        """Name the first split of the wildcards' dataset."""
        return self.splits(wildcards)[0]

    def reader_name(self, wildcards: Wildcards) -> str:
        """Name the reader of the wildcards' dataset."""
        return str(self.dataset(wildcards).entry["reader"])

    def reader_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what decides how the wildcards' dataset is read."""
        dataset = self.dataset(wildcards)
        return dict(dataset.reader.settings(dataset.source))

    def having(self, analysis: str) -> list[str]:
        """Name the datasets whose task has an analysis, whether or not any system runs there."""
        return [name for name, one in self.datasets.items() if analysis in one.analyses]

    def shown_datasets(self, names: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return what tables across datasets, or across those that are named, need to know."""
        chosen = self.datasets if names is None else names
        return {
            name: {
                "title": self.datasets[name].entry["title"],
                "drawn": self.datasets[name].reader.DRAWN,
                "task": self.datasets[name].key("task"),
            }
            for name in chosen
        }

    @property
    def split_names(self) -> list[str]:
        """Every split that is made of any dataset, that for the price of leakage too."""
        made = [split for one in self.datasets.values() for split in one.splits]
        return list(dict.fromkeys([*made, WITH_SIBLINGS]))

    def drawings(self) -> list[dict[str, str]]:
        """Return the wildcards of the jobs that draw datasets."""
        drawn = [one for one in self.datasets.values() if one.reader.DRAWN]
        folders = [PurePath(next(iter(one.tables.values()))).parent.name for one in drawn]
        return [{"drawing": name} for name in dict.fromkeys(folders)]

    @property
    def drawn_archives(self) -> list[str]:
        """The archives of drawn datasets, which have all the same."""
        drawn = (one for one in self.datasets.values() if one.reader.DRAWN)
        return next((one.archives for one in drawn), [])

    # ---------------------------------------------------------------- systems
    def system(self, wildcards: Wildcards) -> System:
        """Return the system that the wildcards name."""
        return self.systems[wildcards.system]

    @cached_property
    def enabled(self) -> list[System]:
        """The systems that run on any of the datasets, in registry order."""
        return [
            system
            for system in self.systems.values()
            if system.entry["enabled"] and any(map(system.runs_on, self.datasets.values()))
        ]

    def systems_of(self, dataset: str) -> list[System]:
        """Return the systems that run on a dataset, in registry order."""
        return list(self._running_on[dataset])

    @cached_property
    def _running_on(self) -> dict[str, list[System]]:
        """Rules ask for them hundreds of times in a dry run."""
        return {
            name: [system for system in self.enabled if system.runs_on(dataset)]
            for name, dataset in self.datasets.items()
        }

    def left_out(self, dataset: str) -> dict[str, str]:
        """Say of every system that is enabled, but not asked about a dataset, why not."""
        reasons = {
            name: system.why_not_on(self.datasets[dataset])
            for name, system in self.systems.items()
            if system.entry["enabled"]
        }
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def names_of(self, wildcards: Wildcards) -> list[str]:
        """Name the systems that run on the wildcards' dataset."""
        return [system.name for system in self.systems_of(wildcards.dataset)]

    def registered(self, *, trained: bool) -> list[str]:
        """Name the systems, enabled or not, that are trained, or that are not."""
        return [name for name, one in self.systems.items() if one.trained == trained]

    def trained_on(self, device: str) -> list[str]:
        """Name the systems to train on a device, those of the learning-rate search too."""
        rates = self.search.rates()
        return [
            name
            for name, one in self.systems.items()
            if one.trained and one.device == device and (one in self.enabled or name in rates)
        ]

    def reported(self, *, random: bool, curves: bool) -> list[str]:
        """Name the systems with or without further seeds, and with or without training curves."""
        return [
            one.name for one in self.enabled if one.random == random and one.has_curves == curves
        ]

    def shown(self, names: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return what tables and figures need to know of systems."""
        chosen = self.enabled if names is None else [self.systems[name] for name in names]
        return {system.name: system.shown() for system in chosen}

    def shown_of_dataset(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return the same of the systems that run on the wildcards' dataset."""
        return self.shown(self.names_of(wildcards))

    def shown_of_system(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return the same of the one system that the wildcards name."""
        return self.shown([wildcards.system])

    def shown_having(self, analysis: str) -> dict[str, dict[str, Any]]:
        """Return the same of the systems that run on any dataset whose task has an analysis."""
        named = [self.datasets[name] for name in self.having(analysis)]
        return self.shown([one.name for one in self.enabled if any(map(one.runs_on, named))])

    def family_name(self, wildcards: Wildcards) -> str:
        """Name the family of the wildcards' system."""
        return str(self.system(wildcards).entry["family"])

    def stand_in(self, wildcards: Wildcards) -> bool:
        """Whether the wildcards' system takes the place of the real one."""
        return bool(self.system(wildcards).entry["stand_in"])

    def reads(self, wildcards: Wildcards) -> list[str]:
        """Name what the wildcards' system reads when it classifies."""
        return self.system(wildcards).reads

    def gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs train the wildcards' system together."""
        return self.system(wildcards).gpus

    def reads_words(self, dataset: str) -> System | None:
        """Return the first system on a dataset that reads so many words of a caption."""
        systems = self.systems_of(dataset)
        return next((one for one in systems if one.settings.get("tokens")), None)

    def tokens(self, wildcards: Wildcards) -> int | None:
        """Return how many words it reads, on the wildcards' dataset."""
        system = self.reads_words(wildcards.dataset)
        return int(system.settings["tokens"]) if system else None

    def build_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the wildcards' system is built from."""
        return self.system(wildcards).build_settings(self.dataset(wildcards))

    def untrained(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what a job builds an untrained system from; nothing of a trained one."""
        system = self.system(wildcards)
        if system.trained:
            return {}
        seed = int(wildcards.get("seed") or self.config["seeds"][0])
        settings = self.build_settings(wildcards)
        return {"family": system.entry["family"], "settings": settings, "seed": seed}

    # ---------------------------------------------------------------- frozen encoders
    def encoders(self, device: str) -> list[str]:
        """Name the frozen encoders that are used, all or none on the given device.

        By enabled systems, or for the texts of the one that the learning-rate search trains.
        """
        if device != self.config["device"]:
            return []
        named = {name for one in self.datasets.values() for name in self.encoders_of(one)}
        return sorted({*named, *self.privileged.encoders_needed()})

    def encoders_of(self, dataset: Dataset) -> list[str]:
        """Name the frozen encoders whose features systems on a dataset read, or are paired by."""
        named = {one.encoder for one in self.systems_of(dataset.name)}
        named |= self.privileged.encoders_of(dataset.name)
        return sorted(name for name in named if name is not None)

    def encoder_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what a frozen encoder is built from."""
        squaring = self.dataset(wildcards).key("packing.squaring")
        return {**self.config["feature_extractors"][wildcards.encoder], "squaring": squaring}

    # ---------------------------------------------------------------- cells
    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell that is run: datasets, splits, systems in registry order, seeds."""
        return [
            Cell(dataset.name, split, system.name, seed)
            for dataset in self.datasets.values()
            for split in dataset.splits
            for system in self.systems_of(dataset.name)
            for seed in system.seeds
        ]

    def cells_having(self, analysis: str) -> list[Cell]:
        """Return the cells of the datasets whose task has an analysis."""
        named = self.having(analysis)
        return [cell for cell in self.cells if cell.dataset in named]

    def cells_of(self, dataset: str) -> list[Cell]:
        """Return the cells of one dataset."""
        return [cell for cell in self.cells if cell.dataset == dataset]

    def cells_of_dataset(self, wildcards: Wildcards) -> list[tuple[str, str, int]]:
        """Return split, system and seed of the cells of the wildcards' dataset."""
        return [cell[1:] for cell in self.cells_of(wildcards.dataset)]
