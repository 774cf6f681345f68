"""What systems reach on another dataset's test pairs beside their own: three tables.

Accuracies with the drop; calibration with abstention; the answers by class. How the first two are
written for reading stands in :mod:`pairdx.reporting.systems.tested_on_reading`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pairdx.evaluation.seen import seen_in_training, shared_cases
from pairdx.evaluation.tested_on import Chosen, chosen_at_home, compared
from pairdx.evaluation.tested_on_classes import answers_by_class

NAMES = ("dataset", "other", "split", "split_there", "system")
_SIDES = ("home", "there")
# Whole numbers, shares and numbers with bounds, and those without, of each table.
COUNTS = (
    *("seeds", "classes_matched", "classes_absent", "classes_unmatched"),
    *("home_pairs", "there_pairs", "absent_pairs", "unmatched_pairs"),
    *("seen", "same_case_names", "shared_cases"),
)
_ACCURACIES = ("drop", *(f"{side}_accuracy" for side in _SIDES))
_ANSWERS = tuple(f"{side}_{what}" for side in _SIDES for what in ("coverage", "risk"))
NUMBERS = (
    *(f"{side}_{what}" for side in _SIDES for what in ("standard_deviation", "balanced_accuracy")),
    *(f"{side}_unknown_words" for side in _SIDES),
    "absent_answers",
)
CONFIDENCE_NUMBERS = (
    *(f"{side}_ece_{when}" for side in _SIDES for when in ("before", "after")),
    *("temperature", "unmatched_answered", "target_risk"),
)


def _bounded(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


COLUMNS = (*NAMES, *COUNTS, *_bounded(_ACCURACIES), *NUMBERS)
CONFIDENCE_COUNTS = ("seeds", "home_pairs", "there_pairs", "unmatched_pairs")
CONFIDENCE_COLUMNS = (*NAMES, *CONFIDENCE_COUNTS, *CONFIDENCE_NUMBERS, *_bounded(_ANSWERS))
CLASSES_COLUMNS = (
    *NAMES,
    *("class_there", "class_here", "pairs", "share_right", "most_frequent_answer"),
    *("answer_share", "mean_confidence", "share_answered", "share_named"),
)
Registry = Mapping[str, Mapping[str, Any]]
Facts = Mapping[str, Any]
Shared = Mapping[tuple[str, str, str], Mapping[str, int | None]]


@dataclass(frozen=True)
class Elsewhere:
    """One system of one split, asked about another dataset.

    Attributes:
        dataset: What it was trained on.
        other: What it is asked about.
        split: Of the first.
        system: Its name.
        home: predictions.parquet of every seed.
        there: tested_on/{other}/predictions.parquet of the same seeds.
    """

    dataset: str
    other: str
    split: str
    system: str
    home: list[pd.DataFrame]
    there: list[pd.DataFrame]

    def direction(self, facts: Facts) -> Mapping[str, Any]:
        """Return what the plan says of its two datasets."""
        key = (self.dataset, self.other)
        found: Mapping[str, Any] = next(
            one for one in facts["directions"] if (one["dataset"], one["other"]) == key
        )
        return found

    def names(self, facts: Facts) -> dict[str, str]:
        """Return what its rows begin with."""
        there = self.direction(facts)["splits"][self.split]
        values = (self.dataset, self.other, self.split, there, self.system)
        return dict(zip(NAMES, values, strict=True))


def shared_by_direction(facts: Facts, subsets: Mapping[tuple[str, str], pd.DataFrame]) -> Shared:
    """Count what two datasets share, by both and the split: copies of training pairs, cases.

    Args:
        facts: What the plan says of datasets and of what is compared.
        subsets: By dataset and split: pair_id, case_id, sha256, perceptual_hash and subset.
    """
    found = {}
    for one in facts["directions"]:
        here, there = (facts["datasets"][one[name]] for name in ("dataset", "other"))
        for split, split_there in one["splits"].items():
            keys = (one["dataset"], split), (one["other"], split_there)
            if not set(keys) <= set(subsets):  # no system is asked
                continue
            own, other = (subsets[key] for key in keys)
            tested = other[other["subset"] == "test"]
            # Without groups, names of cases are made of paths: another image is called like one.
            same_names = here["cases"] is not None and here["cases"] == there["cases"]
            train, test = (own[own["subset"] == name] for name in ("train", "test"))
            seen = seen_in_training(train, tested, bits=here["bits"], same_names=same_names)
            cases = shared_cases(test, tested) if same_names else None
            found[one["dataset"], one["other"], split] = {**seen, "shared_cases": cases}
    return found


def chosen_of(asked: Sequence[Elsewhere], facts: Facts, risk: float) -> list[list[Chosen]]:
    """Return what the validation pairs at home chose, per row and seed.

    Args:
        asked: The predictions, in the order of rows.
        facts: What the plan says of datasets.
        risk: Share of wrong answers to accept, for the thresholds.
    """
    return [
        [
            chosen_at_home(table, [*facts["datasets"][one.dataset]["classes"]], risk)
            for table in one.home
        ]
        for one in asked
    ]


def measured(
    asked: Sequence[Elsewhere],
    chosen: Sequence[Sequence[Chosen]],
    facts: Facts,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Measure every system, split, and dataset that it is asked about: a row for each.

    Args:
        asked: The predictions, in the order of rows.
        chosen: What :func:`chosen_of` returned.
        facts: What the plan says of datasets and of what is compared.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    rows = []
    for one, at_home in zip(asked, chosen, strict=True):
        matched = one.direction(facts)["matched"]
        here, there = (facts["datasets"][name]["classes"] for name in (one.dataset, one.other))
        numbers = compared(
            one.home, one.there, [*here], matched, at_home, resamples=resamples, seed=seed
        )
        without = {"classes_unmatched": len(there) - len(matched)}
        rows.append({**one.names(facts), **numbers, **without})
    return pd.DataFrame(rows)


def tested_on_table(
    rows: pd.DataFrame,
    facts: Facts,
    registry: Registry,
    shared: Shared,
    unknown_words: Mapping[str, float],
) -> pd.DataFrame:
    """Build tables/tested_on.csv: accuracies and counts.

    Args:
        rows: What :func:`measured` returned.
        facts: ``by_words``, the systems that read words with vectors.
        registry: Whether each system is trained.
        shared: What :func:`shared_by_direction` returned.
        unknown_words: Share of all words of a dataset's captions that have no vector, where any
            such system reads them.
    """
    found = []
    for row in rows.to_dict("records"):
        of_both: dict[Any, Any] = dict(shared[row["dataset"], row["other"], row["split"]])
        if not registry[row["system"]]["trained"]:  # nothing was seen
            of_both = {"shared_cases": of_both["shared_cases"]}
        if row["system"] in facts["by_words"]:
            for side, name in zip(_SIDES, ("dataset", "other"), strict=True):
                of_both[f"{side}_unknown_words"] = unknown_words[row[name]]
        found.append({**row, **of_both})
    table = pd.DataFrame(found, columns=list(COLUMNS))
    numbers = dict.fromkeys((*_bounded(_ACCURACIES), *NUMBERS), "float64")
    return table.astype({**dict.fromkeys(COUNTS, "Int64"), **numbers})


def confidence_table(rows: pd.DataFrame, risk: float) -> pd.DataFrame:
    """Build tables/tested_on_confidence.csv: calibration, and what is answered.

    Args:
        rows: What :func:`measured` returned.
        risk: Share of wrong answers that was accepted.
    """
    table = rows.assign(target_risk=risk).reindex(columns=list(CONFIDENCE_COLUMNS))
    numbers = dict.fromkeys((*_bounded(_ANSWERS), *CONFIDENCE_NUMBERS), "float64")
    return table.astype({**dict.fromkeys(CONFIDENCE_COUNTS, "Int64"), **numbers})


def classes_table(
    asked: Sequence[Elsewhere], chosen: Sequence[Sequence[Chosen]], facts: Facts
) -> pd.DataFrame:
    """Build tables/tested_on_classes.csv: the answers to the pairs of every class there.

    Args:
        asked: The predictions, in the order of rows.
        chosen: What :func:`chosen_of` returned.
        facts: What the plan says of datasets and of what is compared.
    """
    rows = []
    for one, at_home in zip(asked, chosen, strict=True):
        here, there = (facts["datasets"][name]["classes"] for name in (one.dataset, one.other))
        matched = one.direction(facts)["matched"]
        found = answers_by_class(one.there, [*here], [*there], matched, at_home)
        rows += [{**one.names(facts), **row} for row in found]
    table = pd.DataFrame(rows, columns=list(CLASSES_COLUMNS))
    shares = ("share_right", "answer_share", "mean_confidence", "share_answered", "share_named")
    return table.astype(dict.fromkeys(shares, "float64"))
