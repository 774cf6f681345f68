"""What the paper states (a file of config/papers), number by number, and how it is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pairdx.reporting.format.classes import Names, name_of

# Units of fractions of 1, and what is written behind them when they are written in percent.
SHARES = {"share": "%", "points": "points"}
SECOND_VALUE = "contradicted_by"
# Of the file's key `beside`: systems and datasets have numbers for each dataset.
EACH = "each"
# What is stated about several datasets together.
ACROSS = "across"
# What a second value of the paper has in common with the first.
INHERITED = ("ours", "unit", "not_comparable")


@dataclass(frozen=True)
class Statement:
    """One number of the paper.

    Attributes:
        path: Its keys in the paper's file, from the top.
        value: The number; a share is a fraction of 1, a time is in seconds.
        entry: What else the paper's file says about it: place, unit, stated, ours and so on.
        contradiction: Why the paper contradicts itself about it, if it does.
    """

    path: tuple[str, ...]
    value: float
    entry: Mapping[str, Any]
    contradiction: str | None = None

    @property
    def system(self) -> str | None:
        """Its key under ``systems``; None where it is about the dataset."""
        return self.path[1] if self.path[0] == "systems" else None


def read_paper(path: str | Path | None) -> dict[str, Any]:
    """Read a file of config/papers; where there is no paper, nothing is stated."""
    if not path:
        return {}
    content: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return content


def stated_of(paper: Mapping[str, Any], key: str, dataset: str) -> dict[str, Any]:
    """Return what is stated about a system, of a paper with several datasets on one of them.

    Args:
        paper: The content of its file.
        key: The system's key in it.
        dataset: Name of the dataset.
    """
    stated = paper["systems"][key]
    return dict(stated.get(dataset, {}) if paper.get("beside") == EACH else stated)


def about_dataset(
    paper: Mapping[str, Any], dataset: str, *, across: bool = False
) -> dict[str, Any]:
    """Return a paper as if it were about one of its datasets only.

    Args:
        paper: The content of its file.
        dataset: Name of the dataset.
        across: Whether what it states about several together stays.
    """
    if paper.get("beside") != EACH:
        return dict(paper)
    systems = {key: stated_of(paper, key, dataset) for key in paper["systems"]}
    return {
        **{key: value for key, value in paper.items() if across or key != ACROSS},
        "dataset": paper["dataset"][dataset],
        "systems": {key: stated for key, stated in systems.items() if stated},
    }


def in_file(paper: Mapping[str, Any], dataset: str, statement: str) -> str:
    """Return the keys of a statement of :func:`about_dataset` in the file: its dataset put in."""
    section, *rest = statement.split(".")
    if paper.get("beside") != EACH or section not in ("dataset", "systems"):
        return statement
    at = 1 if section == "systems" else 0
    return ".".join([section, *rest[:at], dataset, *rest[at:]])


def of_metric(stated: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return what is stated about a system's metric; nothing where nothing is.

    Args:
        stated: The system's entry, on one dataset.
        metric: A metric of ours: the statement's key, or what it names as ``metric``.
    """
    for key, number in stated.items():
        if (
            isinstance(number, Mapping)
            and "value" in number
            and number.get("metric", key) == metric
        ):
            return dict(number)
    return {}


def about_grid(paper: Mapping[str, Any], grid: str) -> dict[str, Any]:
    """Return what is stated about a grid as a whole, such as ``combined_p``."""
    return dict(paper.get(ACROSS, {}).get(grid, {}))


def conditions(paper: Mapping[str, Any], item: str) -> str:
    """Say under what conditions the paper's numbers in a table were obtained, as its file does.

    Args:
        paper: The content of its file.
        item: ``comparison`` or ``cost``.
    """
    devices = {name: number["value"] for name, number in paper["environment"].items()}
    return str(paper["conditions"][item]).format_map(devices)


def legend(paper: Mapping[str, Any]) -> str:
    """Say what the paper's markers in a figure are; of no paper, nothing that is shown."""
    return f"Paper ({paper['conditions']['legend']})" if paper else "Paper"


def statements(paper: Mapping[str, Any]) -> list[Statement]:
    """List every number of the paper's file, in its order, and nothing that it says in words.

    A second value that the paper states for the same thing is a statement of its own, after the
    first; each then names the other as the contradiction.
    """
    return list(_statements(paper, ()))


