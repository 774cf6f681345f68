"""What datasets of several labels per pair cannot have, and what is wrong with their prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.classes import folded
from pairdx.plan.descriptions import Family, analyses_of, has_several
from pairdx.plan.finding_prompts import DEFAULT, KEY, SIDES, chosen
from pairdx.plan.wording import similar

Config = Mapping[str, Any]
OUT_OF_DISTRIBUTION = "out_of_distribution"


def problems(config: Config, families: Mapping[str, Family]) -> Iterator[str]:
    """Say what is wrong with enabled datasets of several labels per pair, and with all prompts."""
    several = {
        name: entry
        for name, entry in config["datasets"].items()
        if entry["enabled"] and has_several(entry["task"])
    }
    for name, entry in several.items():
        yield from _of_dataset(name, entry)
    yield from _of_sets(config)
    if several:
        yield from _of_default(config, families)


def _of_dataset(name: str, entry: Config) -> Iterator[str]:
    key = f"config key datasets.{name}"
    if entry.get("class_prompts"):
        yield (
            f"{key}.class_prompts: a finding has positive and negative prompts: state them as "
            f"{KEY}.NAME.own"
        )
    if entry[OUT_OF_DISTRIBUTION] and OUT_OF_DISTRIBUTION not in analyses_of(entry["task"]):
        yield (
            f"{key}.{OUT_OF_DISTRIBUTION}: {OUT_OF_DISTRIBUTION} does not apply to the task "
            f"{entry['task']}: leave it empty"
        )


def _of_sets(config: Config) -> Iterator[str]:
    """Whole prompts of what is no class of any dataset, and prompts that say both."""
    known = {label: None for entry in config["datasets"].values() for label in entry["classes"]}
    for name, prompts in config[KEY].items():
        key = f"config key {KEY}.{name}"
        own = prompts.get("own", {})
        for label in own:
            if label not in known:
                yield f"{key}.own: {label} is no class of any dataset{similar(label, known)}"
        places = {"": prompts, **{f".own.{label}": of for label, of in own.items()}}
        for place, of in places.items():
            negative = {folded(text) for text in of[SIDES[1]]}
            for text in of[SIDES[0]]:
                if folded(text) in negative:
                    yield (
                        f"{key}{place}: {text!r} stands there as a positive and as a negative "
                        "prompt, and tells nothing"
                    )


def _of_default(config: Config, families: Mapping[str, Family]) -> Iterator[str]:
    """Systems that name no set of prompts, where the one they would have is dropped."""
    for name, entry in config["systems"].items():
        family, settings = families[entry["family"]], entry["settings"]
        asked = entry["enabled"] and family.PROMPTED and family.SEVERAL and KEY not in settings
        if asked and chosen(settings) not in config[KEY]:
            yield (
                f"config key {KEY}: {DEFAULT} is dropped, and systems.{name} names no other set by "
                f"its settings' {KEY}"
            )
