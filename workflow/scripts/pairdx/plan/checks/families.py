"""Systems that contradict their family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import Family

Config = Mapping[str, Any]
Families = Mapping[str, Family]


def problems(config: Config, families: Families) -> Iterator[str]:
    """Say what enabled systems contradict of their families: each sentence once.

    Args:
        config: The whole configuration, which the schema allows.
        families: Their descriptions, by name.
    """
    found: dict[str, None] = {}
    for name, entry in config["systems"].items():
        if entry["enabled"]:
            # What several systems share, such as a frozen encoder, is wrong once.
            found |= dict.fromkeys(problems_of_system(name, config, families))
    yield from found


def problems_of_system(name: str, config: Config, families: Families) -> Iterator[str]:
    """Say what one system contradicts of its family, enabled or not: on some dataset, or on all."""
    entry, key = config["systems"][name], f"systems.{name}"
    found = [*_of_settings(key, entry, config, families)]
    yield from found
    own, elsewhere = entry["settings"], dict[str, list[str]]()
    for dataset, stated in entry.get("for_dataset", {}).items():
        for unknown in (one for one in stated if one not in own):
            yield (
                f"config key {key}.for_dataset.{dataset}: {unknown} is none of the settings of a "
                f"system of the family {entry['family']}: leave it out"
            )
        known = {one: value for one, value in stated.items() if one in own}
        of_dataset = {**entry, "settings": {**own, **known}}
        for said in _of_settings(key, of_dataset, config, families):
            if said not in found:
                elsewhere.setdefault(said, []).append(dataset)
    for said, datasets in elsewhere.items():
        yield f"{said} (as {key}.for_dataset has it for {', '.join(datasets)})"


def _of_settings(key: str, entry: Config, config: Config, families: Families) -> Iterator[str]:
    yield from _untrained(key, entry, families)
    yield from _batches(key, entry, config["device"])
    encoder = families[entry["family"]].encoder(entry["settings"])
    if encoder is not None and entry.get("image_size"):
        yield f"config key {key}.image_size: features are of the dataset's images; leave it out"
        entry = {**entry, "image_size": None}
    sizes = image_sizes(key, entry, config)
    yield from families[entry["family"]].problems(key, entry, config, sizes)


def image_sizes(key: str, entry: Config, config: Config) -> dict[int, list[str]]:
    """Return the sides of the images that a system is given on enabled datasets, in pixels.

    Each with the config keys that decide it: the system's own one, or those of datasets.
    """
    named, sizes = entry.get("datasets"), dict[int, list[str]]()
    for name, dataset in config["datasets"].items():
        if not dataset["enabled"] or (named is not None and name not in named):
            continue
        if entry.get("image_size"):
            return {entry["image_size"]: [f"{key}.image_size"]}
        side = dataset["packing"]["image_size"]
        sizes.setdefault(side, []).append(f"datasets.{name}.packing.image_size")
    return sizes


def _untrained(key: str, entry: Config, families: Families) -> Iterator[str]:
    if entry["trained"] or families[entry["family"]].CAN_BE_UNTRAINED:
        return
    others = " or ".join(name for name, other in families.items() if other.CAN_BE_UNTRAINED)
    yield (
        f"config key {key}.trained: a system of the family {entry['family']} is trained; only one "
        f"of the family {others} need not be"
    )


def _batches(key: str, entry: Config, device: str) -> Iterator[str]:
    """Every GPU gets an even share of a batch, of at least two pairs."""
    settings = entry["settings"]
    if device != "cuda" or not entry["trained"] or "batch_size" not in settings:
        return
    pairs, gpus = settings["batch_size"], settings.get("gpus", 1)
    if pairs % gpus or pairs < 2 * gpus:
        yield (
            f"config key {key}.settings.batch_size: {pairs} is no multiple of {gpus} GPUs with two "
            "pairs for each"
        )
