"""What the schema allows of systems and of the questions about them, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Config = Mapping[str, Any]


def problems(config: Config) -> Iterator[str]:
    """Say what is wrong with systems whatever their family, and with the keys that name some."""
    enabled = {name: entry for name, entry in config["systems"].items() if entry["enabled"]}
    if not enabled:
        yield "config key systems: no system is enabled"
    for name, entry in config["systems"].items():
        unknown = sorted(set(entry.get("datasets") or ()) - set(config["datasets"]))
        if unknown:
            known = ", ".join(config["datasets"])
            yield (
                f"config key systems.{name}.datasets: {unknown[0]} is not among datasets ({known})"
            )
    for dataset, entry in config["datasets"].items():
        runs = [one for one in enabled.values() if dataset in (one.get("datasets") or [dataset])]
        if entry["enabled"] and enabled and not runs:
            yield f"config key systems: no enabled system runs on datasets.{dataset}"
    yield from _problems_of_named(config)


def _problems_of_named(config: Config) -> Iterator[str]:
    """Systems that other keys name must be in the registry, enabled or not."""
    probed, compared = config["input_probes"]["systems"], config["mistakes"]["compare"]
    priced = config["leakage_price"]["systems"]
    listed = {
        "input_probes.systems": probed if isinstance(probed, list) else [],
        "mistakes.compare": compared or [],
        "leakage_price.systems": priced if isinstance(priced, list) else [],
    }
    for key, names in listed.items():
        if unknown := sorted(set(names) - set(config["systems"])):
            known = ", ".join(config["systems"])
            yield f"config key {key}: {unknown[0]} is not among the systems ({known})"
