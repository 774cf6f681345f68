"""Metrics and intervals: equal to scikit-learn and to a plain loop, null where undefined."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_over_seeds, majority_share
from pairdx.evaluation.calibration import calibration_error
from pairdx.evaluation.intervals import case_weights, percentile_interval
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.scores import resampled, values
from pairdx.tasks.single_label.rows import Predictions, read_predictions
from pairdx.tasks.single_label.task import TASK

CLASSES = ("radiology", "endoscopy", "chart")
NAMES = [metric.name for metric in TASK.metrics]


def table_of(
    truth: np.ndarray, probabilities: np.ndarray, cases: np.ndarray, subset: str = "test"
) -> pd.DataFrame:
    """A predictions table with the given true class indices, probabilities and case numbers."""
    table = pd.DataFrame(
        {
            "pair_id": [f"pair_{row:05d}" for row in range(len(truth))],
            "case_id": [f"case_{case}" for case in cases],
            "subset": subset,
            "label": [CLASSES[index] for index in truth],
            "predicted": [CLASSES[index] for index in probabilities.argmax(axis=1)],
        }
    )
    for index, name in enumerate(CLASSES):
        table[f"p_{name}"] = probabilities[:, index].astype(np.float32)
    return table


def random_table(
    pairs: int = 120, cases: int = 40, seed: int = 0, present: tuple[int, ...] = (0, 1, 2)
) -> pd.DataFrame:
    """Random predictions that are right more often than not, with tied probabilities."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(present, size=pairs)
    scores = generator.random((pairs, len(CLASSES))) + 0.5 * np.eye(len(CLASSES))[truth]
    # Steps of 1/8 make ties within and between pairs.
    probabilities = np.round(8 * scores / scores.sum(axis=1, keepdims=True)) / 8
    probabilities[:, 2] = 1 - probabilities[:, :2].sum(axis=1)
    probabilities = np.abs(probabilities) / np.abs(probabilities).sum(axis=1, keepdims=True)
    return table_of(truth, probabilities, generator.integers(0, cases, size=pairs))


def written_out(read: Predictions, counts: np.ndarray) -> Predictions:
    """The predictions with pair i repeated ``counts[i]`` times."""
    rows = np.repeat(np.arange(len(read)), counts)
    return Predictions(
        read.truth[rows],
        read.predicted[rows],
        read.probabilities[rows],
        read.case[rows],
        read.cases,
    )


def scikit_learns(read: Predictions, weights: np.ndarray | None = None) -> dict[str, float]:
    """Every metric as scikit-learn has it, over the classes present."""
    how: dict[str, Any] = {"sample_weight": weights}
    counted = np.ones(len(read)) if weights is None else weights
    present = np.unique(read.truth[counted > 0])
    over_present = {**how, "labels": present, "zero_division": 0.0}

    def over_classes(score: Callable[..., float]) -> float:
        if len(present) < 2:
            return np.nan
        of_classes = [
            score(read.truth == index, read.probabilities[:, index], **how) for index in present
        ]
        return float(np.mean(of_classes))

    # Stored as float32, they sum to 1 only nearly, which its Brier score warns of.
    exact = read.probabilities / read.probabilities.sum(axis=1, keepdims=True)
    curve = np.clip(np.ceil(15 * read.confidence) - 1, 0, 14)
    gaps = [
        abs(np.sum((counted * (read.correct - read.confidence))[curve == one])) for one in range(15)
    ]
    truth, predicted = read.truth, read.predicted
    return {
        "accuracy": sk.accuracy_score(truth, predicted, **how),
        "balanced_accuracy": sk.recall_score(truth, predicted, average="macro", **over_present),
        "macro_f1": sk.f1_score(truth, predicted, average="macro", **over_present),
        "weighted_f1": sk.f1_score(truth, predicted, average="weighted", **over_present),
        "macro_auroc": over_classes(sk.roc_auc_score),
        "macro_average_precision": over_classes(sk.average_precision_score),
        "brier_score": sk.brier_score_loss(
            truth, exact, labels=[0, 1, 2], scale_by_half=False, **how
        ),
        # Which scikit-learn does not have.
        "expected_calibration_error": sum(gaps) / counted.sum(),
    }


