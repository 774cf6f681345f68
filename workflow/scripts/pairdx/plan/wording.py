"""Parts of sentences about wrong keys."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def similar(name: str | Iterable[str], known: Iterable[str]) -> str:
    """Suggest what was meant by a name, or by several, as the end of a sentence; or nothing."""
    names, choices = [name] if isinstance(name, str) else name, list(known)
    guesses = [guess for each in names for guess in get_close_matches(each, choices, n=1)]
    return f"; did you mean {', '.join(guesses)}?" if guesses else ""


def not_among(key: str, name: str, section: str, known: Iterable[str]) -> str:
    """Say that a key names what a section of the configuration has not."""
    return f"config key {key}: {name} is not among {section} ({', '.join(known)})"
