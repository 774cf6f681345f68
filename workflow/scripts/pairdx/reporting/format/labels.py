"""How classes, splits and systems are called in tables and figures; what is said of systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Datasets = Mapping[str, Mapping[str, Any]]
STAND_IN_NOTE = (
    "Stand-ins: small, randomly initialised encoders; "
    "their numbers say nothing about the real systems."
)
RECONSTRUCTION_NOTE = (
    "Sentence sampling and relaxation of the positive pair: a reconstruction of Jang et al.; its "
    "exact form is not public."
)


def readable(name: str) -> str:
    """Turn an identifier into words: ``medical_photograph`` becomes ``Medical photograph``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def system_title(name: str, registry: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a system's title from the registry; a demo's stand-in is marked as one."""
    entry = registry[name]
    title = str(entry.get("title") or readable(name))
    return title + stand_in_mark(entry)


def stand_in_mark(entry: Mapping[str, Any]) -> str:
    """Return what stands behind the title of a demo's stand-in; nothing behind others."""
    if not entry.get("stand_in"):
        return ""
    return f" ({'stand-in' if entry.get('trained') else 'untrained stand-in'})"


def encoder_title(entry: Mapping[str, Any]) -> str:
    """Name a frozen encoder by its key; one without trained weights is marked.

    Args:
        entry: ``encoder``, its key in ``feature_extractors``; ``random_weights``, whether its
            ``weights`` are null.
    """
    return f"{entry['encoder']}{' (random weights)' if entry['random_weights'] else ''}"


def groups_in_words(tells: Mapping[str, Any]) -> str:
    """Name what tells that pairs belong together, as in "Siblings share an article, case".

    Args:
        tells: ``articles`` (the data are made of publications); ``grouped_by`` (how the columns
            of groups are called, by column of the pairs).
    """
    if tells["articles"]:
        return "an article, case, figure"
    names = [name for column, name in tells["grouped_by"].items() if column != "case_id"]
    return ", ".join(f"a value of {name}" for name in names)


def dataset_column(names: Iterable[str], datasets: Datasets, heading: str) -> dict[str, list[str]]:
    """Return a column of datasets' titles for reading, by its heading; none where all are of one.

    Args:
        names: The dataset of every row.
        datasets: ``title`` of every dataset.
        heading: What the column is called.
    """
    names = list(names)
    if len(set(names)) <= 1:
        return {}
    return {heading: [str(datasets[name]["title"]) for name in names]}


def systems_note(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what has to be said wherever any of these systems is shown; None where nothing has.

    Args:
        entries: Of the registry, as the plan shows them, or passports: ``stand_in``, and
            ``reconstructed`` of what has settings that stand for a publication of unknown detail.
    """
    entries = list(entries)
    said = {"stand_in": STAND_IN_NOTE, "reconstructed": RECONSTRUCTION_NOTE}
    notes = [note for key, note in said.items() if any(entry.get(key) for entry in entries)]
    return " ".join(notes) or None


def as_in_paper(title: str, label: str | None) -> str:
    """Name the item of the paper that a table or figure is, such as ``Table 3``, if it is one."""
    return f"{title} (paper, {label})" if label else title


def further_readings(
    systems: Iterable[str], registry: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return the systems that name the same one of the paper's as a system before them.

    Args:
        systems: Systems that were run, in table order; repeated ones count once.
        registry: ``paper`` of every system; None for one that is not the paper's.
    """
    names = list(dict.fromkeys(systems))
    keys = [registry[name].get("paper") for name in names]
    return [name for at, name in enumerate(names) if keys[at] and keys[at] in keys[:at]]


def readings_note(readings: Iterable[str], registry: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say where the paper's text fits several systems of ours."""
    notes = []
    for name in readings:
        key = registry[name]["paper"]
        first = next(other for other, entry in registry.items() if entry.get("paper") == key)
        notes.append(
            f"What the paper says of one system fits both {system_title(first, registry)} and "
            f"{system_title(name, registry)}: its numbers stand beside each. Numbers that compare "
            "it with other systems take the first."
        )
    return notes
