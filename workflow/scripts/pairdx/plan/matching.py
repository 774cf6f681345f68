"""Which classes of two datasets are the same: those of one name, and those that a user maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pairdx.plan.classes import folded


def matched_classes(
    here: Sequence[str], there: Sequence[str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Return the label there of every class here that has one, in the order of the classes here.

    Labels that are the same text match, unless the mapping says something else of either.

    Args:
        here: Labels of the dataset that systems were trained on.
        there: Labels of the other.
        mapping: Label there, by label here: what the user states.
    """
    by_name = {label: label for label in here if label in there and label not in mapping.values()}
    found = {**by_name, **mapping}
    return {label: found[label] for label in here if label in found}


def nearly_matched(
    here: Sequence[str], there: Sequence[str], matched: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield classes of either side that match nothing, and are written nearly alike.

    That is, they differ in case, the number of blanks, and blanks for underscores alone.

    Args:
        here: Labels of the dataset that systems were trained on.
        there: Labels of the other.
        matched: Label there, by label here, of those that match.
    """
    meant = set(matched.values())
    lone = {_written(label): label for label in there if label not in meant}
    for label in here:
        if label not in matched and _written(label) in lone:
            yield label, lone[_written(label)]


def _written(label: str) -> str:
    return folded(label.replace("_", " "))