@pytest.mark.parametrize("present", [(0, 1, 2), (0, 2), (1,)])
@pytest.mark.parametrize("seed", range(3))
def test_every_metric_is_scikit_learns_plain_weighted_and_on_repeated_rows(
    seed: int, present: tuple[int, ...]
) -> None:
    """One function gives the value and that of a resample: under ones, and under counts."""
    read = read_predictions(random_table(pairs=90, seed=seed, present=present), CLASSES)
    counts = np.random.default_rng(seed).integers(0, 4, len(read))
    counts[np.isin(read.truth, read.truth[:1])] *= seed > 0  # resamples that lack a class
    counts[-1] += 1
    weighted = TASK.weighed(read, np.array([np.ones(len(read)), counts], dtype=float))
    repeated = written_out(read, counts)
    oracles = scikit_learns(read), scikit_learns(read, counts.astype(float))
    for metric in TASK.metrics:
        found = metric.under_weights(weighted)
        tolerance = 1e-6 if metric.name == "brier_score" else 1e-12
        for value, oracle in zip(found, oracles, strict=True):
            expected = pytest.approx(oracle[metric.name], abs=tolerance, nan_ok=True)
            assert value == expected, metric.name
        of_repeated = values(TASK, repeated, [metric])[0]
        assert found[1] == pytest.approx(of_repeated, abs=1e-12, nan_ok=True), metric.name


def test_scores_per_class_equal_scikit_learns_plain_and_weighted() -> None:
    table = random_table()
    read = read_predictions(table, CLASSES)
    weights = np.array([np.ones(len(read)), np.random.default_rng(3).integers(0, 4, len(read))])
    weighted = TASK.weighed(read, weights)
    for row, of_row in enumerate(weights):
        expected = sk.precision_recall_fscore_support(
            read.truth, read.predicted, sample_weight=of_row, labels=range(len(CLASSES))
        )
        for score, values_of_classes in zip(TASK.class_scores, expected, strict=False):
            found = score.under_weights(weighted)[row]
            np.testing.assert_allclose(found, values_of_classes, atol=1e-12, err_msg=score.name)
    result = evaluate(TASK, table, CLASSES, resamples=0, seed=0)
    by_label = table["label"].value_counts()
    for name in CLASSES:
        assert result["per_class"][name]["support"] == by_label[name]


