"""Whether a system can be trained and tested on a split; where not, why, and what helps.

Asked by the job that makes the split, which writes it all the same, so that it can be looked at,
and by those that train and predict, which stop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.finding_texts import COLUMN as FINDINGS
from pairdx.joins import joined
from pairdx.logs import logger
from pairdx.subsets import SUBSETS

NAMES_IN_MESSAGES = 10
# Splits of whole groups, and the one that comes with the data (:mod:`pairdx.splits`).
OF_GROUPS = ("grouped", "with_siblings")
OF_THE_DATA = "published"
# What joins pairs into groups, by the columns that tell.
JOINED_BY = {
    "article_id": "their article, or first column of groups (`source.columns.group`)",
    "case_id": "their case, or any column of groups (`source.columns.group`)",
    "figure_id": "their figure, or second column of groups (`source.columns.group`)",
    "duplicate_cluster": "near-duplicate images",
    "caption_cluster": "the same caption",
}
ONE_CAPTION = (
    "a caption that most documents share says nothing of one of them: name a column of captions of "
    "their own in `source.columns.caption`, or null for none"
)
FILL_CELLS = "fill the cells of the column that `source.columns.subset` names; or "
LARGE = 0.5  # share of all pairs from which one group is what is wrong


def check_subsets(
    pairs: pd.DataFrame,
    split: pd.DataFrame,
    classes: Collection[str],
    name: str,
    *,
    training: bool = True,
) -> None:
    """Refuse a split that a system cannot be trained and tested on.

    The log warns of classes without validation or test pairs. Of several labels per pair no class
    is too rare: only a whole subset can be missing, and that of training only to who is trained.

    Args:
        pairs: Columns pair_id, label, of several labels per pair findings and, for messages, those
            of :data:`JOINED_BY`.
        split: Columns pair_id, subset, group.
        classes: All labels that systems are to tell apart.
        name: The split's.
        training: Whether a system is to be trained; false where one that needs no training is
            asked, which makes a difference of several labels per pair only.

    Raises:
        PairDxError: A pair states no subset of the data's own split, fewer than two classes have
            pairs, a class has fewer than there are subsets, a subset is empty, or a class has no
            training pair.
    """
    placed = joined(split, pairs, "pair_id", what="the split and the pairs")
    if name == OF_THE_DATA:
        _refuse_empty_cells(pairs, split)
    counts = pd.crosstab(placed["label"], placed["subset"])
    several = FINDINGS in pairs
    strata = counts.index.tolist() if several else list(classes)
    counts = counts.reindex(index=strata, columns=list(SUBSETS), fill_value=0)
    if not several:
        _refuse_small_classes(counts, name)
    empty = [subset for subset in SUBSETS if counts[subset].sum() == 0]
    if several and not training and "train" in empty:
        empty.remove("train")
        logger.warning("no pair is for training: only systems that need none can be asked")
    untrained = [] if several else counts.index[counts["train"] == 0].tolist()
    if empty or untrained:
        what = [
            *([f"it has no pairs in {_listed(empty)}"] if empty else []),
            *([f"no training pairs of {_listed(map(repr, untrained))}"] if untrained else []),
        ]
        why, remedy = _reason(placed, name)
        raise PairDxError(
            f"no system can be trained on this split: {' and '.join(what)}{why}",
            where=f"split {name}",
            remedy=remedy,
        )
    for subset in SUBSETS[1:]:
        if missing := counts.index[counts[subset] == 0].tolist():
            logger.warning("no %s pair is of the classes %s", subset, _listed(missing))


def _refuse_empty_cells(pairs: pd.DataFrame, split: pd.DataFrame) -> None:
    without = pairs.loc[~pairs["pair_id"].isin(split["pair_id"]), "pair_id"]
    if len(without):
        raise PairDxError(
            f"{len(without)} of {len(pairs)} pairs state no subset: their cells are empty, such as "
            f"that of {without.iloc[0]!r}",
            where=f"split {OF_THE_DATA}",
            remedy=f"{'' if FINDINGS in pairs else FILL_CELLS}write `splits: [published]` alone, "
            "for which such rows are rejected and counted",
        )


def _refuse_small_classes(counts: pd.DataFrame, name: str) -> None:
    sizes = counts.sum(axis=1)
    few, there = sizes[sizes < len(SUBSETS)], sizes.index[sizes > 0].tolist()
    if not len(few):
        return
    one = f"all {sizes.sum()} pairs are of one class, {there}; " if len(there) == 1 else ""
    named = _listed(f"{label!r} ({count})" for label, count in few.items())
    raise PairDxError(
        f"{one}classes with fewer pairs than the {len(SUBSETS)} subsets, each of which needs one: "
        f"{named}",
        where=f"split {name}",
        remedy="get more examples, see by `snakemake check_documents` what was rejected, relax the "
        "keys under `curation`, or take the class out of `classes` of the dataset (null drops one "
        "that it takes over from another)",
    )


def _reason(placed: pd.DataFrame, name: str) -> tuple[str, str]:
    """Return why a split leaves a subset or class empty, as the end of a sentence; and a remedy."""
    if name == OF_THE_DATA and FINDINGS in placed:
        return (
            "; these subsets are those that come with the data",
            "name all of them in `source.subsets` of the dataset, and see by `snakemake "
            "check_documents` what was rejected; or put `grouped` or `stratified`, which are made "
            "here, in the place of `published` in the dataset's `splits`",
        )
    if name == OF_THE_DATA:
        return (
            "; these subsets are those that the data state (`source.columns.subset`)",
            "correct the subsets in the table, or what `source.subsets` translates; or put "
            "`grouped` or `stratified`, which are made here, in the place of `published` in the "
            "dataset's `splits`",
        )
    if name not in OF_GROUPS:
        return (
            "",
            "raise config key `subset`, relax the keys under `curation`, or leave classes out",
        )
    sizes = placed["group"].value_counts()
    largest = placed[placed["group"] == sizes.index[0]]
    by = _joined_by(largest)
    why = (
        f"; the largest of {len(sizes)} groups of what belongs together has {len(largest)} of "
        f"{len(placed)} pairs"
    )
    if by:
        why += f", joined by {' and '.join(JOINED_BY[column] for column in by)}"
    if "caption_cluster" in by and len(largest) >= LARGE * len(placed):
        return why, ONE_CAPTION
    return (
        why,
        "each subset needs groups of its own: name columns in `source.columns.group` whose values "
        "are patients or cases, not sites or batches; get examples of more of them; or put "
        "`stratified` in the place of `grouped` in the dataset's `splits`, which lets groups stand "
        "on both sides",
    )


def _joined_by(group: pd.DataFrame) -> list[str]:
    """Name the columns of which one value joins the most pairs of a group; none if it is one."""
    most = {}
    for column in JOINED_BY:
        if column in group:
            counts = group.loc[group[column].fillna("") != "", column].value_counts()
            most[column] = int(counts.iloc[0]) if len(counts) else 0
    best = max(most.values(), default=0)
    found = [column for column, count in most.items() if count == best > 1]
    # Without columns of its own, a case is its article, and a figure its case.
    return [column for column in found if column != "case_id" or "article_id" not in found]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - NAMES_IN_MESSAGES
    return ", ".join(names[:NAMES_IN_MESSAGES]) + (f" and {more} more" if more > 0 else "")
