"""What a system is worth on another dataset's test pairs, beside those of its own.

Both accuracies are over the classes that both datasets have, so that their difference, the drop, is
of the documents and not of which classes there are. Two sets of cases that share none are two
independent samples: the interval of the difference takes from that of each side the reach towards
the other (Newcombe 1998; Zou and Donner 2008 call it MOVER), so it inherits that score intervals
do not collapse near 0 and 1. What trainings differ by is in neither of these: it is that of their
drops, and is added with Student's quantile (:mod:`pairdx.evaluation.few_seeds`).

Nothing is fitted there: temperatures and thresholds are those of the validation pairs at home.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.abstention import answered_above, threshold_at_risk
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.evaluation.calibration import calibration_error, fit_temperature, scale
from pairdx.evaluation.few_seeds import reach_of
from pairdx.evaluation.score_intervals import (
    pairs_if_cases_agree,
    score_interval,
    variance_of_mean,
    worth_of_sizes,
)
from pairdx.tasks.single_label.metrics import recall_per_class
from pairdx.tasks.single_label.rows import Predictions, read_predictions, same_pairs
from pairdx.tasks.single_label.weighed import unweighed

Array = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Chosen:
    """What the validation pairs at home chose, of one training.

    Attributes:
        temperature: T.
        threshold: The confidence from which it answers.
    """

    temperature: float
    threshold: float


def chosen_at_home(table: pd.DataFrame, classes: Sequence[str], risk: float) -> Chosen:
    """Choose temperature and threshold on the validation pairs of a predictions table.

    Args:
        table: predictions.parquet.
        classes: The system's classes.
        risk: Share of wrong answers to accept.
    """
    read = read_predictions(table, classes, subset="validation")
    temperature = fit_temperature(read.probabilities, read.truth)
    return Chosen(temperature, threshold_at_risk(read.confidence, read.correct, risk))


def of_classes(tables: Sequence[pd.DataFrame], labels: Sequence[str]) -> list[pd.DataFrame]:
    """Return the test pairs of some classes, of every seed row by row the same ones."""
    rows = same_pairs(tables, "test", of_what="seeds")
    return [one[one["label"].isin(list(labels))].reset_index(drop=True) for one in rows]


def drop_of(
    home: Mapping[str, Any],
    there: Mapping[str, Any],
    seeds_variance: float = 0.0,
    seeds: int = 1,
    level: float = LEVEL,
) -> tuple[float | None, float | None, float | None]:
    """Return by how much the second of two independent shares is lower, and its interval.

    Args:
        home: value, low and high of a share; None where it has none.
        there: The same of the other.
        seeds_variance: Variance of the mean drop by what trainings differ.
        seeds: How many trainings that is known from.
        level: Coverage of the intervals.
    """
    if home["value"] is None or there["value"] is None:
        return None, None, None
    drop = home["value"] - there["value"]
    if None in (home["low"], home["high"], there["low"], there["high"]):
        return drop, None, None
    of_seeds = 0.0
    if seeds_variance > 0:
        of_seeds = reach_of(0.0, [(seeds_variance, seeds - 1)], level)
    down = np.hypot(home["value"] - home["low"], there["high"] - there["value"])
    up = np.hypot(home["high"] - home["value"], there["value"] - there["low"])
    low, high = drop - np.hypot(down, of_seeds), drop + np.hypot(up, of_seeds)
    return drop, max(-1.0, float(low)), min(1.0, float(high))  # two seeds may know nothing


def variance_of_seeds(home: Sequence[Predictions], there: Sequence[Predictions]) -> float:
    """Return the variance of the mean drop by what trainings differ in, beyond their pairs.

    Of the variance between the drops of single trainings, what the choice of pairs adds on either
    side is taken out: the accuracies' own intervals have it already.

    Args:
        home: The same test pairs as predicted with each of S >= 2 seeds.
        there: The same of the other dataset's.
    """
    seeds = len(home)
    drops = [
        one.correct.mean() - other.correct.mean() for one, other in zip(home, there, strict=True)
    ]
    of_pairs = 0.0
    for reads in (home, there):
        right = np.array([read.correct for read in reads])
        off = (right - right.mean(axis=0)).T
        if reads[0].cases > 1:
            of_pairs += float(variance_of_mean(off, reads[0].case, reads[0].cases).sum())
    return max(0.0, float(np.var(drops, ddof=1)) - of_pairs / (seeds - 1)) / seeds


def compared(
    home: Sequence[pd.DataFrame],
    there: Sequence[pd.DataFrame],
    classes: Sequence[str],
    matched: Mapping[str, str],
    chosen: Sequence[Chosen],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Compare one system on both datasets: what both tables have of it, without its names.

    Args:
        home: predictions.parquet of every seed.
        there: tested_on/{other}/predictions.parquet of the same seeds.
        classes: The system's classes.
        matched: Label there of each of these that the other dataset has, too.
        chosen: What the validation pairs at home chose, of every seed.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the bootstrap.

    Returns:
        Counts, and numbers whose names begin with home_ and there_; shares are of 1, and means over
        seeds. None where there is nothing to compute a number of.

    Raises:
        PairDxError: The seeds answer for different pairs, or a table holds no predictions.
    """
    how = {"resamples": resamples, "seed": seed}
    tables = {"home": of_classes(home, [*matched]), "there": of_classes(there, [*matched])}
    reads = {
        side: [read_predictions(one, classes) for one in each] if len(each[0]) else []
        for side, each in tables.items()
    }
    return {
        **{"seeds": len(home), "classes_matched": len(matched)},
        "classes_absent": len(classes) - len(matched),
        **{f"{side}_pairs": len(each[0]) for side, each in tables.items()},
        "absent_pairs": int((home[0]["subset"] == "test").sum()) - len(tables["home"][0]),
        **_accuracies(tables, reads, **how),
        **_balanced(reads),
        **_calibrated(reads, chosen),
        **_answered(reads, chosen, **how),
        **_of_unknown(there, classes, matched, chosen),
    }


