"""What is wrong with an entry because it is `like` another, which is wrong itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pairdx.plan.configuration import ALIKE

_OF_ENTRY = re.compile(rf"config key ({'|'.join(ALIKE)})\.(\w+)(?=[.:])")


def without_inherited(sentences: Iterable[str], stated: Mapping[str, Any]) -> list[str]:
    """Leave out what is said of an entry that is said of the one that it is like, too.

    Args:
        sentences: What is wrong with a completed configuration.
        stated: The configuration in which `like` stands still: the defaults under the overlay.
    """
    found = list(sentences)
    return [sentence for sentence in found if _of_its_base(sentence, stated) not in found]


def _of_its_base(sentence: str, stated: Mapping[str, Any]) -> str | None:
    """Return the same sentence about the entry that this one's is like."""
    named = _OF_ENTRY.match(sentence)
    if not named:
        return None
    section, name = named.groups()
    entry = stated[section].get(name)
    like = entry.get("like") if isinstance(entry, Mapping) else None
    own = rf"\b{section}\.{name}(?=[.:])"  # also where the sentence names further keys
    return re.sub(own, f"{section}.{like}", sentence) if like else None
