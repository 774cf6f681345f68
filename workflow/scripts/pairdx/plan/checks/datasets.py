"""What no single key of a dataset can get wrong, and what a job would refuse hours later.

Every function yields sentences that begin with the config key. ``config`` is a completed
configuration that the schema allows, ``defaults`` the completed one that nobody has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan import curation
from pairdx.plan.descriptions import Reader
from pairdx.plan.sizes import least_pairs
from pairdx.plan.wording import similar

Config = Mapping[str, Any]
# Folders beside those of the datasets in the results.
TAKEN = ("tables", "figures", "cluster_check")
# The split that comes with data.
PUBLISHED = "published"


def problems(config: Config, readers: Mapping[str, Reader], defaults: Config) -> Iterator[str]:
    """Say everything that is wrong: names and sources of all datasets, the rest of enabled ones."""
    yield from problems_of_names(config)
    yield from problems_of_sources(config, readers)
    yield from problems_of_classes(config)
    yield from problems_of_class_words(config, defaults)
    yield from problems_of_splits(config, readers)
    yield from problems_of_sizes(config)
    yield from problems_of_drawings(config, readers)


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


def problems_of_classes(config: Config) -> Iterator[str]:
    """Classes that are out of distribution too, and those of which nothing would be left."""
    for name, entry in enabled(config).items():
        classes, others = entry["classes"], entry["out_of_distribution"]
        if both := sorted(set(classes) & set(others)):
            yield (
                f"config key datasets.{name}.out_of_distribution: {', '.join(both)} "
                f"{'is' if len(both) == 1 else 'are'} among the classes too"
            )
        names = [*classes.values()]
        for twice in dict.fromkeys(one for one in names if names.count(one) > 1):
            yield (
                f"config key datasets.{name}.classes: several classes are called {twice}, and "
                "prompts do not tell them apart"
            )
        modalities = entry["curation"]["modalities"]
        if modalities is None:
            continue
        covered = {modality["label"] for modality in modalities.values()}
        for label in dict.fromkeys([*classes, *others]):
            if label not in covered:
                yield (
                    f"config key datasets.{name}.curation.modalities: none of them has the label "
                    f"{label}, so all its pairs would be rejected (null in place of all of them "
                    "takes every class as a whole)"
                )


def problems_of_class_words(config: Config, defaults: Config) -> Iterator[str]:
    """Words of what is no class: neither here nor, for datasets that lack some, anywhere else."""
    elsewhere: set[str] = set()
    for entry in (*config["datasets"].values(), *defaults["datasets"].values()):
        elsewhere |= {*entry["classes"], *entry["out_of_distribution"]}
    for name, entry in enabled(config).items():
        own = [*entry["classes"], *entry["out_of_distribution"]]
        for label in entry["class_words"]:
            if label not in own and label not in elsewhere:
                guess = similar(label, own)
                yield f"config key datasets.{name}.class_words: {label} is no class{guess}"


def problems_of_splits(config: Config, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Shares that are no whole, and a published split of data that come without."""
    for name, entry in enabled(config).items():
        total = sum(entry["split"]["fractions"].values())
        if abs(total - 1) > 1e-6:
            yield (
                f"config key datasets.{name}.split.fractions: the shares add up to {total:g}; they "
                "must add up to 1"
            )
        if PUBLISHED in entry["splits"] and not readers[entry["reader"]].PUBLISHED_SPLIT:
            others = ", ".join(other for other in readers if readers[other].PUBLISHED_SPLIT)
            yield (
                f"config key datasets.{name}.splits: {PUBLISHED} is a split that comes with the "
                f"data, and what the reader {entry['reader']} reads has none (of the reader "
                f"{others} it has)"
            )


def problems_of_sizes(config: Config) -> Iterator[str]:
    """Numbers of pairs too small for every class to have one in each subset."""
    for name, entry in enabled(config).items():
        balance = curation.settings(entry["curation"])["balance"]
        classes = len(entry["classes"])
        least = least_pairs(entry["split"]["fractions"].values())
        bounds = {
            "curation.balance.total": (balance["total"], least * classes),
            "curation.balance.per_class_cap": (balance["per_class_cap"], least),
            "subset": (entry["subset"], least),
        }
        for key, (value, needed) in bounds.items():
            if value is not None and value < needed:
                yield (
                    f"config key datasets.{name}.{key}: of {value} pairs, some class would have "
                    f"none in some subset: with {classes} classes and these split.fractions at "
                    f"least {needed} are needed"
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
