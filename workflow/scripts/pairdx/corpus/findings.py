"""Findings as data state them, matched to the classes of the configuration: any number per pair.

A reader writes ``A|B?|C`` in the data's own names: A and C are true, of B nobody knows, and of all
others the pair is free. ``?`` alone says that nothing is known of any. Names are matched as labels
are (:mod:`pairdx.corpus.labels`). What the data know and no class here is called is left out; what
neither know is no finding, and its pair is rejected and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from pairdx import finding_texts
from pairdx.corpus import labels
from pairdx.errors import PairDxError
from pairdx.finding_texts import COLUMN, SEPARATOR, UNKNOWN
from pairdx.logs import logger

# Candidates' column: why the reader leaves one out, such as another view; "" for those that stay.
LEFT_OUT = "left_out"
NAMES_IN_THE_LOG = 20


@dataclass(frozen=True)
class Settled:
    """Candidates whose findings are classes.

    Attributes:
        candidates: With ``findings`` as :mod:`pairdx.finding_texts` writes them and, as label, the
            rarest true finding, the stratum of none, or a name that is no finding.
        counts: label, stated, rows: how often the data state a finding, and how they spell it.
        dropped: How many candidates state each finding of the data that is no class here.
    """

    candidates: pd.DataFrame
    counts: pd.DataFrame
    dropped: dict[str, int]


def settle(
    candidates: pd.DataFrame,
    strata: Sequence[str],
    vocabulary: Sequence[str] | None,
    *,
    labelled: bool = True,
) -> Settled:
    """Match the findings of all candidates to the classes.

    Args:
        candidates: From a reader of several labels per pair: also ``findings``.
        strata: The classes and, last, what a pair counts as of which none is true.
        vocabulary: All findings that the data could state; None where these are not listed, and
            any name is one.
        labelled: The data state findings; else nothing is said where nothing is known of any.

    Raises:
        PairDxError: The reader states no findings, or none of the classes is a finding of the data.
    """
    if COLUMN not in candidates:
        raise PairDxError(
            "these data state one label per image, and the task is about several",
            where="config key `task` of the dataset",
            remedy="write `task: single_label`, or name a reader of findings",
        )
    *classes, nothing = strata
    texts = candidates[COLUMN].astype(str)
    stated = Counter(name for text in texts for name in _bare_names(text))
    meant = labels.meanings(stated, [*classes, *(vocabulary or ())])
    known = set(meant.values()) if vocabulary is None else {*classes, *vocabulary}
    distinct = {text: _settled(text, classes, meant, known) for text in texts.unique()}
    strange = texts.map({text: one[1] for text, one in distinct.items()})
    found = texts.map({text: one[0] for text, one in distinct.items()})
    stays = candidates.get(LEFT_OUT, pd.Series("", index=texts.index)) == ""
    fine = strange == ""
    strata_of = rarest(found.where(fine, ""), classes, nothing, among=stays & fine)
    dropped = Counter(
        {meant[name]: count for name, count in stated.items() if meant[name] not in classes}
    )
    _log(strange[~fine], dropped, known)
    sizes = Counter(strata_of[stays & fine])
    shown = Counter({name: sizes[name] for name in strata})
    logger.info("candidates by their rarest true finding: %s", _listed(shown))
    if labelled or stated:
        _require_any(classes, stated, meant, found)
    settled = candidates.assign(**{COLUMN: found, "label": strata_of.where(fine, strange)})
    return Settled(settled, _counted(stated, meant, classes), dict(dropped))


def rarest(
    found: pd.Series, classes: Sequence[str], nothing: str, among: pd.Series | None = None
) -> pd.Series:
    """Return what each pair counts as once: its rarest true finding, or nothing.

    Args:
        found: Findings, as :mod:`pairdx.finding_texts` writes them.
        classes: The classes; of equally rare ones the first is taken.
        nothing: What a pair counts as of which none is true.
        among: Which pairs are counted; None: all.
    """
    true_of = {text: _true_names(text) for text in found.unique()}
    counted = found if among is None else found[among]
    counts: Counter[str] = Counter()
    for text, times in counted.value_counts().items():
        counts.update({name: int(times) for name in true_of[text]})
    order = {name: (counts[name], at) for at, name in enumerate(classes)}
    one_of = {
        text: min(names, key=order.__getitem__, default=nothing) for text, names in true_of.items()
    }
    return found.map(one_of)


def _bare_names(text: str) -> list[str]:
    names = (name.removesuffix(UNKNOWN) for name in text.split(SEPARATOR))
    return [name for name in names if name.strip()]


def _true_names(text: str) -> list[str]:
    return [name for name in text.split(SEPARATOR) if name and not name.endswith(UNKNOWN)]


def _settled(
    text: str, classes: Sequence[str], meant: dict[str, str], known: Iterable[str]
) -> tuple[str, str]:
    """Return what is known of the classes, and the first name that is no finding ("" for none)."""
    if text.strip() == UNKNOWN:
        return finding_texts.encode({}, classes), ""
    strange = next((name for name in _bare_names(text) if meant[name] not in known), "")
    states: dict[str, bool | None] = dict.fromkeys(classes, False)
    for name in text.split(SEPARATOR):
        bare = name.removesuffix(UNKNOWN)
        label = meant.get(bare)
        # Two spellings of one finding: true is what either says.
        if label in states and states[label] is not True:
            states[label] = None if name.endswith(UNKNOWN) else True
    return finding_texts.encode(states, classes), strange


def _counted(stated: Counter[str], meant: dict[str, str], classes: Sequence[str]) -> pd.DataFrame:
    rows = [
        (meant[name], name, count) for name, count in stated.most_common() if meant[name] in classes
    ]
    return pd.DataFrame(rows, columns=["label", "stated", "rows"])


def _log(strange: pd.Series, dropped: Counter[str], known: Iterable[str]) -> None:
    if left := Counter({name: count for name, count in dropped.items() if name in known}):
        logger.info("findings of the data that are no class here, and left out: %s", _listed(left))
    if len(strange):
        logger.warning(
            "%d candidates state findings that neither the data's own list nor the classes know, "
            "and are rejected: %s",
            *(len(strange), _listed(Counter(strange))),
        )


def _require_any(
    classes: Sequence[str], stated: Counter[str], meant: dict[str, str], found: pd.Series
) -> None:
    """Warn of classes that no candidate is said to be; stop where that is all of them."""
    there = {meant[name] for name in stated}
    missing = [name for name in classes if name not in there]
    if not missing:
        return
    if (found == finding_texts.encode({}, classes)).all():
        logger.warning("of all %d candidates nothing is known: no finding is stated", len(found))
        return
    if len(missing) < len(classes):
        logger.warning("no candidate is said to show: %s", ", ".join(map(repr, missing)))
        return
    raise PairDxError(
        f"none of the {len(found)} candidates is said to show a finding that is a class here "
        f"({', '.join(map(repr, classes))}); findings of the data: {_listed(stated) or 'none'}",
        where="config key `classes` of the dataset",
        remedy="name findings as the data do (case and blanks at the ends do not count)",
    )


def _listed(counts: Counter[str]) -> str:
    first = [f"{name!r} ({count})" for name, count in counts.most_common(NAMES_IN_THE_LOG)]
    rest = len(counts) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")
