"""A paper's file, config/papers/<name>.yaml: what it states, and what of ours stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pairdx.plan.configuration import read_yaml
from pairdx.plan.items import Item, Kind, World
from pairdx.plan.outputs import SUFFIXES, found, is_left_out, path_of
from pairdx.plan.validation import problems
from pairdx.plan.wording import similar

FOLDER = Path("config", "papers")
SCHEMA = Path("workflow", "schemas", "paper.schema.yaml")
# Of the key `beside`: the paper has numbers of its own for each of its datasets.
EACH = "each"


@dataclass(frozen=True)
class PaperItem:
    """A table or figure of a paper, as one of ours.

    Attributes:
        name: Such as table_5, the target being paper_table_5.
        item: Our item.
        system: The system that it is about; None where it is about none.
        grid: The grid that it is; None where it is none.
    """

    name: str
    item: Item
    system: str | None
    grid: str | None = None

    @property
    def label(self) -> str:
        """How it is called: Table 5."""
        kind, _, number = self.name.partition("_")
        return f"{kind.capitalize()} {number}"

    @property
    def title(self) -> str:
        """What it shows, for lists of targets."""
        shown = self.item.label[:1].lower() + self.item.label[1:]
        about = self.system or (f"the grid {self.grid}" if self.grid else None)
        return f"{shown} of {about}" if about else shown


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        name: Of its file.
        content: Of its file.
    """

    name: str
    content: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Its file, from the folder of the Snakefile."""
        return (FOLDER / f"{self.name}.yaml").as_posix()

    @property
    def datasets(self) -> Sequence[str]:
        """Names of the datasets that may stand beside it."""
        return list(self.content["datasets"])

    @property
    def each(self) -> bool:
        """Whether each of them stands beside it, and not only the first that runs."""
        return self.content.get("beside") == EACH

    @property
    def split(self) -> str:
        """The split of ours that is the paper's."""
        return str(self.content["split"])

    @property
    def systems(self) -> Mapping[str, Any]:
        """What it states about its systems, by the keys that registry entries name."""
        return dict(self.content["systems"])

    @cached_property
    def items(self) -> Sequence[PaperItem]:
        """Its tables and figures that are made here, in the order of the file."""
        listed = []
        for name, entry in self.content["items"].items():
            item = found(_kind(name), entry["item"])
            if item is not None:
                listed.append(PaperItem(name, item, entry.get("system"), entry.get("grid")))
        return listed

    def dataset(self, names: Sequence[str]) -> str | None:
        """Return the first of its datasets that is among these names, or None."""
        return next(iter(self.beside(names)), None)

    def beside(self, names: Sequence[str]) -> list[str]:
        """Return those of its datasets among these names that stand beside it, in its order."""
        found = [name for name in self.datasets if name in names]
        return found if self.each else found[:1]

    def stated(self, key: str | None, dataset: str, split: str) -> Mapping[str, Any]:
        """Return what it states about a system on a split; nothing off its datasets and split.

        Args:
            key: The system's key in the file: ``paper`` of the registry's entry.
            dataset: Name of the dataset.
            split: Name of the split.
        """
        if key is None or dataset not in self.datasets or split != self.split:
            return {}
        stated = self.systems[key]
        return dict(stated.get(dataset, {}) if self.each else stated)

    def configured(self, config: Mapping[str, Any], dataset: Mapping[str, Any]) -> dict[str, float]:
        """Return what it states as a number and the configuration decides, by name.

        Args:
            config: The whole configuration.
            dataset: The entry of the dataset that stands beside it.
        """
        places = {"config": config, "dataset": dataset}
        values = {}
        for name, source in self.content["configured"].items():
            ((place, path),) = source.items()
            value: Any = places[place]
            for key in path.split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            if (number := _number(value)) is not None:
                values[name] = number
        return values

    def label(self, kind: Kind, key: str, dataset: str | None) -> str | None:
        """Say which of its items an item of ours is (``Table 8``): ``World.paper_label``.

        Args:
            kind: Of our item.
            key: Of our item.
            dataset: The dataset that it is about; None of one across datasets.
        """
        if dataset is not None and dataset not in self.datasets:
            return None
        for one in self.items:
            if (one.item.kind, one.item.key, one.system, one.grid) == (kind, key, None, None):
                return one.label
        return None

    @property
    def grids(self) -> dict[str, str]:
        """Return how it calls the grids that it has: ``Table 1``, by name."""
        return {one.grid: one.label for one in self.items if one.grid is not None}

    def titles(self, rule: str, dataset: str | None) -> dict[str, str]:
        """Name its items among the outputs of a rule, for titles: ``dataset_csv: Table 3``."""
        if dataset is not None and dataset not in self.datasets:
            return {}
        return {
            f"{one.item.key}_{SUFFIXES[one.item.kind][0]}": one.label
            for one in self.items
            if one.item.rule == rule and one.system is None and one.grid is None
        }

    # ------------------------------------------------------------ targets
    def targets(self) -> dict[str, PaperItem]:
        """Return its items by the names of their targets: paper_table_3 and so on."""
        return {f"paper_{one.name}": one for one in self.items}

    def file_of(self, one: PaperItem, world: World) -> str:
        """Return the file that a target of the paper asks for.

        Raises:
            ValueError: This configuration does not make it; the text says which key decides that.
        """
        dataset = self.dataset(world.datasets)
        if dataset is None:
            raise ValueError(
                f"the paper's items are about the datasets {', '.join(self.datasets)}; enable one "
                "in config key datasets"
            )
        if "split" in one.item.wildcards and self.split not in world.splits_of(dataset):
            raise ValueError(
                f"the paper's items are about the {self.split} split; add it to config key "
                f"datasets.{dataset}.splits"
            )
        if one.system is not None and one.system not in world.systems_of(dataset):
            raise ValueError(
                f"this item of the paper is about {one.system}; config key systems.{one.system} is "
                f"not enabled, or its `datasets` leave out {dataset}"
            )
        if one.grid is not None and one.grid not in world.grids:
            raise ValueError(
                f"this item of the paper is the grid {one.grid}; config key grids has none of this "
                "name, or enables no system of it besides those of its baseline"
            )
        about = dataset if "dataset" in one.item.wildcards else None
        if reason := is_left_out(one.item, world, about):
            raise ValueError(reason)
        filled = {"dataset": dataset, "split": self.split}
        filled |= {"system": one.system or "", "grid": one.grid or ""}
        return path_of(one.item, SUFFIXES[one.item.kind][0], filled)


