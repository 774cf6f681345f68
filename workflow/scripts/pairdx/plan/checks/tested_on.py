"""What is wrong with asking one dataset's systems about another's test pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import analyses_of, has_several
from pairdx.plan.matching import matched_classes
from pairdx.plan.wording import similar

Config = Mapping[str, Any]
# Of tasks with one label per pair, and with several.
ANALYSES = ("tested_on", "tested_on_findings")
# Of a single class nothing but how often it is named could be told.
LEAST_CLASSES = 2


def problems(config: Config) -> Iterator[str]:
    """Say of every enabled dataset what of its ``tested_on`` cannot be."""
    enabled = {name: entry for name, entry in config["datasets"].items() if entry["enabled"]}
    for name, entry in enabled.items():
        named = entry.get("tested_on", {})
        if named and not {*ANALYSES} & {*analyses_of(entry["task"])}:
            yield (
                f"config key datasets.{name}.tested_on: {ANALYSES[0]} does not apply to the task "
                f"{entry['task']}"
            )
            continue
        for other, how in named.items():
            key = f"config key datasets.{name}.tested_on.{other}"
            if other == name:
                yield f"{key}: a dataset is tested on itself anyway; name another"
            elif other not in config["datasets"]:
                yield f"{key}: there is no such dataset{similar(other, config['datasets'])}"
            elif other not in enabled:
                yield f"{key}: this dataset is not enabled (datasets.{other}.enabled)"
            else:
                yield from _of_two(key, name, other, enabled, how.get("classes", {}))


def _of_two(
    key: str, name: str, other: str, enabled: Mapping[str, Config], mapping: Mapping[str, str]
) -> Iterator[str]:
    here, there = enabled[name], enabled[other]
    if here["task"] != there["task"]:
        yield f"{key}: its task is {there['task']}, that of {name} {here['task']}"
        return
    ways = [one["packing"]["squaring"] for one in (here, there)]
    if ways[0] != ways[1]:
        yield (
            f"{key}: images become square by {ways[1]} there and by {ways[0]} here, and systems "
            f"would see others than they were trained on: give both datasets one packing.squaring"
        )
    if has_several(here["task"]):
        if mapping:
            yield (
                f"{key}.classes: the findings there are asked about by prompts in their own words, "
                "and none need match: leave it out"
            )
        return
    wrong = list(_of_mapping(f"{key}.classes", here["classes"], there["classes"], mapping))
    yield from wrong
    matched = matched_classes([*here["classes"]], [*there["classes"]], mapping)
    if not wrong and len(matched) < LEAST_CLASSES:
        yield (
            f"{key}: {len(matched) or 'none'} of the classes {', '.join(here['classes'])} "
            f"{'is' if len(matched) == 1 else 'are'} among {', '.join(there['classes'])}, and two "
            f"are needed: say which are the same, as classes: {{label here: label there}}"
        )


def _of_mapping(key: str, here: Config, there: Config, mapping: Mapping[str, str]) -> Iterator[str]:
    for label, meant in mapping.items():
        if label not in here:
            yield f"{key}: {label} is no class of this dataset{similar(label, here)}"
        if meant not in there:
            yield f"{key}: {meant} is no class of the other dataset{similar(meant, there)}"
    targets = list(mapping.values())
    for twice in dict.fromkeys(one for one in targets if targets.count(one) > 1):
        both = ", ".join(label for label, meant in mapping.items() if meant == twice)
        yield f"{key}: {both} all mean {twice}, and one class there can be one class here only"
