"""What deployment.json must say, checked key by key before anything is made of it.

Plain Python: a validator of JSON schemas would be one more package where systems are used.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

READS = ("image", "caption")
SQUARINGS = ("crop", "squash", "pad")
TOKENISERS = ("words",)
ONE, SEVERAL = "single_label", "multi_label"
MOST_PIXELS_OF_A_SIDE = 4096
MOST_TOKENS = 100_000
_SHOWN = 80  # characters of a value in an error


def problem_of(facts: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the content of a deployment.json; None if nothing is."""
    for key, (sound, said) in _KEYS.items():
        if key not in facts:
            return f"it does not say {key!r}"
        if not sound(facts[key]):
            return f"{key!r} is {shown(facts[key])}, and should be {said}"
    for look in (_of_classes, _of_readers, _of_decisions, _of_text):
        if (problem := look(facts)) is not None:
            return problem
    return None


def problem_of_words(words: Any) -> str | None:
    """Say what is wrong with a vocabulary; None if nothing is."""
    if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
        return "it has no list of words"
    return None


def _of_classes(facts: Mapping[str, Any]) -> str | None:
    labels = [label for label, _ in facts["classes"]]
    if "" in labels:
        return "a class has no label"
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        return f"two classes have the label {shown(twice[0])}"
    return None


def _of_readers(facts: Mapping[str, Any]) -> str | None:
    """Compare what is read with how it is read."""
    for read, key, look in (("image", "image", _of_image), ("caption", "text", _of_captions)):
        if (read in facts["reads"]) != (facts[key] is not None):
            there = "null" if facts[key] is None else "there"
            return f"'reads' is {shown(facts['reads'])}, and {key!r} is {there}"
        if facts[key] is not None and (problem := look(facts[key])) is not None:
            return problem
    return None


def _of_image(image: Mapping[str, Any]) -> str | None:
    size, squaring = image.get("size"), image.get("squaring")
    if not _whole(size, 1, MOST_PIXELS_OF_A_SIDE):
        return f"the images' size is {shown(size)}, and should be 1 to {MOST_PIXELS_OF_A_SIDE}"
    if squaring not in SQUARINGS:
        return f"the images' squaring is {shown(squaring)}; there are {', '.join(SQUARINGS)}"
    return None


def _of_captions(text: Mapping[str, Any]) -> str | None:
    tokens, name = text.get("tokens"), text.get("vocabulary")
    if text.get("tokeniser") not in TOKENISERS:
        return (
            "its captions are read by a tokeniser that is not known here: "
            f"{shown(text.get('tokeniser'))}"
        )
    if not _whole(tokens, 1, MOST_TOKENS):
        return f"the captions' tokens are {shown(tokens)}, and should be 1 to {MOST_TOKENS:,}"
    if not (_is_text(name) and name and PurePosixPath(name).name == name and name.isprintable()):
        return f"the vocabulary is {shown(name)}, and should be a file's name without a path"
    if name == ".." or "\\" in name:
        return f"the vocabulary is {shown(name)}, and should be a file's name without a path"
    return None


def _of_decisions(facts: Mapping[str, Any]) -> str | None:
    """Compare temperature and thresholds with the task."""
    thresholds = facts["thresholds"]
    if facts["task"] == ONE:
        return None if thresholds is None else "'thresholds' are for several labels; it has one"
    for key in ("temperature", "threshold"):
        if facts[key] is not None:
            return f"{key!r} is for one label; it has several"
    labels = [label for label, _ in facts["classes"]]
    if thresholds is None or sorted(thresholds) != sorted(labels):
        return "'thresholds' are not those of the classes"
    for label, value in thresholds.items():
        if not (value is None or _number(value)):
            return f"the threshold of {shown(label)} is {shown(value)}, and no number"
    return None


def _of_text(facts: Mapping[str, Any]) -> str | None:
    """Find what JSON or UTF-8 cannot hold, wherever it is: it would fail where rows are written."""
    try:
        json.dumps(facts, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        return "it holds a number or a text that cannot be written again"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Say whether a value is a finite number between two others; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value) and least <= value <= most
    except OverflowError:  # an integer that no float can hold
        return False


def _whole(value: Any, least: int, most: float = math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _null_or(sound: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or sound(value)


def _share(value: Any) -> bool:
    return _number(value, 0.0, 1.0)


def _pairs_of_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(one, list) and [*map(type, one)] == [str, str] for one in value)
    )


def _some_of_reads(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(one in READS for one in value)
        and len(set(value)) == len(value)
    )


def shown(value: Any) -> str:
    """Return a value as an error names it: on one line, and not at length."""
    try:
        text = ascii(value)
    except (RecursionError, ValueError):  # too deep; an integer with thousands of digits
        return f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_Key = tuple[Callable[[Any], bool], str]
_TEXT: _Key = (_is_text, "a text")
_OBJECT = "an object, or null"


def _object(value: Any) -> bool:
    return isinstance(value, dict)


# Of every key, whether a value is sound by itself, and what it should be.
_KEYS: dict[str, _Key] = {
    **dict.fromkeys(("system", "title", "family"), _TEXT),
    "stand_in": (lambda value: isinstance(value, bool), "true or false"),
    **dict.fromkeys(("dataset", "dataset_title", "split"), _TEXT),
    "seed": (lambda value: _whole(value, 0), "a whole number from 0 on"),
    "task": (lambda value: value in (ONE, SEVERAL), f"{ONE!r} or {SEVERAL!r}"),
    "classes": (_pairs_of_texts, "a list of at least one class, each a label and a name"),
    "reads": (_some_of_reads, "a list of 'image', 'caption' or both"),
    "image": (_null_or(_object), _OBJECT),
    "text": (_null_or(_object), _OBJECT),
    "temperature": (
        _null_or(lambda value: _number(value) and value > 0),
        "a number above 0, or null",
    ),
    "threshold": (_null_or(_number), "a number, or null"),
    "risk": (_null_or(_share), "a number from 0 to 1, or null"),
    "coverage": (_null_or(_share), "a number from 0 to 1, or null"),
    "thresholds": (_null_or(_object), _OBJECT),
    "validation_pairs": (lambda value: _whole(value, 0), "a whole number from 0 on"),
    "versions": (_object, "an object"),
}
