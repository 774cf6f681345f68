"""What the learning-rate search can get wrong and no single key shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import Family

Config = Mapping[str, Any]


def problems(config: Config, families: Mapping[str, Family]) -> Iterator[str]:
    """Say what is wrong with learning_rate_search; nothing where it is null."""
    search = config["learning_rate_search"]
    if not search:
        return
    known = [
        name
        for name, entry in config["systems"].items()
        if entry["trained"] and families[entry["family"]].NETWORK
    ]
    if search["system"] not in known:
        there = search["system"] in config["systems"]
        wrong = "not a trainable network" if there else "no system of the registry"
        yield (
            f"config key learning_rate_search.system: {search['system']} is {wrong}; trainable "
            f"networks: {', '.join(known)}"
        )
    enabled = {name: one for name, one in config["datasets"].items() if one["enabled"]}
    dataset = search["dataset"]
    if dataset is not None and dataset not in enabled:
        yield (
            f"config key learning_rate_search.dataset: {dataset} is not among the enabled datasets "
            f"({', '.join(enabled)})"
        )
    elif enabled:
        name = dataset or next(iter(enabled))
        splits = enabled[name]["splits"]
        if search["split"] is not None and search["split"] not in splits:
            yield (
                f"config key learning_rate_search.split: {search['split']} is not among "
                f"datasets.{name}.splits ({', '.join(splits)})"
            )
