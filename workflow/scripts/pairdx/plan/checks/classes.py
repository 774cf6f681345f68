"""What is wrong with the classes of datasets: labels, display names, words and prompts of each.

Every function yields sentences that begin with the config key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.classes import folded, problem_of_text
from pairdx.plan.datasets import NO_FINDING
from pairdx.plan.descriptions import has_several
from pairdx.plan.wording import similar

Config = Mapping[str, Any]
Entries = Mapping[str, Config]


def problems(of: Entries, all_entries: Config, defaults: Config) -> Iterator[str]:
    """Say everything that is wrong.

    Args:
        of: The datasets of the run, by name.
        all_entries: All datasets of the completed configuration.
        defaults: All datasets of the completed one that nobody has changed.
    """
    for name, entry in of.items():
        yield from problems_of_labels(f"config key datasets.{name}", entry)
        yield from problems_of_classes(name, entry)
        yield from problems_of_findings(name, entry)
        yield from problems_of_prompts(f"config key datasets.{name}.class_prompts", entry)
    yield from problems_of_names(of, all_entries, defaults)


def problems_of_labels(place: str, entry: Config) -> Iterator[str]:
    """Labels and display names that cannot be read, and labels that readers take for one."""
    for key in ("classes", "out_of_distribution"):
        for label in entry[key]:
            if problem := problem_of_text(label):
                yield f"{place}.{key}: the label {label!r} {problem}"
    for label, shown in entry["classes"].items():
        if shown != label and (problem := problem_of_text(shown)):
            yield f"{place}.classes: the display name {shown!r} of {label!r} {problem}"
    seen: dict[str, str] = {}
    for label in [*entry["classes"], *entry["out_of_distribution"]]:
        other = seen.setdefault(folded(label), label)
        if other != label:
            yield (
                f"{place}.classes: the labels {other!r} and {label!r} differ only in case or "
                "blanks, and labels of the data are matched without regard to these: name one of "
                "them"
            )


def problems_of_classes(name: str, entry: Config) -> Iterator[str]:
    """Classes that are out of distribution too, and those of which nothing would be left."""
    classes, others = entry["classes"], entry["out_of_distribution"]
    if both := sorted(set(classes) & set(others)):
        yield (
            f"config key datasets.{name}.out_of_distribution: {', '.join(both)} "
            f"{'is' if len(both) == 1 else 'are'} among the classes too"
        )
    if len(classes) < 2:
        yield (
            f"config key datasets.{name}.classes: at least two are needed: name the labels of the "
            "data"
        )
    # Of labels that are one, problems_of_labels speaks.
    names = {folded(label): shown for label, shown in classes.items()}.values()
    first = {folded(shown): shown for shown in reversed(names)}
    called = Counter(map(folded, names))
    for shown in (first[one] for one, count in called.items() if count > 1):
        yield (
            f"config key datasets.{name}.classes: several classes are called {shown}, and "
            "prompts do not tell them apart"
        )
    modalities = entry["curation"]["modalities"]
    if modalities is None:
        return
    covered = {modality["label"] for modality in modalities.values()}
    for label in dict.fromkeys([*classes, *others]):
        if label not in covered:
            yield (
                f"config key datasets.{name}.curation.modalities: none of them has the label "
                f"{label}, so all its pairs would be rejected (null in place of all of them "
                "takes every class as a whole)"
            )


def problems_of_findings(name: str, entry: Config) -> Iterator[str]:
    """Of several classes per pair: names that a text of findings cannot hold, and odd ones out."""
    if not has_several(entry["task"]):
        return
    place = f"config key datasets.{name}"
    for label in entry["classes"]:
        if "|" in label or label.endswith("?") or label == NO_FINDING:
            yield (
                f"{place}.classes: {label!r}: where several classes can be true of a pair, none "
                f'may have "|" in its name, end in "?" or be called {NO_FINDING}'
            )
    if entry["out_of_distribution"]:
        yield (
            f"{place}.out_of_distribution: where several classes can be true of a pair, none is "
            "out of distribution: write []"
        )


def problems_of_prompts(place: str, entry: Config) -> Iterator[str]:
    """One prompt that stands for several classes."""
    asked: dict[str, str] = {}
    for label, prompts in entry.get("class_prompts", {}).items():
        for prompt in prompts if label in entry["classes"] else ():
            other = asked.setdefault(prompt, label)
            if other != label:
                yield (
                    f"{place}: {prompt!r} stands for {other} and for {label}, and does not tell "
                    "them apart"
                )


def problems_of_names(of: Entries, all_entries: Config, defaults: Config) -> Iterator[str]:
    """Words and prompts of what is no class: neither here nor in a dataset that lends them."""
    elsewhere: set[str] = set()
    for entry in (*all_entries.values(), *defaults.values()):
        elsewhere |= {*entry["classes"], *entry["out_of_distribution"]}
    for name, entry in of.items():
        own = [*entry["classes"], *entry["out_of_distribution"]]
        for key in ("class_words", "class_prompts"):
            for label in entry.get(key, {}):
                if label not in elsewhere:
                    guess = similar(label, own)
                    yield f"config key datasets.{name}.{key}: {label} is no class{guess}"