def _accuracies(
    tables: Mapping[str, Sequence[pd.DataFrame]],
    reads: Mapping[str, Sequence[Predictions]],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Measure both accuracies and the drop between them."""
    found = {side: _accuracy(each, resamples=resamples, seed=seed) for side, each in tables.items()}
    seeds = len(tables["home"])
    spread = variance_of_seeds(*reads.values()) if all(reads.values()) and seeds > 1 else 0.0
    drop = drop_of(found["home"], found["there"], spread, seeds)
    return {**_named(found), **dict(zip(("drop", "drop_low", "drop_high"), drop, strict=True))}


def _accuracy(tables: Sequence[pd.DataFrame], *, resamples: int, seed: int) -> dict[str, Any]:
    if not len(tables[0]):
        return {"value": None, "low": None, "high": None, "standard_deviation": None}
    found = accuracy_over_seeds(tables, resamples=resamples, seed=seed, level=LEVEL)
    each = [float((one["label"] == one["predicted"]).mean()) for one in tables]
    deviation = float(np.std(each, ddof=1)) if len(each) > 1 else None
    return {**found, "standard_deviation": deviation}


def _named(accuracy: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for side, each in accuracy.items():
        found |= {
            f"{side}_accuracy": each["value"],
            f"{side}_accuracy_low": each["low"],
            f"{side}_accuracy_high": each["high"],
            f"{side}_standard_deviation": each["standard_deviation"],
        }
    return found


def _balanced(reads: Mapping[str, Sequence[Predictions]]) -> dict[str, Any]:
    """Average recalls over the classes that have test pairs on both sides."""
    recalls = {
        side: np.mean([recall_per_class(unweighed(read))[0] for read in each], axis=0)
        for side, each in reads.items()
        if each
    }
    if len(recalls) < len(reads):
        return {f"{side}_balanced_accuracy": None for side in reads}
    both = ~np.isnan(sum(recalls.values()))
    return {
        f"{side}_balanced_accuracy": float(each[both].mean()) if both.any() else None
        for side, each in recalls.items()
    }


def _calibrated(
    reads: Mapping[str, Sequence[Predictions]], chosen: Sequence[Chosen]
) -> dict[str, Any]:
    """Measure calibration errors before and after the temperature that was fitted at home."""
    found: dict[str, Any] = {"temperature": float(np.mean([one.temperature for one in chosen]))}
    for side, each in reads.items():
        scaled = [
            replace(read, probabilities=scale(read.probabilities, one.temperature))
            for read, one in zip(each, chosen, strict=False)
        ]
        for when, of_seeds in (("before", each), ("after", scaled)):
            errors = [calibration_error(read) for read in of_seeds]
            found[f"{side}_ece_{when}"] = float(np.mean(errors)) if errors else None
    return found


def _answered(
    reads: Mapping[str, Sequence[Predictions]],
    chosen: Sequence[Chosen],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Measure coverage and risk above the threshold that was chosen at home."""
    found: dict[str, Any] = {}
    thresholds = [one.threshold for one in chosen]
    for side, each in reads.items():
        names = [f"{side}_coverage", f"{side}_risk"]
        if not each:
            found |= {f"{name}{end}": None for name in names for end in ("", "_low", "_high")}
            continue
        case, cases = each[0].case, each[0].cases
        answers = answered_above(each, thresholds, resamples=resamples, seed=seed)
        worths = pairs_if_cases_agree(case, cases), worth_of_sizes(answers.per_case)
        for at, (name, value) in enumerate(
            zip(names, (answers.coverage, answers.risk), strict=True)
        ):
            drawn = answers.resampled[:, at]
            low, high = score_interval(value, drawn, LEVEL, worth=worths[at], cases=cases)
            if np.isinf(thresholds).all():  # nothing is answered, whichever pairs are drawn
                low = high = None
            found |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return found


def _of_unknown(
    there: Sequence[pd.DataFrame],
    classes: Sequence[str],
    matched: Mapping[str, str],
    chosen: Sequence[Chosen],
) -> dict[str, Any]:
    """Count what cannot be right: pairs of classes unknown here, answers that are no class there.

    ``unmatched_answered``: share of the former whose confidence is above the threshold at home.
    ``absent_answers``: share of the latter among the pairs that could be right.
    """
    rows = same_pairs(there, "test", of_what="seeds")
    unmatched = ~rows[0]["label"].isin([*matched])
    answered, absent = [], []
    for one, at in zip(rows, chosen, strict=True):
        answered.append(confidence_of(one, classes)[unmatched] >= at.threshold)
        absent.append(~one.loc[~unmatched, "predicted"].isin([*matched]))
    return {
        "unmatched_pairs": int(unmatched.sum()),
        "unmatched_answered": float(np.mean(answered)) if unmatched.any() else None,
        "absent_answers": float(np.mean(absent)) if not unmatched.all() else None,
    }


def confidence_of(rows: pd.DataFrame, classes: Sequence[str]) -> Array:
    """Return the probability of each row's most probable class, float64 [N]."""
    return rows[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64).max(axis=1)
