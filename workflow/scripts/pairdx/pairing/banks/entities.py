"""A prompt of every entity of a list that the configuration states, and template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.pairing.bank import Bank, bank_of
from pairdx.pairing.banks.class_prompts import numbered


def read(settings: Mapping[str, Any], _: Mapping[str, Path], key: str) -> Bank:
    """Write the prompts, entity by entity. They say nothing of classes."""
    rows = [
        {"text": template.replace("{}", name), "label": ""}
        for name in settings["entities"]
        for template in settings["templates"]
    ]
    remedy = f"write words into {key}.entities or {key}.templates"
    return bank_of(numbered(rows, "prompt"), where=key, remedy=remedy)
