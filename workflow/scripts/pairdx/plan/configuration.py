"""The configuration: the defaults, what an overlay changes, and what entries take from each other.

Defaults stand in config/config.yaml, config/downloads.yaml and the files of config/datasets and
config/systems, each of which reads like an overlay. An overlay changes single keys, adds entries
to what has names (datasets, systems, classes ...), or drops one of them by null.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pairdx.plan.classes import Whole, settled
from pairdx.plan.unstated import with_unstated
from pairdx.plan.validation import in_order_of
from pairdx.plan.wording import similar

# Mappings of named things, of which null drops one. Below a dataset or a system: of each of them.
NAMED = (
    *("datasets", "systems", "feature_extractors"),
    *("text_banks", "pairings", "grids", "finding_prompts", "documents_to_classify"),
)
# Of which the defaults have few or none: null drops what another file of the user states.
MOSTLY_OWN = ("text_banks", "pairings", "grids", "documents_to_classify")
# Of which the order is that of rows and columns, also within an entry.
ORDERED = ("grids",)
NAMED_IN_DATASET = (
    ("classes",),
    ("class_words",),
    ("class_prompts",),
    ("curation", "modalities"),
)
# The same of which nothing is among the defaults: null drops what another file of the user states.
DROPPED_IN_ENTRY = (*NAMED_IN_DATASET, ("tested_on",), ("for_dataset",))
# What `like` can be said of.
ALIKE = ("datasets", "systems")


@cache
def read_yaml(path: Path) -> Any:
    """Read a YAML file, by the parser in C where there is one: ten times as fast.

    Each file is read once; what is returned is shared, and nobody changes it.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


def default_files(root: Path) -> list[Path]:
    """List the files of the defaults, in the order of tables: datasets and systems by file name.

    Args:
        root: The folder of the Snakefile.
    """
    config = root / "config"
    folders = (config / "datasets", config / "systems")
    several = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return [config / "config.yaml", *several, config / "downloads.yaml"]


@cache
def defaults(root: Path) -> Mapping[str, Any]:
    """Return the configuration that nobody has changed: nothing dropped, nothing resolved."""
    found: dict[str, Any] = {}
    for path in default_files(root):
        found = merged(found, read_yaml(path))
    return found


def merged(below: Any, above: Any) -> Any:
    """Put one configuration over another: mappings key by key, all else whole. Neither changes."""
    if isinstance(above, Whole) or not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    found = Whole(below) if isinstance(below, Whole) else dict(below)
    for key, value in above.items():
        found[key] = merged(below[key], value) if key in below else value
    return found


