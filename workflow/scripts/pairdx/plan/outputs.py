"""What follows from a declared table or figure: outputs of rules, parts of `all`, the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pairdx.plan import items
from pairdx.plan.declared import ITEMS, SYSTEM
from pairdx.plan.items import Item, Kind, World

# Wildcards that all items of a rule have and the rule has not: one job makes a file for each value.
FILLED: Mapping[str, tuple[str, ...]] = {"explain_systems": ("system",)}


def _rule_wildcards() -> dict[str, tuple[str, ...]]:
    """Return the wildcards of rules that have any: those of all their items."""
    found: dict[str, tuple[str, ...]] = {}
    for item in ITEMS:
        own = found.setdefault(item.rule, item.wildcards)
        filled = FILLED.get(item.rule, ())
        found[item.rule] = tuple(
            name for name in own if name in item.wildcards and name not in filled
        )
    return {rule: names for rule, names in found.items() if names}


# What else an item's name has is one output per value.
RULE_WILDCARDS: Mapping[str, tuple[str, ...]] = _rule_wildcards()
# The formats of a kind ...
SUFFIXES: Mapping[Kind, tuple[str, ...]] = {
    "table": ("csv", "md", "tex", "html"),
    "figure": ("svg", "png"),
    "page": ("md", "html"),
}
# ... and the one that the report shows.
SHOWN: Mapping[Kind, str] = {"table": "html", "figure": "svg", "page": "html"}
FOLDERS: Mapping[Kind, str] = {"table": "<results>/tables", "figure": "<results>/figures"}


@dataclass(frozen=True)
class Place:
    """Where the report shows a file: what Snakemake's `report` takes.

    Attributes:
        caption: File in workflow/report.
        category: The category.
        subcategory: The subcategory; None where there is none. A function of the wildcards for a
            rule that has any.
        labels: The labels by name, likewise.
    """

    caption: str
    category: str
    subcategory: str | Callable[[Any], str | None] | None
    labels: dict[str, str] | Callable[[Any], dict[str, str]]


@dataclass(frozen=True)
class Placed:
    """A file of an item.

    Attributes:
        path: With the wildcards of its rule.
        place: Its place in the report; None of a format that it does not show.
    """

    path: str
    place: Place | None = None


def path_of(item: Item, suffix: str, filled: Mapping[str, str]) -> str:
    """Say where a format of an item lies; wildcards that have no value stay."""
    if item.kind == "page":
        path = f"<results>/{{dataset}}/{item.folder}/{item.key}.{suffix}"
    else:
        path = f"{FOLDERS[item.kind]}/{item.stem}.{suffix}"
    for name, value in filled.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def found(kind: Kind, key: str) -> Item | None:
    """Look up an item by its kind and key."""
    return next((item for item in ITEMS if (item.kind, item.key) == (kind, key)), None)


def is_left_out(item: Item, world: World, dataset: str | None) -> str | None:
    """Say why an item is left out; None where it is not."""
    analysis = item.analysis
    if analysis and dataset is not None and analysis not in world.analyses_of(dataset):
        return f"config key datasets.{dataset}.task: {analysis} does not apply to this task"
    if analysis and dataset is None and not _has(world, analysis):
        return items.no_dataset_for(analysis)
    if analysis and dataset is not None and not world.systems_of(dataset):
        return items.no_system_runs(dataset)
    return item.when(world, dataset) if item.when else None


def _has(world: World, analysis: str) -> bool:
    """Whether an analysis applies to any dataset that systems run on."""
    return any(
        analysis in world.analyses_of(dataset) and world.systems_of(dataset)
        for dataset in world.datasets
    )


# ---------------------------------------------------------------- outputs of rules
def outputs(
    world: World, rule: str, dataset: str | None = None, *, without: Collection[str] = ()
) -> dict[str, Placed | list[Placed]]:
    """Return the tables and figures that a rule makes, as its outputs.

    Args:
        world: The configuration.
        rule: Name of the rule.
        dataset: Of a rule with the wildcard `dataset`: the one whose splits and systems decide
            which outputs there are. The wildcard stays in the paths.
        without: Keys of items to leave out, such as ``training`` for systems without curves.

    Returns:
        By ``{key}_{suffix}``; a list where one job makes one file per split or system.
    """
    own = RULE_WILDCARDS.get(rule, ())
    files: dict[str, Placed | list[Placed]] = {}
    for item in ITEMS:
        if item.rule != rule or item.key in without or is_left_out(item, world, dataset):
            continue
        open_ones = [name for name in item.wildcards if name not in own]
        values = list(_filled(item, world, dataset, open_ones))
        for suffix in SUFFIXES[item.kind]:
            each = [
                Placed(
                    path_of(item, suffix, filled),
                    _place(item, world, filled, by_file=bool(own))
                    if suffix == SHOWN[item.kind]
                    else None,
                )
                for filled in values
            ]
            if each:
                files[f"{item.key}_{suffix}"] = each if open_ones else each[0]
    return files


def shapes(world: World, rule: str) -> list[tuple[str, list[str]]]:
    """Group the datasets for which a rule has the same outputs: each group is a rule of its own.

    Returns:
        What is put behind the rule's name (nothing, ``_2``, ``_3`` ...), and the datasets. Datasets
        for which there is no output are in no group. Of a rule across datasets: one group without
        datasets, or none where it makes nothing.
    """
    if rule not in RULE_WILDCARDS:
        return [("", [])] if outputs(world, rule) else []
    groups: dict[tuple[Any, ...], list[str]] = {}
    for dataset in world.datasets:
        made = outputs(world, rule, dataset)
        shape = tuple(
            (name, *(one.path for one in (file if isinstance(file, list) else [file])))
            for name, file in made.items()
        )
        if shape:
            groups.setdefault(shape, []).append(dataset)
    return [("" if at == 1 else f"_{at}", names) for at, names in enumerate(groups.values(), 1)]


# ---------------------------------------------------------------- parts of `all`
def files(world: World, kind: Kind) -> list[str]:
    """List the tables, figures or pages of `all`: every format but a table's or page's HTML."""
    return [
        path_of(item, suffix, filled)
        for item in ITEMS
        if item.kind == kind and not item.asked
        for dataset in _datasets(item, world)
        if not is_left_out(item, world, dataset)
        for filled in _filled(item, world, dataset, item.wildcards)
        for suffix in SUFFIXES[kind]
        if suffix != "html"
    ]


def reasons(world: World) -> dict[str, str]:
    """Say why tables and figures are left out, by their file names without ends."""
    return {
        item.stem.format(**filled): reason
        for item in ITEMS
        for dataset in _datasets(item, world)
        if (reason := is_left_out(item, world, dataset))
        for filled in _filled(item, world, dataset, item.wildcards)
    }


def _datasets(item: Item, world: World) -> list[str | None]:
    return [*world.datasets] if "dataset" in item.wildcards else [None]


def _filled(
    item: Item, world: World, dataset: str | None, names: Collection[str]
) -> Iterator[dict[str, str]]:
    """Yield every value of the named wildcards of an item, for one dataset or across all."""
    if "grid" in names:
        yield from ({"grid": grid} for grid in world.grids)
        return
    if dataset is None:
        yield {}
        return
    splits = world.splits_of(dataset) if "split" in names else [""]
    systems = world.systems_of(dataset, item.systems) if "system" in names else [""]
    for split in splits:
        for system in systems:
            filled = {"dataset": dataset, "split": split, "system": system}
            yield {name: filled[name] for name in names}


# ---------------------------------------------------------------- the report
def _place(item: Item, world: World, filled: Mapping[str, str], *, by_file: bool) -> Place:
    def values(wildcards: Any) -> dict[str, str]:
        own = RULE_WILDCARDS.get(item.rule, ())
        return {**{name: getattr(wildcards, name) for name in own}, **filled}

    def subcategory(wildcards: Any) -> str | None:
        return _subcategory(item, world, values(wildcards))

    def labels(wildcards: Any) -> dict[str, str]:
        return labels_of(item, world, values(wildcards))

    if not by_file:
        return Place(item.caption_file, item.category, subcategory(None), labels(None))
    is_fixed = item.subcategory != SYSTEM
    return Place(
        item.caption_file, item.category, item.subcategory if is_fixed else subcategory, labels
    )


def _subcategory(item: Item, world: World, filled: Mapping[str, str]) -> str | None:
    if item.subcategory != SYSTEM:
        return item.subcategory
    return world.title_of_system(_system(world, filled))


def _system(world: World, filled: Mapping[str, str]) -> str:
    if "system" in filled:
        return filled["system"]
    assert world.search is not None  # noqa: S101 - the one item about a system it does not name
    return world.search.system


def labels_of(item: Item, world: World, filled: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a file: what it is, its split, and where several run its dataset.

    Of the labels the first tells an item from its neighbours; where a later one has two values that
    every item has, the report shows a switch between them.
    """
    dataset = filled.get("dataset")
    if "grid" in filled:
        labels = {"item": f"{world.grids[filled['grid']]} ({item.kind})"}
    elif item.label:
        labels = {"item": _named(item, world, dataset)}
    else:
        labels = {"system": world.title_of_system(_system(world, filled))}
    if split := _split(item, world, filled):
        labels["split"] = split
    if dataset and len(world.datasets) > 1:
        labels["dataset"] = world.title_of_dataset(dataset)
    return labels


def _named(item: Item, world: World, dataset: str | None) -> str:
    part = [
        other
        for other in ITEMS
        if (other.category, other.subcategory) == (item.category, item.subcategory)
    ]
    number = f"{part.index(item) + 1}. " if len(part) > 1 else ""
    if item.kind == "page":
        return f"{number}{item.label}"
    own = None if "system" in item.wildcards else world.paper_label(item.kind, item.key, dataset)
    return f"{number}{item.label} ({own or item.kind})"


def _split(item: Item, world: World, filled: Mapping[str, str]) -> str | None:
    """Return the split that a file is about: all in the part of one system are about one."""
    if "split" in item.wildcards:
        return filled["split"]
    if item.subcategory != SYSTEM:
        return None
    if "dataset" in item.wildcards:
        return world.splits_of(filled["dataset"])[0]
    return world.search.split if world.search else None
