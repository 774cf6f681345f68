"""Labels as people type them, matched to the classes of the configuration.

A label is a class if both are the same text once letters have one form (NFC) and blanks at the ends
are gone; else if they are the same without regard to case and to how many blanks stand inside, and
no two classes are; else if it is a whole number with a point and a nought, as programs write it in
a column with empty cells, and the number is a class.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.plan.classes import folded, normalised

LABELS_IN_MESSAGES = 40


def tidy(label: str) -> str:
    """Return a label in one form of letters (NFC), without blanks at its ends."""
    return normalised(str(label)).strip()


def matched(labels: pd.Series, known: Sequence[str]) -> pd.Series:
    """Return labels with the spelling of the class that each means; others :func:`tidy`.

    The log counts those that were spelled otherwise, and those that are no class.

    Args:
        labels: As the data state them.
        known: Classes, and those out of distribution.
    """
    counts = labels.value_counts()
    meant = meanings(counts.index, known)
    odd = {label: meant[label] for label in counts.index if meant[label] != label}
    respelled = {label: name for label, name in odd.items() if name in set(known)}
    if respelled:
        logger.warning(
            "%d labels are spelled in other ways than the classes that they mean: %s",
            sum(int(counts[label]) for label in respelled),
            _listed(f"{label!r} for {name!r} ({counts[label]})" for label, name in odd.items()),
        )
    found = labels.map(meant)
    if strange := strangers(found, known):
        logger.warning(
            "%d candidates have labels that are no class here, and are rejected: %s",
            sum(strange.values()),
            _listed(f"{label!r} ({count})" for label, count in strange.items()),
        )
    return found


def strangers(labels: pd.Series, known: Sequence[str]) -> dict[str, int]:
    """Count the labels that are no class, the most frequent first."""
    counts = labels[~labels.isin(list(known))].value_counts()
    return {str(label): int(count) for label, count in counts.items()}


def require_classes(labels: pd.Series, classes: Sequence[str], others: Sequence[str]) -> None:
    """Stop where no candidate is of any class, or none is of one of them.

    Args:
        labels: From :func:`matched`.
        classes: Those that systems are trained on.
        others: Those out of distribution.

    Raises:
        PairDxError: The message lists the labels that there are, and the lines to paste.
    """
    known = [*classes, *others]
    found = strangers(labels, known)
    there = set(labels.unique())
    if missing := [name for name in classes if name not in there]:
        if len(missing) < len(classes):
            raise _missing(missing, len(labels), found)
    else:
        return
    names = [label for label in found if label][:LABELS_IN_MESSAGES]
    as_yaml = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
    raise PairDxError(
        f"none of the {len(labels)} candidates has a label that is a class here "
        f"({_listed(repr(name) for name in known)}); their labels are "
        f"{_listed(f'{label!r} ({count})' for label, count in found.items())}",
        where="config key `classes` of the dataset",
        remedy=f"name those that are meant, as in `classes: [{as_yaml}]`; or translate them in the "
        "dataset's `source.labels`",
    )


def _missing(missing: Sequence[str], candidates: int, found: Mapping[str, int]) -> PairDxError:
    listed = _listed(f"{label!r} ({count})" for label, count in found.items())
    return PairDxError(
        f"not one of the {candidates} candidates is of the class(es) "
        f"{_listed(map(repr, missing))}; labels that are no class: {listed or 'none'}",
        where="config key `classes` of the dataset",
        remedy="write the class as the data do, translate it in the dataset's `source.labels`, or "
        "take it out of `classes` (of a list by deleting it; null drops one that is taken over "
        "from another dataset)",
    )


def renamed(labels: pd.Series, spellings: Mapping[str, str]) -> pd.Series:
    """Put a class in place of other spellings of it.

    Args:
        labels: As a table states them.
        spellings: What ``source.labels`` says: spelling in the table, and the class.
    """
    names = list(map(str, spellings))
    texts = {tidy(name): str(spellings[name]) for name in spellings}
    spelled = meanings(labels.unique(), names)
    return labels.map({label: texts.get(tidy(name), label) for label, name in spelled.items()})


def counted(stated: pd.Series, meant: pd.Series) -> pd.DataFrame:
    """Count candidates by label and by how the data spell it.

    Args:
        stated: Labels as the data state them.
        meant: The same from :func:`matched`.

    Returns:
        label, stated, rows; the most frequent first.
    """
    spellings = pd.DataFrame({"label": meant, "stated": stated.astype(str)})
    return spellings.value_counts(dropna=False).rename("rows").reset_index()


def meanings(labels: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return what each label means: one of the known ones, or itself, :func:`tidy`."""
    exact = {tidy(name): name for name in known}
    loose = defaultdict(set)
    for name in known:
        loose[folded(name)].add(name)
    clear = {text: next(iter(names)) for text, names in loose.items() if len(names) == 1}
    return {
        label: exact.get(tidy(label))
        or clear.get(folded(label))
        or exact.get(re.sub(r"(?<=\d)\.0+$", "", tidy(label)))
        or tidy(label)
        for label in labels
    }


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    rest = len(texts) - LABELS_IN_MESSAGES
    return ", ".join(texts[:LABELS_IN_MESSAGES]) + (f" and {rest} more" if rest > 0 else "")
