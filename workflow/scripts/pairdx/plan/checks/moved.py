"""Keys of the configuration that lie elsewhere now, and systems that have another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Config = Mapping[str, Any]

# Top-level keys of before.
SECTIONS: Mapping[str, str] = {
    "corpus": "every dataset has an entry of its own now, and datasets.NAME.enabled switches it on "
    "(multicare, release, drawn)",
    "multicare": "it is datasets.multicare.source now",
    "release": "it is datasets.release.source now",
    "demo": "it is datasets.drawn.source now",
    "subset": "it is datasets.NAME.subset now, for each dataset",
    "curation": "it is datasets.NAME.curation now, for each dataset; its classes are "
    "datasets.NAME.classes (with their display names), its out_of_distribution is "
    "datasets.NAME.out_of_distribution",
    "splits": "it is datasets.NAME.splits now, for each dataset",
    "split": "it is datasets.NAME.split now, for each dataset",
    "packing": "it is datasets.NAME.packing now, for each dataset",
    "models": "it is called systems now",
    "errors": "it is called mistakes now, and its key mistakes is called shown",
}
# Keys of sections that are still there.
KEYS: Mapping[tuple[str, str], str] = {
    ("input_probes", "class_words"): "it is datasets.NAME.class_words now, for each dataset",
    ("learning_rate_search", "model"): "it is called learning_rate_search.system now",
    ("mistakes", "mistakes"): "it is called mistakes.shown now",
}
KEYS_OF_SYSTEMS: Mapping[str, str] = {
    "network": "its family says this now: leave it out",
    "reads": "its family says this now, by its settings: leave it out",
}
CLASS_NAMES = "display names are datasets.NAME.classes now, for all systems: leave it out"
RENAMED_SYSTEMS: Mapping[str, str] = {"late_fusion_probe": "early_fusion_probe"}
RENAMED_FAMILIES: Mapping[str, str] = {"probe": "linear_probe"}
# Where systems are named.
NAMING = (
    ("input_probes", "systems"),
    ("leakage_price", "systems"),
    ("mistakes", "compare"),
    ("learning_rate_search", "system"),
)


def problems(config: Config) -> Iterator[str]:
    """Say where each key of before is now.

    Args:
        config: The defaults under what the user states, completed or not; or that alone.
    """
    for section, now in SECTIONS.items():
        if section in config:
            yield f"config key {section}: {now}"
    for (section, key), now in KEYS.items():
        if key in _mapping(config.get(section)):
            yield f"config key {section}.{key}: {now}"
    for name, entry in _mapping(config.get("systems")).items():
        yield from _of_system(name, _mapping(entry))
    for section, key in NAMING:
        named = _mapping(config.get(section)).get(key)
        for system in named if isinstance(named, list) else [named]:
            if isinstance(system, str) and system in RENAMED_SYSTEMS:
                now = RENAMED_SYSTEMS[system]
                yield f"config key {section}.{key}: {system} is called {now} now"


def _of_system(name: str, entry: Config) -> Iterator[str]:
    if name in RENAMED_SYSTEMS:
        yield f"config key systems: {name} is called {RENAMED_SYSTEMS[name]} now"
    for key, now in KEYS_OF_SYSTEMS.items():
        if key in entry:
            yield f"config key systems.{name}.{key}: {now}"
    if "class_names" in _mapping(entry.get("settings")):
        yield f"config key systems.{name}.settings.class_names: {CLASS_NAMES}"
    family = entry.get("family")
    if isinstance(family, str) and family in RENAMED_FAMILIES:
        now = RENAMED_FAMILIES[family]
        yield f"config key systems.{name}.family: {family} is called {now} now"


def _mapping(value: Any) -> Config:
    return value if isinstance(value, Mapping) else {}
