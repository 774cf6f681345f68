"""What the section ``deployment`` names and there is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import Family
from pairdx.plan.wording import similar

Config = Mapping[str, Any]


def problems(config: Config, families: Mapping[str, Family]) -> Iterator[str]:
    """Say which systems, split and seed of the section are none of this run.

    Args:
        config: The whole configuration, which the schema allows.
        families: What families say of themselves, by name.
    """
    section = config["deployment"]
    named = section["systems"] if isinstance(section["systems"], list) else []
    for name in named:
        if name not in config["systems"]:
            meant = similar(name, config["systems"])
            yield f"config key deployment.systems: {name} is not among the systems{meant}"
        elif not families[family := config["systems"][name]["family"]].EXPORTED:
            exported = ", ".join(one for one, said in families.items() if said.EXPORTED)
            yield (
                f"config key deployment.systems: {name} cannot be deployed: systems of the family "
                f"{family} have no network to export; those of {exported} have"
            )
        elif not config["systems"][name]["enabled"]:
            yield (f"config key deployment.systems: {name} is not enabled (systems.{name}.enabled)")
    split, seed = section["split"], section["seed"]
    splits = dict.fromkeys(
        one for entry in config["datasets"].values() if entry["enabled"] for one in entry["splits"]
    )
    if split is not None and split not in splits:
        yield f"config key deployment.split: no dataset has {split}; there are {', '.join(splits)}"
    if seed is not None and seed not in config["seeds"]:
        known = ", ".join(map(str, config["seeds"]))
        yield f"config key deployment.seed: {seed} is not among the seeds ({known})"