def papers(root: Path) -> list[str]:
    """Name the papers that there are files of."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def read_paper(root: Path, name: str) -> Paper:
    """Read a paper's file; :func:`problems_of_paper` says what is wrong with it.

    Args:
        root: The folder of the Snakefile.
        name: The configuration's key ``paper``.
    """
    return Paper(name, read_yaml(root / FOLDER / f"{name}.yaml"))


def problems_of_paper(root: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the key ``paper`` and its file, in sentences that name the key.

    Args:
        root: The folder of the Snakefile.
        config: The complete configuration: its systems.
    """
    name = config["paper"]
    if name is None:
        return
    if name not in (known := papers(root)):
        yield (
            f"config key paper: config/papers holds no {name}.yaml{similar(str(name), known)}; "
            f"there are {', '.join(known)}, or null for none"
        )
        return
    paper = read_paper(root, name)
    where = f"{paper.path}: "
    refused = problems(paper.content, read_yaml(root / SCHEMA), lambda: paper.content)
    yield from (where + sentence.removeprefix("config ") for sentence in refused)
    if refused:
        return
    for key, entry in paper.content["items"].items():
        yield from (where + sentence for sentence in _of_item(key, entry))
    if paper.each:
        yield from (where + sentence for sentence in _by_dataset(paper))
    for system, entry in config["systems"].items():
        key = entry["paper"]
        if entry["enabled"] and key is not None and key not in paper.systems:
            yield (
                f"config key systems.{system}.paper: {key} is no system of {paper.path}"
                f"{similar(key, paper.systems)}; use one of {', '.join(paper.systems)}, or null"
            )


def _of_item(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    item = found(_kind(name), entry["item"])
    if item is None:
        yield f"key items.{name}.item: there is no {_kind(name)} called {entry['item']}"
        return
    is_of_system, system = "system" in item.wildcards, entry.get("system")
    if is_of_system != (system is not None):
        needed = "is missing: the item is about one" if is_of_system else "the item is about none"
        yield f"key items.{name}.system: {needed}"
    if ("grid" in item.wildcards) != ("grid" in entry):
        needed = "is missing: the item is one" if "grid" in item.wildcards else "the item is none"
        yield f"key items.{name}.grid: {needed}"


def _by_dataset(paper: Paper) -> Iterator[str]:
    """Numbers that do not stand under one of its datasets, where they have to."""
    places = {"dataset": paper.content["dataset"]}
    places |= {f"systems.{key}": of_system for key, of_system in paper.systems.items()}
    for place, by_dataset in places.items():
        for name in by_dataset:
            if name not in paper.datasets:
                yield (
                    f"key {place}.{name}: with `beside: {EACH}` numbers stand under a dataset of "
                    f"the file{similar(str(name), paper.datasets)}; use one of "
                    f"{', '.join(paper.datasets)}"
                )


def _kind(name: str) -> Kind:
    return "table" if name.startswith("table_") else "figure"


def _number(value: Any) -> float | None:
    if isinstance(value, Mapping):
        return sum(one is not None for one in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return len(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None
