"""Under which conditions systems were tested on another dataset, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from pairdx.evaluation.tested_on import LEVEL
from pairdx.reporting.format.labels import system_title, systems_note

Registry = Mapping[str, Mapping[str, Any]]
Facts = Mapping[str, Any]
SIDES = ("home", "there")
# So many names stand in a note; tested_on_classes has all.
NAMES_SHOWN = 12


def tested_on_notes(
    table: pd.DataFrame, facts: Facts, registry: Registry, *, resamples: int
) -> list[str]:
    """State how accuracies were made, and what was left out.

    Args:
        table: tables/tested_on.csv.
        facts: What the plan says of datasets and of what is compared.
        registry: title, stand_in and random of every system.
        resamples: Number of bootstrap resamples.
    """
    return [
        *_of_all(facts, registry),
        "Accuracies are over the test pairs of the classes that both datasets have; any other "
        "answer is wrong, also one that is no class there. Drop: home less there. It is of "
        "everything in which these pairs differ, the shares of their classes too; balanced "
        "accuracy (mean recall of the classes with test pairs on both sides) leaves these out.",
        f"Intervals: {100 * LEVEL:g} %, {resamples:,} resamples of the cases. That of the drop is "
        "made of the two accuracies' as of independent samples (Newcombe 1998; MOVER), which "
        "they are where no case is in both datasets; what trainings differ by is added where "
        "there are several seeds, of which two or three know little. Of one seed it holds for this "
        "trained classifier.",
        *_of_counts(table, facts),
        *_of_words(table, facts),
        *_of_what_is_shared(table, facts),
    ]


def confidence_notes(table: pd.DataFrame, facts: Facts, registry: Registry) -> list[str]:
    """State what calibration and abstention are of.

    Args:
        table: tables/tested_on_confidence.csv.
        facts: What the plan says of datasets and of what is compared.
        registry: title and stand_in of every system.
    """
    risk = f"{100 * float(table['target_risk'].iloc[0]):g} %" if len(table) else "the stated"
    return [
        *_of_all(facts, registry),
        "ECE: expected calibration error as predicted and, in brackets, with the temperature that "
        "the validation pairs at home chose. Of few pairs it is too large, and larger the fewer "
        "there are: two of them compare where both sides have about as many.",
        "Coverage and risk: pairs answered, and wrong ones among these, from the confidence on "
        f"that, on the validation pairs at home, left at most {risk} of them wrong. A coverage "
        "without interval: at home, no confidence was sure enough. Further classes: those of the "
        "other dataset that no system knows, so that every answer is wrong.",
        "Nothing was fitted to the other dataset.",
    ]


def classes_notes(facts: Facts, registry: Registry, risk: float) -> list[str]:
    """State what the columns of the answers by class mean.

    Args:
        facts: What the plan says of datasets and of what is compared.
        registry: title and stand_in of every system.
        risk: Share of wrong answers to accept.
    """
    return [
        *_of_all(facts, registry),
        "A row without a class here: nothing can be right, because no system knows the class. A "
        "row without a class there: a class that systems know and the other dataset has not.",
        "Answered: share whose confidence is at least that from which, on the validation pairs at "
        f"home, at most {100 * risk:g} % of the answers are wrong. Means over seeds.",
    ]


def _of_all(facts: Facts, registry: Registry) -> list[str]:
    demo = systems_note(registry.values())
    return [*([demo] if demo else []), *_of_directions(facts, registry)]


def _of_directions(facts: Facts, registry: Registry) -> Iterator[str]:
    for one in facts["directions"]:
        here, there = (facts["datasets"][one[name]] for name in ("dataset", "other"))
        matched = one["matched"]
        mapped = [(label, meant) for label, meant in matched.items() if label != meant]
        shown = (f"{here['classes'][own]} = {there['classes'][meant]}" for own, meant in mapped)
        without = [
            name for label, name in there["classes"].items() if label not in matched.values()
        ]
        absent = [name for label, name in here["classes"].items() if label not in matched]
        parts = [f"{len(matched)} classes are the same"]
        parts += [f"by the configuration: {_some(shown)}"] if mapped else []
        parts += [f"only the other has {_some(without)}"] if without else []
        parts += [f"only the first has {_some(absent)}"] if absent else []
        yield f"Trained on {here['title']}, tested on {there['title']}: {'; '.join(parts)}."
        yield f"Splits: {', '.join(_split(*both) for both in one['splits'].items())}."
        for reason in dict.fromkeys(one["left_out"].values()):
            names = (name for name, other in one["left_out"].items() if other == reason)
            titles = _some(system_title(name, registry) for name in names)
            yield f"Not asked about {there['title']}: {titles}; of each: {reason}."


def _split(here: str, there: str) -> str:
    return here if here == there else f"{here} (there: {there})"


def _by_direction(table: pd.DataFrame, facts: Facts) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the titles of two datasets, the name of the split, and their rows."""
    columns = ["dataset", "other", "split"]
    for (name, other, split), rows in table.groupby(columns, sort=False):
        here, there = (facts["datasets"][one]["title"] for one in (name, other))
        yield f"{here} ({split} split)", str(there), rows


def _of_counts(table: pd.DataFrame, facts: Facts) -> Iterator[str]:
    for here, there, rows in _by_direction(table, facts):
        absent, unmatched = (rows[f"{what}_pairs"].iloc[0] for what in ("absent", "unmatched"))
        if absent or unmatched:
            yield (
                f"Not among the pairs of {here} and {there}: {absent:,} test pairs at home of "
                f"classes that are not there, and {unmatched:,} there of classes that no system "
                "knows (tested_on_classes)."
            )


def _of_words(table: pd.DataFrame, facts: Facts) -> Iterator[str]:
    for here, there, rows in _by_direction(table[table["there_unknown_words"].notna()], facts):
        shares = [f"{100 * rows[f'{side}_unknown_words'].iloc[0]:.1f} %" for side in SIDES]
        yield (
            f"Systems that read words with vectors know the words of both datasets. Without a "
            f"vector are {shares[0]} of the words in captions of {here}, {shares[1]} of those of "
            f"{there}."
        )


def _of_what_is_shared(table: pd.DataFrame, facts: Facts) -> Iterator[str]:
    for here, there, rows in _by_direction(table, facts):
        seen, names, cases = (
            rows[what].max() for what in ("seen", "same_case_names", "shared_cases")
        )
        where = f"Of the test pairs of {there}, by what was trained on {here}"
        if pd.notna(seen) and seen:
            yield (
                f"{where}: {seen:,} have an image that is, byte by byte or nearly, one of the "
                "training pairs; the accuracy there is too high."
            )
        if pd.notna(names) and names:
            yield (
                f"{where}: {names:,} are of a case that is called like one trained on. Whether "
                "it is the same case, names do not tell; if it is, the accuracy there is too high."
            )
        if pd.notna(cases) and cases:
            yield (
                f"{cases:,} cases of these names have test pairs in both {here} and {there}: if "
                "they are the same cases, the two accuracies are not independent, and the interval "
                "of the drop is not right."
            )


def _some(names: Iterable[str]) -> str:
    """List names, the first ones where there are many."""
    found = list(names)
    more = len(found) - NAMES_SHOWN
    return ", ".join(found[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
