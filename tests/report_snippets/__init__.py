"""Texts written for the purpose, with their sentences and sections: one half made the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HALVES = ("open", "frozen")


def snippets(half: str, kind: str) -> list[dict[str, Any]]:
    """Return the snippets of a half, of sentences or sections: about, text and what is right."""
    path = Path(__file__).parent / f"{half}_{kind}.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
