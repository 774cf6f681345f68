"""Text banks, pairings and grids that contradict one another, or the systems that name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pairdx.plan.descriptions import Family, metrics_of
from pairdx.plan.privileged import FROM_FILES
from pairdx.plan.wording import not_among, similar

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

Config = Mapping[str, Any]
# What a way of choosing needs its bank to be.
READERS = {"own": "captions", "class": "class_prompts"}


def problems(config: Config, families: Mapping[str, Family]) -> Iterator[str]:
    """Say what is wrong: names that there are not, and ways of choosing that cannot be."""
    for name, bank in config["text_banks"].items():
        yield from _of_bank(f"text_banks.{name}", bank)
    for name, pairing in config["pairings"].items():
        yield from _of_pairing(f"pairings.{name}", pairing, config)
    for name, grid in config["grids"].items():
        yield from _of_grid(f"grids.{name}", grid, config)
    for name, entry in config["systems"].items():
        pairing = families[entry["family"]].pairing(entry["settings"])
        if pairing is not None and pairing not in config["pairings"]:
            key = f"systems.{name}.settings.pairing"
            yield not_among(key, pairing, "pairings", config["pairings"])
        for dataset in entry.get("for_dataset", {}):
            if dataset not in config["datasets"]:
                key = f"systems.{name}.for_dataset"
                yield not_among(key, dataset, "datasets", config["datasets"])
    enabled = [entry for entry in config["systems"].values() if entry["enabled"]]
    yield from _of_weights(enabled, config, families)


def problems_of_plan(plan: Plan) -> Iterator[str]:
    """Say which files of banks are not stated that systems learn from, and what grids ask amiss.

    A grid's metric is one of the tasks of the datasets that it is made on.
    """
    named = [bank for dataset in plan.datasets for bank in plan.privileged.banks_of(dataset)]
    yield from _of_places(dict.fromkeys(named), plan.config)
    for name, grid in plan.grids.entries.items():
        for dataset in plan.grids.datasets_of(name):
            known = metrics_of(plan.datasets[dataset].key("task"))
            if grid["metric"] not in known:
                key, task = f"grids.{name}.metric", plan.datasets[dataset].key("task")
                guess = similar(grid["metric"], known)
                yield not_among(key, grid["metric"], f"the metrics of {task}", known) + guess
                break


def files_not_stated(plan: Plan, system: str, dataset: str) -> Iterator[str]:
    """Say which files of a bank, and weights, are not stated that one system learns from."""
    one = plan.systems[system]
    if (bank := one.bank(plan.datasets[dataset])) is not None:
        yield from _of_places([bank], plan.config)
    yield from _of_weights([one.entry], plan.config, plan.families)


def _of_places(banks: Iterable[str], config: Config) -> Iterator[str]:
    for name in banks:
        bank = config["text_banks"][name]
        if bank["reader"] not in FROM_FILES:
            continue
        places = {"path": bank["path"]}
        if bank.get("join"):
            places["join.path"] = bank["join"]["path"]
        for key, path in places.items():
            if path is None:
                where = f" ({bank['where']})" if bank["where"] else ""
                yield f"config key text_banks.{name}.{key}: no path is stated{where}"


def _of_bank(key: str, bank: Config) -> Iterator[str]:
    pattern = (bank.get("join") or {}).get("pattern")
    if pattern is None:
        return
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        yield f"config key {key}.join.pattern: this is no regular expression: {error}"
        return
    if groups != 1:
        yield f"config key {key}.join.pattern: it has {groups} groups in brackets; one is needed"


def _of_pairing(key: str, pairing: Config, config: Config) -> Iterator[str]:
    named = pairing["bank"]
    banks = {"": named} if isinstance(named, str) else {f".{one}": of for one, of in named.items()}
    for dataset, bank in banks.items():
        if bank not in config["text_banks"]:
            yield not_among(f"{key}.bank{dataset}", bank, "text_banks", config["text_banks"])
            continue
        reader, needed = config["text_banks"][bank]["reader"], READERS.get(pairing["choose"])
        if needed is not None and reader != needed:
            yield (
                f"config key {key}.choose: {pairing['choose']} needs a bank of the reader "
                f"{needed}; {bank} is of the reader {reader}"
            )
    datasets = [] if isinstance(named, str) else [*named]
    for dataset in [*datasets, *pairing["classifier"].get("for_dataset", {})]:
        if dataset not in config["datasets"]:
            yield not_among(key, dataset, "datasets", config["datasets"])
    if pairing["encoder"] not in config["feature_extractors"]:
        known = config["feature_extractors"]
        yield not_among(f"{key}.encoder", pairing["encoder"], "feature_extractors", known)
    if pairing["rank"] > pairing["keep"]:
        yield (
            f"config key {key}.rank: the text of rank {pairing['rank']} is not among the "
            f"{pairing['keep']} that `keep` keeps"
        )


def _of_grid(key: str, grid: Config, config: Config) -> Iterator[str]:
    if grid["baseline"] not in grid["columns"]:
        yield not_among(f"{key}.baseline", grid["baseline"], f"{key}.columns", grid["columns"])
    titles = [*grid["columns"].values()]
    for title in dict.fromkeys(one for one in titles if titles.count(one) > 1):
        alike = ", ".join(name for name, one in grid["columns"].items() if one == title)
        yield f"config key {key}.columns: {alike} have the title {title}: give each its own"
    for dataset in grid.get("datasets") or []:
        if dataset not in config["datasets"]:
            yield not_among(f"{key}.datasets", dataset, "datasets", config["datasets"])
    for name, row in grid["rows"].items():
        for column, system in row["systems"].items():
            place = f"{key}.rows.{name}.systems"
            if column not in grid["columns"]:
                yield not_among(place, column, f"{key}.columns", grid["columns"])
            if system not in config["systems"]:
                yield not_among(f"{place}.{column}", system, "systems", config["systems"])


def _of_weights(
    entries: Iterable[Config], config: Config, families: Mapping[str, Family]
) -> Iterator[str]:
    """Weights that nobody can download, of systems that run."""
    sources = config["downloads"]["weights"]
    needed: dict[str, None] = {}
    for entry in entries:
        needed |= dict.fromkeys(_weights_of(entry, config, families[entry["family"]]))
    for name in needed:
        source = sources.get(name, {})
        if "where" in source and source["path"] is None:
            yield f"config key downloads.weights.{name}.path: no path is stated ({source['where']})"


def _weights_of(entry: Config, config: Config, family: Family) -> Iterator[str]:
    """Name the weights that a system is built from or paired by."""
    settings = entry["settings"]
    named = family.weights_name(settings, config)
    pairing = config["pairings"].get(family.pairing(settings))
    encoder = config["feature_extractors"].get(pairing["encoder"]) if pairing else None
    for name in (named, encoder["weights"] if encoder else None):
        if name is not None:
            yield str(name)
