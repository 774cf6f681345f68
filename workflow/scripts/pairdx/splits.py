"""Training, validation and test subsets: the paper's, one that leaks nothing, the released one.

``stratified`` is the paper's split (70/15/15 within each class, Section 3.1). It puts panels of one
figure and images of one patient on both sides. ``grouped`` keeps whole everything that belongs
together: article, case, figure, near-duplicate images, identical captions. ``published`` is the
split that the released PairDx states for itself. :mod:`pairdx.leakage` measures all three.

The first two depend on the pairs and the seed alone, not on the order of the rows, and are stable:
every group (in ``stratified``, every pair) has a place between 0 and 1 that its name and the seed
give it, and a subset is a stretch of places between two borders. New pairs that share nothing with
the old ones leave all places alone and shift the borders by a little. Stability is measured as the
share of the old pairs that are in another subset after new articles have added 1 % to the pairs:
on average over seeds at most 2 % in ``stratified`` and 3 % in ``grouped``. At 22,665 pairs it is
near 0.1 % and 0.3 %; with a few hundred pairs, where one group is much of a class, it can be more.
Pairs that join two groups into one move these groups, of course.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack

from pairdx.curation.duplicates import clusters, same_value_links
from pairdx.errors import PairDxError
from pairdx.finding_texts import COLUMN as FINDINGS
from pairdx.ordering import seeded_rank
from pairdx.subsets import SUBSETS

GROUPING_COLUMNS = ("article_id", "case_id", "figure_id", "duplicate_cluster", "caption_cluster")
# A class's share of a subset may differ from the fraction by so much before groups are moved.
TOLERANCE = 0.01
# What a missing pair costs a cut, beside places between 0 and 1: it is never worth its while.
_COST_OF_MISSING = 100.0
# What a class without any pair in a subset costs, beside deviations of at most 1: without training
# pairs the split cannot be used at all.
_COST_OF_EMPTY = (200.0, 100.0, 100.0)
# Pairs of moves are looked for behind so many first moves, the least harmful ones.
_FIRST_MOVES = 500

# What says in which subset a pair is: of one label, and of findings.
OF_COLUMNS = (
    "name the column of subsets in the dataset's source.columns, and its values in source.subsets"
)
OF_FINDINGS = "see that the data's own lists or tables of subsets are those that were given out"


def stratified(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Split every class by the same fractions; each pair is its own group.

    Args:
        pairs: Columns pair_id and label.
        fractions: Share of each of :data:`SUBSETS`; their sum is 1.
        seed: Seed of the split.

    Returns:
        Columns pair_id, subset, group, in the order of ``pairs``. A class of n pairs gets n times
        the fraction, rounded by largest remainder, so that subsets differ from the fractions by
        less than one pair a class; but where n is three or more, no subset has none of it.
    """
    rank = seeded_rank(pairs["pair_id"], seed, "split").to_numpy()
    subset = np.empty(len(pairs), dtype=f"<U{max(map(len, SUBSETS))}")
    for members in pairs.groupby("label").indices.values():
        sizes = _apportion(len(members), [fractions[name] for name in SUBSETS])
        subset[members[np.argsort(rank[members])]] = np.repeat(SUBSETS, sizes)
    names = pairs["pair_id"]
    return pd.DataFrame({"pair_id": names, "subset": subset, "group": names}, index=pairs.index)


def _apportion(total: int, fractions: list[float]) -> list[int]:
    exact = np.array(fractions) * total
    sizes = np.floor(exact + 1e-9).astype(int)
    by_remainder = np.argsort(-(exact - sizes), kind="stable")
    sizes[by_remainder[: total - sizes.sum()]] += 1
    while total >= len(sizes) and sizes.min() < 1:  # of three pairs or four, at usual fractions
        sizes[sizes.argmin()] += 1
        sizes[sizes.argmax()] -= 1
    return [int(size) for size in sizes]


