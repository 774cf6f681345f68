"""What no single key of a dataset can get wrong, and what a job would refuse hours later.

Every function yields sentences that begin with the config key. ``config`` is a completed
configuration that the schema allows, ``defaults`` the completed one that nobody has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan import curation
from pairdx.plan.cells import PUBLISHED
from pairdx.plan.checks import classes
from pairdx.plan.classes import folded
from pairdx.plan.descriptions import Reader, findings_of, has_several
from pairdx.plan.schemas import tasks
from pairdx.plan.wording import similar

Config = Mapping[str, Any]
# Folders beside those of the datasets in the results.
TAKEN = ("tables", "figures", "cluster_check")
# The split that comes with data.


def problems(config: Config, readers: Mapping[str, Reader], defaults: Config) -> Iterator[str]:
    """Say everything that is wrong: names and sources of all datasets, the rest of enabled ones."""
    yield from problems_of_names(config)
    yield from problems_of_sources(config, readers)
    yield from problems_of_paths(config, readers)
    yield from classes.problems(enabled(config), config["datasets"], defaults["datasets"])
    yield from problems_of_tasks(config, readers)
    yield from problems_of_vocabularies(config, readers)
    yield from problems_of_splits(config, readers)
    yield from problems_of_sizes(config)
    yield from problems_of_drawings(config, readers)
    yield from problems_of_lacks(config, readers)


def enabled(config: Config) -> dict[str, Config]:
    """Return the datasets of the run, by name."""
    return {name: entry for name, entry in config["datasets"].items() if entry["enabled"]}


def problems_of_names(config: Config) -> Iterator[str]:
    """Names of results' folders, and no dataset at all."""
    for name in config["datasets"]:
        if name in TAKEN:
            yield (
                f"config key datasets: {name} is a folder of the results: give the dataset another "
                f"name than {', '.join(TAKEN)}"
            )
    if not enabled(config):
        known = ", ".join(config["datasets"])
        yield f"config key datasets: no dataset is enabled (there are {known})"


def problems_of_sources(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """What readers find in the sources of all datasets."""
    for name, entry in config["datasets"].items():
        yield from readers[entry["reader"]].problems(f"datasets.{name}.source", entry["source"])


def problems_of_paths(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Paths that are not stated, of data that nobody downloads or draws."""
    for name, entry in enabled(config).items():
        reader, source = readers[entry["reader"]], entry["source"]
        for key in reader.PATHS:
            if source[key] is None and reader.record(source, config) is None:
                whence = f": {reader.TO_ASK_FOR}" if reader.TO_ASK_FOR else ""
                yield f"config key datasets.{name}.source.{key}: no path is stated{whence}"


def problems_of_tasks(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Tasks of one label per pair on data that state several, and the other way round."""
    for name, entry in enabled(config).items():
        several, reader = has_several(entry["task"]), entry["reader"]
        if several == readers[reader].SEVERAL:
            continue
        others = [task for task in tasks() if has_several(task) != several]
        how_many = ("one label per image", "any number of labels per image")
        yield (
            f"config key datasets.{name}.task: {entry['task']} is about {how_many[several]}, and "
            f"what the reader {reader} reads has {how_many[not several]}: write "
            f"{' or '.join(others)}"
        )


def problems_of_vocabularies(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Classes that are none of the findings that the data can state: no image would have them."""
    for name, entry in enabled(config).items():
        if not (stated := findings_of(readers[entry["reader"]])):
            continue
        known = set(map(folded, stated))
        for label in entry["classes"]:
            if folded(label) not in known:
                yield (
                    f"config key datasets.{name}.classes: {label} is none of the findings that "
                    f"these data state ({', '.join(stated)}): every image would count as free of "
                    f"it{similar(label, stated)}"
                )


def problems_of_lacks(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Screens that would reject all there is, because the data do not tell what they ask."""
    for name, entry in enabled(config).items():
        lacks = readers[entry["reader"]].lacks(entry["source"])
        settings = curation.settings(entry["curation"])
        key = f"config key datasets.{name}.curation"
        if "ages" in lacks and settings["unknown_age"] == "reject":
            yield f"{key}.unknown_age: reject would leave nothing: ages: {lacks['ages']}"
        if "licences" in lacks and settings["licences"] is not None:
            yield f"{key}.licences: none would be allowed: licences: {lacks['licences']}"


def problems_of_splits(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Shares that are no whole, and a published split of data that come without."""
    for name, entry in enabled(config).items():
        total = sum(entry["split"]["fractions"].values())
        if abs(total - 1) > 1e-6:
            yield (
                f"config key datasets.{name}.split.fractions: the shares add up to {total:g}; they "
                "must add up to 1"
            )
        reader = readers[entry["reader"]]
        lacking = reader.lacks(entry["source"]).get("subsets")
        if PUBLISHED in entry["splits"] and reader.PUBLISHED_SPLIT and lacking:
            yield (
                f"config key datasets.{name}.splits: {PUBLISHED} is a split that comes with the "
                f"data, and {lacking}"
            )
        if PUBLISHED in entry["splits"] and not reader.PUBLISHED_SPLIT:
            *others, last = (other for other in readers if readers[other].PUBLISHED_SPLIT)
            yield (
                f"config key datasets.{name}.splits: {PUBLISHED} is a split that comes with the "
                f"data, and what the reader {entry['reader']} reads has none (that of the "
                f"readers {', '.join(others)} and {last} has)"
            )


def problems_of_sizes(config: Config) -> Iterator[str]:
    """Numbers of pairs too small for every class to have one in each subset."""
    for name, entry in enabled(config).items():
        balance = curation.settings(entry["curation"])["balance"]
        several = len(entry["classes"])
        least = len(entry["split"]["fractions"])
        bounds = {
            "curation.balance.total": (balance["total"], least * several),
            "curation.balance.per_class_cap": (balance["per_class_cap"], least),
            "subset": (entry["subset"], least),
        }
        for key, (value, needed) in bounds.items():
            if value is not None and value < needed:
                yield (
                    f"config key datasets.{name}.{key}: of {value} pairs, some class would have "
                    f"none in some subset: with {several} classes at least {needed} are needed"
                )


def problems_of_drawings(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Drawn datasets with other archives than the first one: one rule draws them all."""
    drawn = {
        name: readers[entry["reader"]].archives(entry["source"])
        for name, entry in enabled(config).items()
        if readers[entry["reader"]].DRAWN
    }
    for name, archives in drawn.items():
        first, others = next(iter(drawn.items()))
        if archives != others:
            yield (
                f"config key datasets.{name}.source.archives: {', '.join(archives)} are not those "
                f"of the dataset {first}, {', '.join(others)}: all drawn datasets have the same"
            )
