"""How classes, splits and systems are called in tables and figures, and what a demo has to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DEMO_NOTE = (
    "Demo: encoders are small and randomly initialised; "
    "these numbers say nothing about the real systems."
)


def readable(name: str) -> str:
    """Turn an identifier into words: ``medical_photograph`` becomes ``Medical photograph``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def system_title(name: str, registry: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a system's title from the registry; a demo's stand-in is marked as one."""
    entry = registry[name]
    title = str(entry.get("title") or readable(name))
    if not entry.get("stand_in"):
        return title
    return f"{title} ({'stand-in' if entry.get('trained') else 'untrained stand-in'})"


def demo_note(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the demo's note if any of these registry entries (or passports) is a stand-in's."""
    return DEMO_NOTE if any(entry.get("stand_in") for entry in entries) else None
