"""Several labels per pair: metrics equal to scikit-learn's, and empty where nothing is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn import metrics as sk

from finding_samples import CLASSES, findings_table, random_findings
from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import case_weights
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.scores import read_seeds, resampled, values
from pairdx.evaluation.seeds import metrics_over_seeds
from pairdx.tasks.multi_label.rows import Findings, columns, predicted_rows, read_predictions
from pairdx.tasks.multi_label.task import TASK
from pairdx.tasks.multi_label.thresholds import choose_thresholds, threshold

SCORES = [*TASK.metrics, *TASK.class_scores]
# What is known of the pairs: kinds that leave scores, averages or thresholds undefined.
KINDS = ["usual", "lopsided", "ties", "unknown", "no threshold"]


def table_of(kind: str, seed: int) -> pd.DataFrame:
    """Random predictions of 70 test and 50 validation pairs, of a kind."""
    table = random_findings(seed)
    test, findings = table["subset"] == "test", table["findings"]
    without = findings.str.replace(r"(edema|fracture)\??\|?", "", regex=True).str.strip("|")
    if kind == "lopsided":  # edema is never there, a fracture always
        table["findings"] = findings.where(~test, (without + "|fracture").str.strip("|"))
    if kind == "no threshold":
        table["findings"] = findings.where(test, without)
    if kind == "unknown":
        nothing_known = "|".join(f"{name}?" for name in CLASSES)
        table.loc[table.index % 3 > 0, "findings"] = nothing_known
    if kind == "ties":
        for name in CLASSES:
            table[f"p_{name}"] = np.round(table[f"p_{name}"] * 4) / 4
    return table


def written_out(read: Findings, counts: np.ndarray) -> Findings:
    """The predictions with pair i repeated ``counts[i]`` times."""
    rows = np.repeat(np.arange(len(read)), counts)
    return Findings(
        read.truth[rows],
        read.probabilities[rows],
        read.thresholds,
        read.validation_positives,
        read.case[rows],
        read.cases,
    )


def scikit_learns(read: Findings, index: int, weights: np.ndarray) -> dict[str, float]:
    """The scores of one finding as scikit-learn has them; NaN where they say nothing."""
    known = ~np.isnan(read.truth[:, index]) & (weights > 0)
    truth, scores = read.truth[known, index].astype(int), read.probabilities[known, index]
    how: dict[str, Any] = {"sample_weight": weights[known]}
    limit = read.thresholds[index]
    calls = (scores >= limit).astype(int)
    positives, both = bool(truth.any()), len(set(truth)) == 2
    decided = not np.isnan(limit) and bool(known.any())

    def where(holds: bool, score: Callable[..., float], of: np.ndarray, **more: Any) -> float:
        return float(score(truth, of, **how, **more)) if holds else np.nan

    curve = np.clip(np.ceil(15 * scores) - 1, 0, 14)
    gaps = [abs(((truth - scores) * weights[known])[curve == one].sum()) for one in range(15)]
    recall: dict[str, Any] = {"zero_division": np.nan}
    return {
        "auroc": where(both, sk.roc_auc_score, scores),
        "average_precision": where(both, sk.average_precision_score, scores),
        "f1": where(both and decided, sk.f1_score, calls),
        "mcc": where(both and decided, sk.matthews_corrcoef, calls),
        "sensitivity": where(positives and decided, sk.recall_score, calls, **recall),
        "specificity": where(decided, sk.recall_score, calls, pos_label=0, **recall),
        "precision": where(positives and decided, sk.precision_score, calls, **recall),
        "brier_score": where(bool(known.any()), sk.brier_score_loss, scores),
        # Which scikit-learn does not have.
        "expected_calibration_error": sum(gaps) / weights[known].sum() if known.any() else np.nan,
    }


def averaged(read: Findings, of_findings: list[dict[str, float]]) -> dict[str, float]:
    """Every metric: the mean over the findings that count of those that are defined."""
    kinds = {"macro_" + name: name for name in ("auroc", "average_precision", "f1", "mcc")}
    kinds |= {name: name for name in ("brier_score", "expected_calibration_error")}
    count = [at for at in range(len(CLASSES)) if {0.0, 1.0} <= set(read.truth[:, at])]
    found = {name: [of_findings[at][of] for at in count] for name, of in kinds.items()}
    return {name: pd.Series(one, dtype=float).mean() for name, one in found.items()}


@pytest.mark.parametrize(("seed", "kind"), [*enumerate(KINDS)])
def test_every_score_is_scikit_learns_plain_and_weighted(seed: int, kind: str) -> None:
    """One function gives the value and that of a resample: under ones, and under counts."""
    read = read_predictions(table_of(kind, seed), CLASSES)
    counts = np.random.default_rng(seed).integers(0, 3, (2, len(read)))
    counts[0] *= read.truth[:, 1] == 0  # a resample in which one finding has no positives,
    counts[1] *= (read.truth != 1).all(axis=1)  # and one in which none has
    all_weights = np.vstack([np.ones(len(read)), counts])
    weighted = TASK.weighed(read, all_weights)
    for row, weights in enumerate(all_weights):
        with sklearn.config_context(skip_parameter_validation=True):
            oracle = [scikit_learns(read, at, weights) for at in range(len(CLASSES))]
        for score in TASK.class_scores:
            expected = [one[score.name] for one in oracle]
            found = score.under_weights(weighted)[row]
            np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=score.name)
        macro = averaged(read, oracle)
        for metric in TASK.metrics:
            found = metric.under_weights(weighted)[row]
            np.testing.assert_allclose(found, macro[metric.name], atol=1e-12, err_msg=metric.name)


def test_resampled_scores_are_those_of_the_drawn_patients_written_out() -> None:
    read = read_predictions(random_findings(3, patients=6), CLASSES)
    draws = np.concatenate(list(case_weights(read.cases, resamples=25, seed=7)))
    fast = resampled(TASK, read, SCORES, resamples=25, seed=7)
    for row, counts in enumerate(draws):
        slow = values(TASK, written_out(read, counts[read.case].astype(int)), SCORES)
        for score, found, expected in zip(SCORES, fast, slow, strict=True):
            np.testing.assert_allclose(found[row], expected, atol=1e-12, err_msg=score.name)


def test_a_small_case_worked_out_by_hand() -> None:
    """Validation parts edema at 0.5; of test pairs, one of two positives is found, one alarm."""
    validation = findings_table(
        [("edema", 0.8, 0.1), ("edema", 0.6, 0.1), ("", 0.4, 0.1), ("", 0.2, 0.1)], "validation"
    )
    test = findings_table(
        [
            ("edema", 0.9, 0.2),
            ("edema|effusion?", 0.3, 0.9),
            ("", 0.7, 0.1),
            ("", 0.1, 0.3),
            ("edema?", 0.99, 0.3),  # which says nothing of edema
        ],
        "test",
    )
    result = evaluate(TASK, pd.concat([validation, test]), CLASSES[:2], resamples=0, seed=0)
    edema, effusion = (result["per_class"][name] for name in CLASSES[:2])
    assert result["thresholds"] == [pytest.approx(0.5), None]
    assert result["thresholds_from"] == "validation"
    assert (edema["sensitivity"], edema["specificity"], edema["precision"]) == (0.5, 0.5, 0.5)
    assert (edema["f1"], edema["mcc"]) == (0.5, 0)
    # Couples: 0.9 above both negatives, 0.3 above one of two.
    assert edema["auroc"] == pytest.approx(3 / 4)
    assert edema["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    brier = (0.1**2 + 0.7**2 + 0.7**2 + 0.1**2) / 4
    assert result["brier_score"]["value"] == pytest.approx(brier, abs=1e-6)
    # Effusion is true of no pair: it is empty, and no average has it.
    assert effusion.pop("support") == 0
    assert set(effusion.values()) == {None}
    assert result["macro_auroc"]["value"] == edema["auroc"]
    assert [result[name] for name in ("positives", "negatives", "unknown")] == [
        [2, 0],
        [2, 4],
        [1, 1],
    ]
    assert (result["counted"], result["validation_positives"]) == (1, [2, 0])
    assert "NaN" not in json.dumps(result)


# ---------------------------------------------------------------- thresholds
@pytest.mark.parametrize("seed", range(2))
def test_the_threshold_has_the_largest_correlation_of_all(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = (generator.random(40) < 0.3).astype(float)
    scores = np.round(truth * 0.2 + generator.random(40), 1 + seed % 2)
    found = threshold(truth, scores)
    cuts = np.unique(scores)[1:]
    with sklearn.config_context(skip_parameter_validation=True):
        best = max(sk.matthews_corrcoef(truth, scores >= cut) for cut in cuts)
    assert sk.matthews_corrcoef(truth, scores >= found) == pytest.approx(best)
    assert found not in scores
    unknown = np.append(truth, [np.nan] * 5), np.append(scores, np.full(5, found))
    assert threshold(*unknown) == found


def test_a_threshold_lies_between_pairs_and_of_equally_good_ones_is_the_lowest() -> None:
    assert threshold(np.array([0, 0, 1]), np.array([0.1, 0.3, 0.7])) == pytest.approx(0.5)
    # Parting off either positive is worth the same.
    alike = threshold(np.array([1, 0, 1, 0]), np.array([0.8, 0.6, 0.4, 0.2]))
    assert alike == pytest.approx(0.3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_threshold_between_neighbouring_numbers_calls_the_upper_one_alone(kind: type) -> None:
    below = kind(0.3)
    for _ in range(4):  # of every other couple the middle rounds down
        above = np.nextafter(below, kind(1))
        scores = np.array([below, above])
        found = threshold(np.array([0, 1]), scores)
        assert (scores >= found).tolist() == [False, True]
        below = above


@pytest.mark.parametrize(
    ("truth", "scores"),
    [([1, 1], [0.2, 0.3]), ([0, 0], [0.2, 0.3]), ([0, 1], [0.2, 0.2]), ([np.nan, 1], [0.1, 0.2])],
)
def test_without_validation_positives_and_negatives_there_is_no_threshold(
    truth: list[float], scores: list[float]
) -> None:
    assert np.isnan(threshold(np.array(truth), np.array(scores)))


def test_thresholds_never_look_at_test() -> None:
    """Other test pairs, or other probabilities of theirs, leave them as they are."""
    table = random_findings(0)
    test = table["subset"] == "test"
    changed = table.assign(p_edema=np.where(test, 1 - table["p_edema"], table["p_edema"]))
    before, after = (read_predictions(one, CLASSES) for one in (table, changed))
    np.testing.assert_array_equal(before.thresholds, after.thresholds)
    validation = read_predictions(table, CLASSES, subset="validation")
    chosen = choose_thresholds(validation.truth, validation.probabilities)
    np.testing.assert_array_equal(before.thresholds, chosen)
    alone = read_predictions(table[test], CLASSES)
    assert np.isnan(alone.thresholds).all()
    assert evaluate(TASK, table[test], CLASSES, resamples=5, seed=0)["macro_f1"]["value"] is None


def test_thresholds_of_several_seeds_come_from_their_own_validation_pairs() -> None:
    tables = [random_findings(0), random_findings(0, noise=1)]
    reads = read_seeds(TASK, tables, CLASSES)
    assert not np.isnan([read.thresholds for read in reads]).any()
    assert (reads[0].thresholds != reads[1].thresholds).any()


# ---------------------------------------------------------------- intervals and seeds
def test_intervals_hold_the_value_and_copies_of_pairs_do_not_narrow_them() -> None:
    table = random_findings(1)
    result = evaluate(TASK, table, CLASSES, resamples=200, seed=0)
    for name in ("macro_auroc", "macro_average_precision", "macro_f1", "macro_mcc", "brier_score"):
        assert result[name]["low"] < result[name]["value"] < result[name]["high"], name
    for scores in result["per_class"].values():
        for score in TASK.class_scores:
            low, high = (scores[f"{score.name}_{end}"] for end in ("low", "high"))
            assert low <= scores[score.name] <= high
    test = table[table["subset"] == "test"]
    copies = [test.assign(pair_id=test["pair_id"] + f"_{copy}") for copy in range(2)]
    twice = evaluate(TASK, pd.concat([table, *copies]), CLASSES, resamples=200, seed=0)
    assert twice["macro_auroc"] == pytest.approx(result["macro_auroc"])


def test_a_perfect_ranking_of_few_positives_is_not_certain() -> None:
    rows = [("edema", 0.9, 0.5)] * 3 + [("", 0.1, 0.5)] * 60
    result = evaluate(TASK, findings_table(rows, "test"), CLASSES[:2], resamples=100, seed=0)
    assert result["macro_auroc"]["value"] == result["macro_auroc"]["high"] == 1
    assert 0.2 < result["macro_auroc"]["low"] < 0.7


def test_one_patient_has_values_and_no_intervals() -> None:
    result = evaluate(TASK, random_findings(0, patients=1), CLASSES, resamples=20, seed=0)
    assert result["macro_auroc"]["value"] is not None
    ends = {result[metric.name][end] for metric in TASK.metrics for end in ("low", "high")}
    assert ends == {None}


def test_metrics_over_seeds_are_those_of_each_averaged() -> None:
    tables = [random_findings(0), random_findings(0, noise=1), random_findings(0, noise=2)]
    found = metrics_over_seeds(TASK, tables, CLASSES, resamples=50, seed=0)
    of_seeds = [evaluate(TASK, one, CLASSES, resamples=0, seed=0) for one in tables]
    for metric in TASK.metrics:
        each = [one[metric.name]["value"] for one in of_seeds]
        assert found[metric.name]["mean"] == pytest.approx(np.mean(each))
        assert found[metric.name]["standard_deviation"] == pytest.approx(np.std(each, ddof=1))


# ---------------------------------------------------------------- rows
def test_rows_are_read_as_they_were_written() -> None:
    pairs = pd.DataFrame(
        {
            "pair_id": ["b", "a"],
            "case_id": ["one", "two"],
            "caption": "text",
            "label": ["edema", "(none)"],
            "findings": ["edema|fracture?", ""],
        }
    )
    probabilities = np.array([[0.25, 0.75, 1], [0.5, 0.5, 0]], dtype=np.float32)
    table = predicted_rows(pairs, probabilities, CLASSES, subset="test")
    assert list(table) == columns(CLASSES)
    assert table["p_edema"].dtype == np.float32
    read = read_predictions(table, CLASSES)
    assert len(read) == read.cases == 2
    np.testing.assert_array_equal(read.truth, [[0, 0, 0], [1, 0, np.nan]])  # in order of pair_id
    np.testing.assert_array_equal(read.probabilities, probabilities[::-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"findings": "pneumonia"}, "no class"),
        ({"findings": None}, "no text of its findings"),
        ({"p_edema": 1.1}, "from 0 to 1"),
        ({"p_edema": np.nan}, "from 0 to 1"),
        ({"pair_id": "same"}, "predicted twice"),
        ({"case_id": None}, "no case_id"),
        ({"subset": "train"}, "no pair of the subset"),
    ],
)
def test_a_table_that_is_not_of_findings_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PairDxError, match=message):
        evaluate(TASK, random_findings(0).assign(**change), CLASSES, resamples=5, seed=0)


def test_a_missing_column_and_seeds_over_other_pairs_are_named() -> None:
    table = random_findings(0)
    with pytest.raises(PairDxError, match="p_edema"):
        evaluate(TASK, table.drop(columns="p_edema"), CLASSES, resamples=5, seed=0)
    with pytest.raises(PairDxError, match="different pairs, cases or findings"):
        read_seeds(TASK, [table, table.assign(findings="")], CLASSES)