def test_metrics_of_a_small_case_worked_out_by_hand() -> None:
    """Four pairs: radiology right, radiology taken for endoscopy, endoscopy right, chart right."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    table = table_of(np.array([0, 0, 1, 2]), probabilities, np.arange(4))
    result = evaluate(TASK, table, CLASSES, resamples=10, seed=1)
    assert result["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert result["accuracy"]["value"] == pytest.approx(3 / 4)
    assert result["balanced_accuracy"]["value"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    # F1: radiology 2/(2+1), endoscopy 2/(2+1), chart 1.
    assert result["macro_f1"]["value"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert result["weighted_f1"]["value"] == pytest.approx((2 * 2 / 3 + 2 / 3 + 1) / 4)
    # AUROC: every positive scores above every negative in each of the three classes.
    assert result["macro_auroc"]["value"] == pytest.approx(1.0)
    assert result["macro_average_precision"]["value"] == pytest.approx(1.0)
    # Squared distances: 0.04 + 2 x 0.01, 0.49 + 0.36 + 0.01, 0.04 + 0.09 + 0.01, 2 x 0.01.
    brier = (0.06 + 0.86 + 0.14 + 0.02) / 4
    assert result["brier_score"]["value"] == pytest.approx(brier, abs=1e-6)
    # Confidences 0.8, 0.6, 0.7, 0.9 fall into four bins: gaps 0.2, 0.6, 0.3, 0.1.
    assert result["expected_calibration_error"]["value"] == pytest.approx(1.2 / 4, abs=1e-6)
    assert (result["pairs"], result["cases"]) == (4, 4)
    assert majority_share(table) == pytest.approx(1 / 2)


def test_calibration_error_compares_bins_not_pairs() -> None:
    """Two pairs of one bin, one right and one wrong, at confidence 0.5: perfectly calibrated."""
    undecided = np.tile([0.5, 0.5], (2, 1))
    none, three = np.zeros(2, dtype=int), np.zeros(3, dtype=int)
    halves = Predictions(np.array([0, 1]), none, undecided, np.arange(2), 2)
    assert calibration_error(halves) == 0
    certain = Predictions(three, three + 1, np.tile([0.0, 1.0], (3, 1)), np.arange(3), 3)
    assert calibration_error(certain) == 1


def test_resampled_scores_are_those_of_the_drawn_cases_written_out() -> None:
    read = read_predictions(random_table(pairs=60, cases=8), CLASSES)
    draws = np.concatenate(list(case_weights(read.cases, resamples=25, seed=7)))
    scores = [*TASK.metrics, *TASK.class_scores]
    fast = resampled(TASK, read, scores, resamples=25, seed=7)
    for row, counts in enumerate(draws):
        slow = values(TASK, written_out(read, counts[read.case].astype(int)), scores)
        for score, found, expected in zip(scores, fast, slow, strict=True):
            np.testing.assert_allclose(found[row], expected, atol=1e-12, err_msg=score.name)


def test_brier_score_runs_from_certain_and_right_to_certain_and_wrong() -> None:
    truth = np.array([0, 1, 2])

    def brier(probabilities: np.ndarray) -> float:
        table = table_of(truth, probabilities, np.arange(3))
        return float(evaluate(TASK, table, CLASSES, resamples=0, seed=0)["brier_score"]["value"])

    assert brier(np.eye(3)) == 0
    assert brier(np.roll(np.eye(3), 1, axis=1)) == 2
    assert brier(np.full((3, 3), 1 / 3)) == pytest.approx(1 - 1 / 3, abs=1e-6)


def test_draws_do_not_depend_on_the_size_of_the_chunks() -> None:
    together = np.concatenate(list(case_weights(11, resamples=10, seed=5)))
    apart = np.concatenate(list(case_weights(11, resamples=10, seed=5, rows_at_once=3)))
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_array_equal(together.sum(axis=1), 11)


def test_cases_are_drawn_whole() -> None:
    """Pairs of one case carry the same weight, so copies of the pairs do not narrow an interval."""
    table = random_table(pairs=40, cases=40)
    copies = pd.concat([table.assign(pair_id=table["pair_id"] + f"_{copy}") for copy in range(5)])
    once = evaluate(TASK, table, CLASSES, resamples=200, seed=0)["accuracy"]
    five_times = evaluate(TASK, copies, CLASSES, resamples=200, seed=0)["accuracy"]
    assert five_times == pytest.approx(once)


def test_intervals_hold_the_value() -> None:
    """All but the calibration error's, which resampling biases upwards."""
    result = evaluate(TASK, random_table(), CLASSES, resamples=300, seed=0)
    for name in NAMES[:-1]:
        assert result[name]["low"] < result[name]["value"] < result[name]["high"], name


def test_interval_widens_when_the_same_pairs_come_from_fewer_cases() -> None:
    table = random_table(pairs=400)
    by_correctness = (table["label"] == table["predicted"]).to_numpy().argsort(kind="stable")

    def width(pairs_per_case: int) -> float:
        case = np.empty(400, dtype=int)
        case[by_correctness] = np.arange(400) // pairs_per_case
        accuracy = evaluate(
            TASK,
            table.assign(case_id=[f"case_{number:03d}" for number in case]),
            CLASSES,
            resamples=300,
            seed=0,
        )["accuracy"]
        return float(accuracy["high"] - accuracy["low"])

    assert width(1) < width(4) < width(20)


def test_interval_widens_with_fewer_pairs() -> None:
    def width(pairs: int) -> float:
        accuracy = evaluate(TASK, random_table(pairs, pairs), CLASSES, resamples=300, seed=0)[
            "accuracy"
        ]
        return float(accuracy["high"] - accuracy["low"])

    assert width(30) > width(120) > width(480)


def test_a_class_absent_from_the_subset_gives_null_and_leaves_the_macro_averages() -> None:
    table = random_table(present=(0, 1))
    result = evaluate(TASK, table, CLASSES, resamples=20, seed=0)
    chart = result["per_class"]["chart"]
    assert chart.pop("support") == 0
    assert set(chart.values()) == {None}
    recalls = [result["per_class"][name]["recall"] for name in ("radiology", "endoscopy")]
    assert result["balanced_accuracy"]["value"] == pytest.approx(np.mean(recalls))
    assert "NaN" not in json.dumps(result)