def complete(model: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole configuration: the defaults under an overlay, `like` and null carried out.

    What banks and pairings need not state is stated.

    Keys stand in the order of the defaults: Snakemake compares parameters as they are written, and
    the lines of an overlay in another order would rerun what they are about.

    Args:
        model: What :func:`defaults` returned.
        overlay: What the user changes; may hold the defaults, or part of them, too.
    """
    stated: dict[str, Any] = merged(model, settled(overlay))
    found = dict(stated)
    for section in ALIKE:
        if isinstance(found.get(section), Mapping):
            bases = _bases(found[section], model.get(section))
            found[section] = {
                name: None if entry is None else resolved(name, bases, ())
                for name, entry in found[section].items()
            }
    found = with_unstated(model, found)
    return _without_dropped(in_order_of(_order_of(model, found, stated), found))


def _order_of(
    model: Mapping[str, Any], found: Mapping[str, Any], stated: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what orders the keys of a configuration: the defaults, `like` carried out in them too.

    A dataset or system that the defaults have not is ordered as the one that it is like. One that
    is like none, such as the same entry in a configuration that was written beside its results: as
    those of its family, or all datasets; its classes by their own lines.
    """
    order = dict(model)
    for section in ALIKE:
        entries = found.get(section)
        if isinstance(entries, Mapping):
            order[section] = {
                name: _order_of_entry(name, model[section], stated[section], entries)
                for name in (
                    *model[section],
                    *(new for new in entries if new not in model[section]),
                )
            }
    return order | {section: stated[section] for section in ORDERED if section in stated}


def _order_of_entry(
    name: str, model: Mapping[str, Any], stated: Mapping[str, Any], found: Mapping[str, Any]
) -> Any:
    seen: list[str] = []
    asked = found.get(name)
    while name not in model and name not in seen:
        seen.append(name)
        entry = stated[name]
        like = entry.get("like") if isinstance(entry, Mapping) else None
        if not isinstance(like, str) or like not in stated:
            break
        name = like
    if name in model:
        order = _entry_without_dropped(resolved(name, model, ()))
        lines = asked.get("classes") if isinstance(asked, Mapping) else None
        if isinstance(order, Mapping) and isinstance(lines, Mapping) and not order.get("classes"):
            return {**order, "classes": lines}  # one that leaves its classes to those like it
        return order
    entry = found[name]
    if not isinstance(entry, Mapping):
        return None
    order = {}
    for other in model:
        known = resolved(other, model, ())
        if known.get("family") == entry.get("family"):
            order = _both_orders(order, known)
    return order | ({"classes": entry["classes"]} if "classes" in entry else {})


def _both_orders(one: Any, other: Any) -> Any:
    """Return what has the keys of both at every depth; one that is null in either keeps them."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return one if isinstance(one, Mapping) else other
    common = {key: _both_orders(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **common}


def as_overlay(model: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overlay that gives a whole configuration: itself, with what it drops as null.

    Args:
        model: What :func:`defaults` returned.
        config: What :func:`complete` returned.
    """
    known = complete(model, {})
    found = {**config, **{key: _with_dropped(known[key], config[key]) for key in NAMED}}
    datasets = dict(found["datasets"])
    for name, entry in config["datasets"].items():
        for *folder, last in NAMED_IN_DATASET if name in known["datasets"] else ():
            path = [*folder, last]
            change: Any = _with_dropped(_at(known["datasets"][name], path), _at(entry, path))
            for key in reversed(path):
                change = {key: change}
            datasets[name] = merged(datasets[name], change)
    return found | {"datasets": datasets}


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return a digest of a whole configuration, the order of its keys included.

    A parameter in its place: Snakemake prints parameters that have changed, before and now.
    """
    return hashlib.sha256(json.dumps(config).encode()).hexdigest()[:20]


def _with_dropped(known: Any, kept: Any) -> Any:
    if not (isinstance(known, Mapping) and isinstance(kept, Mapping)):
        return kept
    return {**dict.fromkeys(name for name in known if name not in kept), **kept}


def problems_of_names(model: Mapping[str, Any], overlay: Mapping[str, Any]) -> Iterator[str]:
    """Say of names that `like` gives, and of those that null drops, which there are not."""
    whole = merged(model, settled(overlay))
    for section in ALIKE:
        entries = whole.get(section)
        if not isinstance(entries, Mapping):
            continue
        bases = _bases(entries, model.get(section))
        for name, entry in entries.items():
            yield from _problems_of_like(section, name, entry, bases)
    for section in (one for one in NAMED if one not in MOSTLY_OWN):
        yield from _unknown_dropped(section, model.get(section), whole.get(section))
    entries = whole.get("datasets")
    for name in entries if isinstance(entries, Mapping) else ():
        model_entry = resolved(name, {**model["datasets"], **_known(entries, model)}, ())
        for path in NAMED_IN_DATASET:
            key = ".".join(("datasets", str(name), *path))
            yield from _unknown_dropped(key, _at(model_entry, path), _at(entries[name], path))


def _known(entries: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """Datasets that the defaults have not, without what they drop."""
    return {
        name: _without_nulls(entry)
        for name, entry in entries.items()
        if name not in model["datasets"]
    }


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}


def _problems_of_like(
    section: str, name: str, entry: Any, entries: Mapping[str, Any]
) -> Iterator[str]:
    seen = [name]
    while isinstance(entry, Mapping) and entry.get("like") is not None:
        like = entry["like"]
        if not isinstance(like, str) or entries.get(like) is None:
            known = ", ".join(other for other in entries if other != name)
            guess = similar(str(like), entries)
            yield f"config key {section}.{seen[-1]}.like: {like} is not among {known}{guess}"
            return
        if like in seen:
            circle = " is like ".join([*seen, like])
            yield f"config key {section}.{name}.like: {circle}, in a circle"
            return
        seen.append(like)
        entry = entries[like]


def _unknown_dropped(key: str, known: Any, changed: Any) -> Iterator[str]:
    if not isinstance(changed, Mapping):
        return
    there = known if isinstance(known, Mapping) else {}
    for name, value in changed.items():
        if value is None and name not in there:
            yield f"config key {key}: unknown {name}{similar(str(name), there)}{_meant(key, name)}"


def _meant(key: str, name: Any) -> str:
    """Say how a class is written that null was meant to leave without a display name."""
    if not key.endswith(".classes"):
        return ""
    return (
        f" (null drops a class that is taken over; one of this name is `{name}: {name}`, or an "
        "item of a list)"
    )


def resolved(name: str, entries: Mapping[str, Any], seen: tuple[str, ...]) -> Any:
    """Return an entry over the one that it is `like`, and so on; without the key `like`.

    Of a dataset with another reader the `source` is not taken over; what it is tested on, of none:
    it would be asked about itself, or about the same again. A circle, or a name that there
    is not, ends the chain: :func:`problems_of_names` names it.
    """
    entry = entries[name]
    if not isinstance(entry, Mapping):
        return entry
    like = entry.get("like")
    own = {key: value for key, value in entry.items() if key != "like"}
    if not isinstance(like, str) or like in (*seen, name) or entries.get(like) is None:
        return own
    base = resolved(like, entries, (*seen, name))
    if not isinstance(base, Mapping):
        return own
    # What it drops is not there to be like, nor has it a place in the order.
    base = _entry_without_dropped(base)
    if "reader" in own and own["reader"] != base.get("reader"):
        base = {key: value for key, value in base.items() if key != "source"}
    if "tested_on" in base:
        base = {**base, "tested_on": {}}
    return in_order_of(base, merged(base, own))


def _bases(entries: Mapping[str, Any], known: Any) -> dict[str, Any]:
    """Return what others can be like: of an entry that null drops, what it was by default."""
    defaults = known if isinstance(known, Mapping) else {}
    return {name: defaults.get(name) if entry is None else entry for name, entry in entries.items()}


def _without_dropped(config: dict[str, Any]) -> dict[str, Any]:
    found = dict(config)
    for section in NAMED:
        found[section] = _kept(found.get(section))
    for section in ALIKE:
        if isinstance(found[section], Mapping):
            entries = found[section].items()
            found[section] = {name: _entry_without_dropped(entry) for name, entry in entries}
    return found


def _entry_without_dropped(entry: Any) -> Any:
    for *folder, last in DROPPED_IN_ENTRY:
        holder = _at(entry, folder)
        if isinstance(holder, Mapping) and isinstance(holder.get(last), Mapping):
            change: Any = {**holder, last: _kept(holder[last])}
            for key in reversed(folder):
                change = {**entry, key: change}
            entry = change
    return entry


def _kept(entries: Any) -> Any:
    if not isinstance(entries, Mapping):
        return entries
    return {name: entry for name, entry in entries.items() if entry is not None}


def _at(value: Any, path: tuple[str, ...] | list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