def _statements(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Statement]:
    value, other = node.get("value"), node.get(SECOND_VALUE)
    if isinstance(value, int | float):
        reason = _also_states(other) if other else node.get("contradiction")
        yield Statement(path, value, node, reason)
    if other:
        shared = {key: node[key] for key in INHERITED if key in node}
        second = (*path, SECOND_VALUE)
        yield Statement(second, other["value"], shared | dict(other), _also_states(node))
    for key, child in node.items():
        if isinstance(child, Mapping) and key != SECOND_VALUE:
            yield from _statements(child, (*path, key))


def _also_states(other: Mapping[str, Any]) -> str:
    return f"the paper also states {as_stated(other)}"


def papers_test_pairs(paper: Mapping[str, Any]) -> int:
    """Return how many pairs the paper's accuracies are over: its test share of its pairs."""
    dataset = paper["dataset"]
    return round(dataset["pairs"]["value"] * dataset["split"]["test"]["value"])


def papers_runs(paper: Mapping[str, Any]) -> int:
    """Return of how many trainings a paper's numbers are means."""
    return int(paper.get("conditions", {}).get("runs", 1))


def half_step(statement: Statement) -> float:
    """Return how far a share's true value can lie from the one that is printed: 93 % is 0.005."""
    return 0.5 * 10.0 ** -(printed_decimals(statement) + 2)


def printed_decimals(statement: Statement) -> int:
    """Count the decimals with which a number is printed, of a share those of its percentage."""
    scale = 100 if statement.entry.get("unit") in SHARES else 1
    stated = re.search(r"([\d.]+) ?(?:%|percent)", str(statement.entry.get("stated")))
    printed = stated[1] if stated and scale == 100 else f"{scale * statement.value!r}"
    return len(printed.partition(".")[2])


def as_stated(number: Mapping[str, Any]) -> str:
    """Quote a number in the paper's own words, with its place."""
    return f"{in_words(number)} ({number['place']})"


def in_words(number: Mapping[str, Any]) -> str:
    """Quote a number in the paper's own words, or write it with its unit."""
    unit = number.get("unit", "")
    return str(number.get("stated") or f"{number['value']:,} {unit}".rstrip())


def accuracy_notes(stated: Mapping[str, Any] | None) -> list[str]:
    """Say what the paper states about a system's accuracy; nothing where it states none.

    Args:
        stated: The system's entry in the paper's file, or nothing.
    """
    stated = stated or {}
    accuracy = stated.get("accuracy")
    if not accuracy:
        return []
    notes = [f"Paper: accuracy {as_stated(accuracy)}."]
    if SECOND_VALUE in accuracy:
        notes.append(f"The paper also states {as_stated(accuracy[SECOND_VALUE])}.")
    per_class = stated.get("per_class_accuracy")
    if per_class:
        notes.append(
            "The paper's accuracies per class are taken as recall "
            f"({', '.join(dict.fromkeys(number['place'] for number in per_class.values()))})."
        )
    return notes


def training_notes(stated: Mapping[str, Any] | None) -> list[str]:
    """Say for how long the paper trained a system: epochs, time and device."""
    stated = stated or {}
    epochs, seconds = stated.get("settings", {}).get("epochs"), stated.get("train_seconds")
    parts = []
    if epochs:
        parts.append(f"{epochs['value']} epochs ({epochs['place']})")
    if seconds:
        parts.append(f"{as_stated(seconds)} on an {stated['train_device']['value']}")
    return [f"Paper: {', '.join(parts)}."] if parts else []


def confusion_notes(
    stated: Mapping[str, Any] | None, confusion: Sequence[Sequence[int]], classes: Names
) -> list[str]:
    """Set the confusions that the paper counts beside those of a confusion matrix.

    Args:
        stated: The system's entry in the paper's file, or nothing.
        confusion: Rows are true classes, columns predicted classes, in the order of ``classes``.
        classes: Display names of the classes, by label.
    """
    counts, labels = np.asarray(confusion), list(classes)
    notes = []
    for number in (stated or {}).get("confusions", {}).values():
        if not set(number["classes"]) <= set(classes):
            continue
        first, second = (labels.index(name) for name in number["classes"])
        names = [name_of(name, classes) for name in number["classes"]]
        notes.append(
            f"Paper: {as_stated(number)} confused between {names[0]} and {names[1]}, true class "
            f"not stated. Here: {counts[first, second]:,} of {names[0]} and "
            f"{counts[second, first]:,} of {names[1]}."
        )
    return notes