def test_a_class_never_predicted_has_no_precision_but_an_f1_of_zero() -> None:
    probabilities = np.tile([0.6, 0.3, 0.1], (4, 1))
    result = evaluate(
        TASK,
        table_of(np.array([0, 0, 1, 2]), probabilities, np.arange(4)),
        CLASSES,
        resamples=5,
        seed=0,
    )
    assert result["per_class"]["chart"]["precision"] is None
    assert result["per_class"]["chart"]["f1"] == 0
    assert result["macro_auroc"]["value"] == pytest.approx(0.5)  # all tied


def test_one_class_alone_has_no_ranking_metric() -> None:
    result = evaluate(TASK, random_table(present=(1,)), CLASSES, resamples=20, seed=0)
    for name in ("macro_auroc", "macro_average_precision"):
        assert result[name] == {"value": None, "low": None, "high": None}


def test_a_single_case_has_no_interval() -> None:
    result = evaluate(TASK, random_table(pairs=9, cases=1), CLASSES, resamples=20, seed=0)
    assert result["accuracy"]["value"] is not None
    assert result["accuracy"]["low"] is None


def test_percentile_interval_leaves_out_undefined_resamples() -> None:
    assert percentile_interval(np.array([np.nan, 1.0, 1.0]), 0.95) == (1.0, 1.0)
    assert percentile_interval(np.array([np.nan]), 0.95) == (None, None)


def test_the_order_of_the_pairs_does_not_matter() -> None:
    table = random_table()
    shuffled = table.sample(frac=1, random_state=1)
    first, second = (
        evaluate(TASK, each, CLASSES, resamples=50, seed=4) for each in (table, shuffled)
    )
    assert first == second


def test_only_the_asked_subset_is_evaluated() -> None:
    validation = random_table(pairs=30, seed=1).assign(subset="validation")
    both = pd.concat([random_table(), validation.assign(pair_id="v" + validation["pair_id"])])
    assert evaluate(TASK, both, CLASSES, resamples=0, seed=0)["pairs"] == 120
    alone = evaluate(TASK, both, CLASSES, resamples=0, seed=0, subset="validation")
    assert (alone["subset"], alone["pairs"]) == ("validation", 30)


def test_accuracy_over_seeds_is_the_mean_of_the_seeds_accuracies() -> None:
    table = random_table()
    other = table.assign(predicted=np.roll(table["predicted"], 1))
    accuracies = [(each["label"] == each["predicted"]).mean() for each in (table, other)]
    result = accuracy_over_seeds(
        [table, other.sample(frac=1, random_state=0)], resamples=200, seed=0
    )
    assert result["value"] == pytest.approx(np.mean(accuracies))
    assert result["low"] < result["value"] < result["high"]
    assert (result["seeds"], result["pairs"]) == (2, 120)
    # With one seed, value and interval are those of metrics.json.
    alone = accuracy_over_seeds([table], resamples=200, seed=0)
    expected = evaluate(TASK, table, CLASSES, resamples=200, seed=0)["accuracy"]
    assert {key: alone[key] for key in expected} == pytest.approx(expected)


def test_seeds_over_different_pairs_are_refused() -> None:
    table = random_table()
    with pytest.raises(PairDxError, match="different pairs"):
        accuracy_over_seeds([table, table.iloc[1:]], resamples=5, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "pathology"}, "not one of the classes"),
        ({"p_chart": 0.9}, "sums to 1"),
        ({"p_chart": np.nan}, "sums to 1"),
        ({"pair_id": "same"}, "predicted twice"),
        ({"case_id": None}, "no case_id"),
        ({"subset": "train"}, "no pair of the subset"),
        ({"predicted": "chart"}, "not its most probable class"),
    ],
)
def test_a_table_that_is_not_predictions_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PairDxError, match=message):
        evaluate(TASK, random_table().assign(**change), CLASSES, resamples=5, seed=0)


def test_a_missing_probability_column_is_named() -> None:
    with pytest.raises(PairDxError, match="p_chart"):
        evaluate(TASK, random_table().drop(columns="p_chart"), CLASSES, resamples=5, seed=0)
