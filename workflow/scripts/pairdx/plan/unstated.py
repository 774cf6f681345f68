"""What need not be stated of a text bank, a pairing or documents, and what it then is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairdx.plan import classifying

# Of banks that are read from a file, by their reader.
OF_BANKS: Mapping[str, Mapping[str, Any]] = {
    "lines": {"where": "", "cleaning": True},
    "table": {"where": "", "id": None, "keep": {}, "join": None, "cleaning": True},
}
# The pairing of the defaults whose way of choosing is that of one which states none: the nearest.
PAIRING = "captions_retrieved"
# What a pairing states itself.
ITS_OWN = ("bank", "encoder")


def with_unstated(model: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose banks, pairings and documents have every key.

    Args:
        model: The defaults.
        config: What is to be completed; may be wrong in any way.
    """
    found = dict(config)
    banks, pairings = found.get("text_banks"), found.get("pairings")
    if isinstance(banks, Mapping):
        found["text_banks"] = {
            name: _filled(bank, OF_BANKS.get(str(_reader(bank)), {}))
            for name, bank in banks.items()
        }
    known = model.get("pairings", {}).get(PAIRING, {})
    usual = {key: value for key, value in known.items() if key not in ITS_OWN}
    if isinstance(pairings, Mapping):
        found["pairings"] = {name: _filled(one, usual) for name, one in pairings.items()}
    documents = found.get(classifying.KEY)
    if isinstance(documents, Mapping):
        found[classifying.KEY] = {
            name: _filled(one, classifying.UNSTATED) for name, one in documents.items()
        }
    return found


def _reader(bank: Any) -> Any:
    return bank.get("reader") if isinstance(bank, Mapping) else None


def _filled(entry: Any, usual: Mapping[str, Any]) -> Any:
    """Put beside what an entry states what it does not, also of a mapping within it."""
    if not isinstance(entry, Mapping):
        return entry
    found = dict(entry)
    for key, value in usual.items():
        if key not in found:
            found[key] = value
        elif isinstance(value, Mapping):
            found[key] = _filled(found[key], value)
    return found
