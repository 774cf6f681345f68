"""What a model card says in numbers: computed of the test pairs by the workflow's own functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pairdx.evaluation.abstention import answered_above
from pairdx.evaluation.calibration import scale
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.score_intervals import (
    pairs_if_cases_agree,
    score_interval,
    worth_of_sizes,
)
from pairdx.joins import joined
from pairdx.reporting.systems.out_of_distribution_tables import out_of_distribution_table
from pairdx.subsets import LEAKAGE_KINDS
from pairdx.tasks import task
from pairdx.tasks.single_label.rows import read_predictions

LEVEL = 0.95
# Three keys: value, low, high; None where it is not defined.
Bounded = Mapping[str, float | None]


@dataclass(frozen=True)
class Noticed:
    """How far a low confidence of the network's own tells pairs of classes that it has no name for.

    Attributes:
        pairs: How many it was asked about.
        auroc: Probability that such a pair has a lower one than a test pair; a tie counts half.
        passing: Share of them that are as sure as 95 % of the validation pairs.
    """

    pairs: int
    auroc: Bounded
    passing: Bounded


@dataclass(frozen=True)
class CardNumbers:
    """Numbers of the test pairs.

    Attributes:
        metrics: The content of metrics.json: of the network's own probabilities.
        calibrated: The same of the calibrated ones, which the folder answers with; None where
            nothing is calibrated.
        coverage: Share of the test pairs that it answers; None where it never abstains.
        risk: Share of wrong ones among these answers; its value is None where it answers none.
        others: How far it notices pairs of classes that it does not know; None where it was not
            asked, or the task has no such question.
    """

    metrics: Mapping[str, Any]
    calibrated: Mapping[str, Any] | None
    coverage: Bounded | None
    risk: Bounded | None
    others: Noticed | None


def card_numbers(
    deployment: Mapping[str, Any],
    predictions: pd.DataFrame,
    others: pd.DataFrame | None,
    *,
    resamples: int,
    seed: int,
) -> CardNumbers:
    """Compute the numbers of a card.

    Args:
        deployment: deployment.json.
        predictions: predictions.parquet of the same system.
        others: Its out_of_distribution.parquet, or None.
        resamples: Of the bootstrap over cases.
        seed: Of its draws.

    Raises:
        PairDxError: The table holds no predictions of these classes.
    """
    labels = [label for label, _ in deployment["classes"]]
    how: Any = {"resamples": resamples, "seed": seed, "level": LEVEL}
    of_task: Any = task(deployment["task"])
    metrics = evaluate(of_task, predictions, labels, **how)
    if deployment["temperature"] is None:
        return CardNumbers(metrics, None, None, None, None)
    scaled = calibrated_rows(predictions, labels, deployment["temperature"])
    coverage, risk = _answered(scaled, labels, deployment["threshold"], resamples, seed)
    calibrated = evaluate(of_task, scaled, labels, **how)
    noticed = None if others is None else _noticed(others, resamples, seed)
    return CardNumbers(metrics, calibrated, coverage, risk, noticed)


def _noticed(others: pd.DataFrame, resamples: int, seed: int) -> Noticed | None:
    """Tell pairs of unknown classes by the network's highest probability, as the report does."""
    how = {"resamples": resamples, "seed": seed}
    row = out_of_distribution_table({("", ""): [others]}, **how).iloc[0]
    if pd.isna(row["auroc_max_probability"]):
        return None
    ends = {"value": "", "low": "_low", "high": "_high"}

    def bounded(measure: str) -> Bounded:
        found = {key: row[f"{measure}_max_probability{end}"] for key, end in ends.items()}
        return {key: None if pd.isna(one) else float(one) for key, one in found.items()}

    pairs = int(row["out_of_distribution_pairs"])
    return Noticed(pairs, bounded("auroc"), bounded("false_positive_rate"))


def calibrated_rows(
    predictions: pd.DataFrame, labels: Sequence[str], temperature: float
) -> pd.DataFrame:
    """Return the same predictions with probabilities divided by the temperature."""
    columns = [f"p_{label}" for label in labels]
    found = scale(predictions[columns].to_numpy(dtype=np.float64), temperature)
    return predictions.assign(**dict(zip(columns, found.T, strict=True)))


def _answered(
    scaled: pd.DataFrame,
    labels: Sequence[str],
    threshold: float | None,
    resamples: int,
    seed: int,
) -> tuple[Bounded, Bounded]:
    """Return coverage and risk of the test pairs, with intervals; thresholds are held fixed."""
    if threshold is None:
        nothing = {"low": None, "high": None}
        return {"value": 0.0, **nothing}, {"value": None, **nothing}
    read = read_predictions(scaled, labels)
    found = answered_above([read], [threshold], resamples=resamples, seed=seed)
    of_all = pairs_if_cases_agree(read.case, read.cases)
    of_answered = worth_of_sizes(found.per_case)
    return (
        _bounded(found.coverage, found.resampled[:, 0], of_all, read.cases),
        _bounded(found.risk, found.resampled[:, 1], of_answered, read.cases),
    )


def _bounded(value: float | None, resampled: Any, worth: float, cases: int) -> Bounded:
    low, high = score_interval(value, resampled, LEVEL, worth=worth, cases=cases)
    return {"value": value, "low": low, "high": high}


def shared_with_training(pairs: pd.DataFrame, split: pd.DataFrame) -> dict[str, int]:
    """Count the test pairs that share something with a training pair, by what they share.

    Args:
        pairs: pair_id and the columns of :data:`pairdx.subsets.LEAKAGE_KINDS`; "" is unknown.
        split: pair_id, subset.
    """
    columns = ["pair_id", *LEAKAGE_KINDS.values()]
    what = "the split and the pairs"
    table = joined(split[["pair_id", "subset"]], pairs[columns], "pair_id", what=what)
    train, test = (table[table["subset"] == name] for name in ("train", "test"))
    return {
        kind: int((test[column].isin(train[column]) & (test[column] != "")).sum())
        for kind, column in LEAKAGE_KINDS.items()
    }
