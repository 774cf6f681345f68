"""Labels and display names of classes: any text, in one spelling.

A label is what the data say: `Adenocarcinoma, grade 2`, `7`, a word of any script. A configuration
may write it in ways that are one for people: with another composition of accents, or as a number.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONGEST = 200  # characters
_BLANKS = "blanks at its start or end"
# Characters that show nothing and change how others are read: line and page ends, halves of
# surrogate pairs, marks that turn the direction of all that follows. (Joiners within a word, of
# Persian or of an emoji, are of the category Cf too, and stay.)
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_TURNS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
# Where labels stand in a dataset: as keys of mappings.
KEYED = ("classes", "class_words", "class_prompts")


class Whole(dict[Any, Any]):
    """A mapping that takes the place of what it is put over: one that was written as a list."""


def normalised(text: str) -> str:
    """Return a label in the one spelling that the workflow keeps (Unicode's NFC)."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return what two labels share that differ only in case and in the number of blanks."""
    return " ".join(normalised(normalised(text).casefold()).split())


def as_label(value: Any) -> Any:
    """Return what YAML read as a label: a whole number as text, text in one spelling.

    All else (true for an unquoted yes, a date, nothing) is left for the checks to refuse.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return normalised(value) if isinstance(value, str) else value


def settled(overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which each label has one spelling and classes are a mapping.

    A list of classes becomes the mapping of each to itself. What is wrong with the types stays as
    it is: the checks name it.
    """
    found = dict(overlay)
    if isinstance(overlay.get("finding_prompts"), Mapping):
        sets = overlay["finding_prompts"].items()
        found["finding_prompts"] = {name: _with_own_labels(of) for name, of in sets}
    datasets = overlay.get("datasets")
    if isinstance(datasets, Mapping):
        found["datasets"] = {
            name: _of_dataset(entry) if isinstance(entry, Mapping) else entry
            for name, entry in datasets.items()
        }
    return found


def _of_dataset(entry: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: _with_keys(value) for key, value in entry.items()}
    for key in KEYED:
        if isinstance(found.get(key), dict):
            found[key] = _with_labels(found[key])
    if isinstance(found.get("classes"), list) and not any(map(_holds_others, found["classes"])):
        labels = map(as_label, found["classes"])
        found["classes"] = Whole({label: label for label in labels})
    elif isinstance(found.get("classes"), dict):
        kind = type(found["classes"])
        found["classes"] = kind({name: as_label(shown) for name, shown in found["classes"].items()})
    if isinstance(found.get("out_of_distribution"), list):
        found["out_of_distribution"] = [as_label(one) for one in found["out_of_distribution"]]
    if isinstance(found.get("tested_on"), dict):
        found["tested_on"] = {name: _as_matched(how) for name, how in found["tested_on"].items()}
    curation = found.get("curation")
    if isinstance(curation, Mapping) and isinstance(curation.get("modalities"), Mapping):
        modalities = {
            name: {**of, "label": as_label(of["label"])}
            if isinstance(of, Mapping) and "label" in of
            else of
            for name, of in curation["modalities"].items()
        }
        found["curation"] = {**curation, "modalities": modalities}
    return found


def _with_keys(value: Any) -> Any:
    """Take whole numbers for text wherever they are keys: spellings of the data are, too."""
    if isinstance(value, Mapping):
        kind = Whole if isinstance(value, Whole) else dict
        whole = {
            str(key) if isinstance(key, int) and not isinstance(key, bool) else key: _with_keys(of)
            for key, of in value.items()
        }
        return kind(whole)
    return value


def _as_matched(how: Any) -> Any:
    """Settle the labels of both sides of what says which classes of two datasets are the same."""
    if not isinstance(how, Mapping) or not isinstance(how.get("classes"), Mapping):
        return how
    both = {as_label(here): as_label(there) for here, there in how["classes"].items()}
    return {**how, "classes": both}


def _with_own_labels(of: Any) -> Any:
    """Settle the labels whose prompts are whole."""
    if not isinstance(of, Mapping) or not isinstance(of.get("own"), dict):
        return of
    return {**of, "own": _with_labels(of["own"])}


def _with_labels(of: dict[Any, Any]) -> dict[Any, Any]:
    return type(of)({as_label(label): value for label, value in of.items()})


def _holds_others(value: Any) -> bool:
    return isinstance(value, Mapping | list)


def problems_of_spelling(overlay: Mapping[str, Any]) -> Iterator[str]:
    """Say what would be lost when labels are settled, and of lists of classes what is no label.

    Args:
        overlay: What the user changes, as YAML read it.
    """
    datasets = overlay.get("datasets")
    for name, entry in datasets.items() if isinstance(datasets, Mapping) else ():
        if not isinstance(entry, Mapping):
            continue
        for key in KEYED:
            value = entry.get(key)
            place = f"config key datasets.{name}.{key}"
            if key == "classes" and key in entry and value is None:
                yield f"{place}: no class is named there; at least two are needed"
            elif isinstance(value, list) and any(map(_holds_others, value)):
                yield (
                    f"{place}: a list holds labels only; with display names it is a mapping, "
                    "{label: display name}"
                )
            elif isinstance(value, Mapping) or (isinstance(value, list) and key == "classes"):
                yield from _no_texts(place, value if isinstance(value, list) else ())
                yield from _twice(place, value)
        named = entry.get("tested_on")
        for other, how in named.items() if isinstance(named, Mapping) else ():
            if isinstance(how, Mapping) and isinstance(how.get("classes"), Mapping):
                place = f"config key datasets.{name}.tested_on.{other}.classes"
                yield from _twice(place, how["classes"])


def _twice(place: str, labels: Iterable[Any]) -> Iterator[str]:
    counts = Counter(map(as_label, labels))
    for twice in (label for label, count in counts.items() if count > 1):
        yield (
            f"{place}: {twice} stands there twice (a number and a text of the same digits, or one "
            "text in two compositions of Unicode, are one label)"
        )


def _no_texts(place: str, labels: Iterable[Any]) -> Iterator[str]:
    """Say of items of a list of classes that YAML read as something else than text."""
    for label in map(as_label, labels):
        if label is None:
            yield f"{place}: an item of the list is empty (null): delete it, or put it in quotes"
        elif not isinstance(label, str):
            yield (
                f"{place}: the name {label} is no text: put it in quotes (YAML reads yes, no, on "
                "and off as true and false)"
            )


def problem_of_text(text: str) -> str | None:
    """Say why a text cannot be a label or a display name; None where it can."""
    if any(unicodedata.category(letter) in _CONTROLS or ord(letter) in _TURNS for letter in text):
        return "has control characters, which no table shows"
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in text):
        return "has nothing visible in it"
    if text != text.strip():
        return f"has {_BLANKS}"
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return None
