"""What a user states of a dataset's curation, and its mode takes no notice of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.curation import MODES

Config = Mapping[str, Any]


def unread(stated: Config, of: Mapping[str, Config]) -> Iterator[str]:
    """Say so of each key. No error: what an entry takes from the one that it is `like` is no wish.

    Args:
        stated: What the user changes.
        of: The datasets of the run, completed, by name.
    """
    for name, entry in of.items():
        mode = entry["curation"]["mode"]
        own = _section(_section(_section(stated, "datasets"), name), "curation")
        for key in _differing(own, MODES[mode]):
            yield (
                f"config key datasets.{name}.curation.{key}: this is not read in the mode {mode} "
                f"(datasets.{name}.curation.mode)"
            )


def _differing(own: Config, instead: Config, above: str = "") -> Iterator[str]:
    for key in (key for key in instead if key in own):
        if isinstance(instead[key], Mapping):
            yield from _differing(_section(own, key), instead[key], f"{above}{key}.")
        elif own[key] != instead[key]:
            yield f"{above}{key}"


def _section(of: Config, key: str) -> Config:
    found = of.get(key)
    return found if isinstance(found, Mapping) else {}