def published(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Take the split that the source of the pairs states; each pair is its own group.

    Pairs that state no subset ("") are in none of it, which
    :func:`pairdx.usable_splits.check_subsets` refuses.

    Where it has training and test pairs only, validation pairs are taken out of training, whole
    groups at a time (as in :func:`grouped`), in the proportion of the fractions, by the seed.

    Args:
        pairs: Columns pair_id, label, published_subset and, where no pair states validation, those
            of :data:`GROUPING_COLUMNS`.
        fractions: Share of each of :data:`SUBSETS`; their sum is 1.
        seed: Seed of the pairs that are taken for validation.

    Returns:
        Columns pair_id, subset, group, in the order of ``pairs``.

    Raises:
        PairDxError: No pair states a subset, or one states none of :data:`SUBSETS`.
    """
    nothing = pairs["published_subset"] == ""
    known = SUBSETS if nothing.all() else (*SUBSETS, "")
    unusable = pairs.loc[~pairs["published_subset"].isin(known)]
    if len(unusable):
        first = unusable.iloc[0]
        raise PairDxError(
            f"{len(unusable)} of {len(pairs)} pairs state none of the subsets {', '.join(SUBSETS)}",
            where=f"pair {first['pair_id']}: published_subset is {first['published_subset']!r}",
            remedy=f"{OF_FINDINGS if FINDINGS in pairs else OF_COLUMNS}; where no split is "
            "published, take `published` out of its splits",
        )
    pairs = pairs[~nothing]
    names, subset = pairs["pair_id"], pairs["published_subset"].copy()
    if lacks_validation(pairs):
        train = pairs[subset == "train"]
        share = fractions["validation"] / (fractions["train"] + fractions["validation"])
        subset[_taken(train, share, seed)] = "validation"
    return pd.DataFrame({"pair_id": names, "subset": subset, "group": names})


def _taken(pairs: pd.DataFrame, share: float, seed: int) -> pd.Index:
    """Choose whole groups by seeded places, while each brings its classes nearer to the share.

    No class gives its last pairs. One whose groups are all too large for its share gives none.
    """
    group = _groups(pairs)
    counts = pd.crosstab(group, pairs["label"])
    totals = counts.sum(axis=0).to_numpy()
    wanted = np.maximum(share * totals, 1)
    taken = np.zeros(len(totals))
    chosen = []
    order = np.argsort(seeded_rank(counts.index, seed, "split").to_numpy(), kind="stable")
    for name, sizes in zip(counts.index[order], counts.to_numpy()[order], strict=True):
        nearer = (sizes == 0) | ((sizes < 2 * (wanted - taken)) & (taken + sizes < totals))
        if nearer.all():
            taken += sizes
            chosen.append(name)
    return pairs.index[group.isin(chosen)]


def lacks_validation(pairs: pd.DataFrame) -> bool:
    """Whether the published split has training and test pairs, and none for validation."""
    stated = set(pairs["published_subset"])
    return {"train", "test"} <= stated and "validation" not in stated


def grouped(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Split so that no group is on two sides, and class shares are close to the fractions.

    A group is a connected component of pairs that share a known article, case, figure, duplicate
    cluster or caption cluster. Groups that no small subset should have to hold
    (:func:`large_groups`) go to training. The others stand at their seeded places in [0, 1); each
    class gets two borders that cut it by the fractions, and a group's borders are the means of
    those of its pairs. Where rounding to whole groups leaves a class's share more than
    :data:`TOLERANCE` from its fraction, or a class without pairs in a subset, groups are moved, one
    or two at a time, for as long as that helps.

    Args:
        pairs: Columns pair_id, label and those of :data:`GROUPING_COLUMNS` ("" where unknown).
        fractions: Share of each of :data:`SUBSETS`; their sum is 1.
        seed: Seed of the split.

    Returns:
        Columns pair_id, subset, group (the group's first pair_id), in the order of ``pairs``.
    """
    names, group = pairs["pair_id"], _groups(pairs)
    counts = pd.crosstab(group, pairs["label"])
    rank = seeded_rank(counts.index, seed, "split").to_numpy()
    counts = counts.iloc[np.argsort(rank)]
    large = large_groups(counts, fractions).to_numpy()
    shares = np.array([fractions[name] for name in SUBSETS])
    home = _stretches(counts.to_numpy(float), np.sort(rank) / 2.0**63, large, shares)
    home = _repair(home, counts.to_numpy(float), shares)
    subset = pd.Series(np.array(SUBSETS)[home], index=counts.index)
    return pd.DataFrame({"pair_id": names, "subset": group.map(subset), "group": group})


def large_groups(counts: pd.DataFrame, fractions: Mapping[str, float]) -> pd.Series:
    """Say which groups would be most of a class in a small subset.

    Args:
        counts: Pairs of every group (rows) and class (columns).
        fractions: Share of each of :data:`SUBSETS`.

    Returns:
        bool, per group: of some class, it has more than half of the pairs that validation or test
        should have, and more than one pair.
    """
    half = counts.sum(axis=0) * min(fractions[name] for name in SUBSETS[1:]) / 2
    return counts.gt(half.clip(lower=1), axis=1).any(axis=1)


def _groups(pairs: pd.DataFrame) -> pd.Series:
    """Return the group of every pair: the first pair_id of all that it shares something with."""
    links = [_known_links(pairs[column]) for column in GROUPING_COLUMNS]
    return clusters(np.concatenate(links), pairs["pair_id"])


def _known_links(values: pd.Series) -> np.ndarray:
    """Link items of the same value, but not those whose value is unknown."""
    known = np.flatnonzero(values.fillna("") != "")
    return known[same_value_links(values.iloc[known])]


def _stretches(
    counts: np.ndarray, places: np.ndarray, large: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """Return the position in SUBSETS of every group: int64 (G,)."""
    totals = counts.sum(axis=0)
    home = np.zeros(len(counts), dtype=np.int64)
    free = np.flatnonzero(~large)
    away = free[_cut(counts[free], places[free], (1 - shares[0]) * totals)]
    wanted = counts[away].sum(axis=0) * shares[2] / (shares[1] + shares[2])
    home[away] = 1
    home[away[_cut(counts[away], places[away], wanted)]] = 2
    return home


def _cut(counts: np.ndarray, places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Choose the groups of the highest places that hold so many pairs of each class.

    This is a linear programme: the largest sum of places over all chosen pairs, with the wanted
    number of pairs of every class. With one class, its solution is all groups above a border. With
    several, it is all groups above the mean border of their pairs: the borders are the programme's
    dual prices. Only as many groups as there are classes can stand on a border; they are rounded.

    Args:
        counts: float (G, C), pairs of every group and class.
        places: float (G,).
        wanted: float (C,), pairs of every class; what the groups cannot give stays missing.

    Returns:
        bool (G,).
    """
    size, classes = counts.shape
    missing = _COST_OF_MISSING * wanted.sum() / np.maximum(wanted, 1)
    slack = eye_array(classes)
    solution = linprog(
        np.concatenate([-counts.sum(axis=1) * places, missing, missing]),
        A_eq=hstack([csr_array(counts.T), slack, -slack]),
        b_eq=wanted,
        bounds=[(0, 1)] * size + [(0, None)] * 2 * classes,
        method="highs-ds",  # a corner of the feasible region: few groups on a border
        options={"presolve": False},  # with it, 44,000 groups take 16 s instead of 1 s
    )
    if not solution.success:
        raise RuntimeError(f"the groups could not be cut: {solution.message}")
    # A half that the solver returns as a little more or less is a half.
    return np.asarray(solution.x[:size].round(6) > 0.5)


def _repair(home: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Move groups, each time the one that helps most, or two where one alone does not help."""
    while moves := _best_moves(home, counts, shares):
        for group, subset in moves:
            home = _moved(home, group, subset)
    return home


def _moved(home: np.ndarray, group: int, subset: int) -> np.ndarray:
    home = home.copy()
    home[group] = subset
    return home


def _best_moves(home: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> list[tuple[int, int]]:
    """Return (group, subset) of the one or two moves that lower the cost most; none if none do."""
    cost, change = _costs(home, counts, shares)
    # Equals are taken in the order of the groups, which is seeded.
    order = np.argsort(change, axis=None, kind="stable")[:_FIRST_MOVES]
    moves = [(int(place) // len(SUBSETS), int(place) % len(SUBSETS)) for place in order]
    if cost == 0 or change[moves[0]] < 0:
        return moves[:1] if cost else []
    best, found = 0.0, list[tuple[int, int]]()
    for first in moves:
        _, then = _costs(_moved(home, *first), counts, shares)
        second = divmod(int(np.argmin(then)), len(SUBSETS))
        total = round(change[first] + then[second], 9)
        if total < best:
            best, found = total, [first, second]
    return found


def _costs(home: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cost of a split, and float (G, 3): what moving a group there would add to it."""
    totals = counts.sum(axis=0)
    cost, leaving, entering = 0.0, np.zeros(len(home)), np.zeros((len(home), len(SUBSETS)))
    for subset, (share, empty) in enumerate(zip(shares, _COST_OF_EMPTY, strict=True)):
        members = home == subset
        filled = counts[members].sum(axis=0)
        now = float(_cost(filled, totals, share, empty))
        cost += now
        leaving[members] = _cost(filled - counts[members], totals, share, empty) - now
        entering[:, subset] = _cost(filled + counts, totals, share, empty) - now
    change = leaving[:, None] + entering
    change[np.arange(len(home)), home] = 0
    return cost, change.round(9)


def _cost(filled: np.ndarray, totals: np.ndarray, share: float, empty: float) -> np.ndarray:
    """Sum over classes (the last axis) what deviates by more than is tolerated."""
    excess = np.maximum(np.abs(filled / totals - share) - TOLERANCE, 0).round(9)
    return np.asarray(np.sum(excess + empty * (filled == 0), axis=-1))


METHODS = {"stratified": stratified, "grouped": grouped, "published": published}
WITHOUT_LEAKAGE = ("grouped",)
