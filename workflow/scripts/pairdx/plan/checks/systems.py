"""What the schema allows of systems and of the questions about them, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.plan import Plan

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
    datasets = {name: entry for name, entry in config["datasets"].items() if entry["enabled"]}
    asked_about = {other for entry in datasets.values() for other in entry.get("tested_on", {})}
    for dataset in datasets:
        runs = [one for one in enabled.values() if dataset in (one.get("datasets") or [dataset])]
        if enabled and not runs and dataset not in asked_about:
            yield f"config key systems: no enabled system runs on datasets.{dataset}"
    yield from _problems_of_named(config)


def problems_of_datasets(plan: Plan) -> Iterator[str]:
    """Say of every dataset on which no system runs, and which none is asked about, why none is."""
    asked_about = {one.other for one in plan.tested_on.asked}
    for name in plan.datasets:
        if not plan.systems_of(name) and name not in asked_about:
            left_out = plan.left_out(name)
            reasons = "; ".join(f"{system}: {reason}" for system, reason in left_out.items())
            yield f"config key systems: no enabled system runs on datasets.{name} ({reasons})"


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
