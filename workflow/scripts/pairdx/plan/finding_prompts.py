"""The prompts by which findings are asked about: the key ``finding_prompts``.

Of several labels per pair each is asked about by prompts that say that it is there and prompts that
say that it is not. Sets of such prompts have names, which systems choose from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEY = "finding_prompts"
# Of prompts, in the order in which a network has them.
SIDES = ("positive", "negative")
# The set of a system that names none.
DEFAULT = "chexzero"


def chosen(settings: Mapping[str, Any]) -> str:
    """Name the set that a system's settings choose."""
    return str(settings.get(KEY) or DEFAULT)


def prompts_of(config: Mapping[str, Any], name: str, classes: Sequence[str]) -> dict[str, Any]:
    """Return a set as it is for some classes.

    Args:
        config: The whole configuration.
        name: The set's.
        classes: The labels that are asked about: whole prompts of others are left out, so that
            nothing is made anew by them.

    Returns:
        ``positive`` and ``negative`` templates; ``own``, if a class has any: whole prompts of both
        kinds, by label.
    """
    stated = config[KEY][name]
    own = stated.get("own", {})
    whole = {
        label: {side: list(own[label][side]) for side in SIDES} for label in classes if label in own
    }
    found: dict[str, Any] = {side: list(stated[side]) for side in SIDES}
    return {**found, "own": whole} if whole else found
