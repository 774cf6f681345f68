"""Temperature scaling, reliability and abstention: known temperatures, scikit-learn, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from pairdx.errors import PairDxError
from pairdx.evaluation.abstention import (
    answered_above,
    area_under_risk,
    bootstrap_risk_at_coverage,
    risk_at_coverage,
    risk_by_coverage,
    threshold_at_risk,
)
from pairdx.evaluation.calibration import (
    at_bound,
    calibrate,
    calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    scale,
)
from pairdx.reporting.systems.calibration_tables import (
    answered_of,
    calibration_for_reading,
    calibration_notes,
    calibration_table,
)
from pairdx.tasks.single_label.rows import Predictions

CLASSES = ("radiology", "endoscopy", "chart")
REGISTRY = {"words": {"title": "Words"}, "majority": {"title": "Most frequent class"}}
HOW = {"coverage": 0.8, "risk": 0.05, "resamples": 50, "seed": 1}


def calibrated(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and classes that are drawn with just these probabilities."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(len(CLASSES), 0.7), count)
    truth = (generator.random((count, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, truth


def table_of(probabilities: np.ndarray, truth: np.ndarray, subset: str) -> pd.DataFrame:
    """A predictions table; two pairs make a case."""
    names = np.array(CLASSES, dtype=object)
    table = pd.DataFrame(
        {
            "pair_id": [f"{subset}_{row:05d}" for row in range(len(truth))],
            "case_id": [f"{subset}_{row // 2:05d}" for row in range(len(truth))],
            "subset": subset,
            "label": names[truth],
            "predicted": names[probabilities.argmax(axis=1)],
        }
    )
    table[[f"p_{name}" for name in CLASSES]] = probabilities.astype(np.float32)
    return table


def predictions(
    validation: float = 1.0, test: float = 1.0, seed: int = 0, count: int = 400
) -> pd.DataFrame:
    """Calibrated predictions, made too sure by so much: 2 squares the probabilities."""
    parts = []
    for subset, sharpening in (("validation", validation), ("test", test)):
        probabilities, truth = calibrated(count, seed + (subset == "test"))
        parts.append(table_of(scale(probabilities, 1 / sharpening), truth, subset))
    return pd.concat(parts, ignore_index=True)


def read(probabilities: list[list[float]], truth: list[int]) -> Predictions:
    array, labels = np.array(probabilities), np.array(truth)
    return Predictions(labels, array.argmax(axis=1), array, np.arange(len(labels)), len(labels))


# -------------------------------------------------------------------- temperature


@pytest.mark.parametrize("sharpening", [0.5, 1.0, 2.0, 5.0])
def test_the_temperature_is_by_how_much_probabilities_were_sharpened(sharpening: float) -> None:
    """1 for calibrated ones; scaling gives them back."""
    probabilities, truth = calibrated(60_000)
    sharpened = scale(probabilities, 1 / sharpening)
    temperature = fit_temperature(sharpened, truth)
    assert temperature == pytest.approx(sharpening, rel=0.03)
    np.testing.assert_allclose(scale(sharpened, sharpening), probabilities, atol=1e-7)


def test_scaling_probabilities_is_scaling_scores() -> None:
    """They differ by a constant of each pair, which the softmax takes away."""
    scores = np.random.default_rng(0).normal(0, 4, (50, 3))
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    hot = np.exp(scores / 2.5) / np.exp(scores / 2.5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scale(softmax, 2.5), hot, rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.01, 0.3, 1.0, 7.0, 100.0])
def test_no_temperature_changes_a_prediction(temperature: float) -> None:
    probabilities, _ = calibrated(3000)
    probabilities[:100] = [1, 0, 0]
    scaled = scale(probabilities, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    largest = scaled[np.arange(3000), probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(largest, scaled.max(axis=1))


def test_the_temperature_is_fitted_on_validation_pairs_only() -> None:
    """Other test pairs, labels included, leave it as it is; other validation pairs do not."""
    original = calibrate(predictions(2.0, 2.0), CLASSES).temperature
    assert calibrate(predictions(2.0, 0.3), CLASSES).temperature == original
    table = predictions(2.0, 2.0)
    wrong = table["subset"] == "test"
    changed = table.assign(label=table["label"].mask(wrong, "chart"))
    assert calibrate(changed, CLASSES).temperature == original
    assert calibrate(predictions(4.0, 2.0), CLASSES).temperature > 1.5 * original


def test_validation_loss_is_lowest_at_the_temperature() -> None:
    probabilities, truth = calibrated(500)
    sharpened = scale(probabilities, 1 / 3)

    def loss(temperature: float) -> float:
        return sk.log_loss(truth, scale(sharpened, temperature))

    best = fit_temperature(sharpened, truth)
    assert loss(best) < min(loss(best * 0.99), loss(best * 1.01), loss(1.0))


def test_where_the_temperature_has_no_end_its_range_does() -> None:
    """All right: ever surer. Sure and no better than chance: ever less sure."""
    right = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    assert fit_temperature(right, np.array([0, 1])) == pytest.approx(0.01)
    assert fit_temperature(right, np.array([2, 2])) == pytest.approx(100)
    assert at_bound(0.01)
    assert at_bound(100.0)
    assert not at_bound(1.0)


def test_equal_probabilities_have_temperature_1() -> None:
    assert fit_temperature(np.full((5, 3), 1 / 3), np.array([0, 1, 2, 0, 1])) == 1.0


# -------------------------------------------------------------------- scores of probabilities


def test_scores_are_scikit_learns() -> None:
    probabilities, truth = calibrated(300)
    found = read(probabilities.tolist(), truth.tolist())
    assert negative_log_likelihood(found).mean() == pytest.approx(sk.log_loss(truth, probabilities))
    expected = sk.brier_score_loss(truth, probabilities, labels=[0, 1, 2], scale_by_half=False)
    assert found.squared_distance.mean() == pytest.approx(expected)


def test_scores_by_hand() -> None:
    """A probability of 0 costs as much as the smallest number of single precision."""
    found = read([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]], [0, 1])
    np.testing.assert_allclose(negative_log_likelihood(found), [np.log(2), 87.3365], rtol=1e-5)
    np.testing.assert_allclose(found.squared_distance, [0.25 + 0.09 + 0.04, 2])


def test_reliability_bins_add_up_to_the_calibration_error() -> None:
    """By hand: two pairs of confidence 0.9, one right; two of 0.55, both right."""
    pairs = [[0.9, 0.1, 0], [0.9, 0, 0.1], [0.55, 0.45, 0], [0.55, 0, 0.45]]
    found = read(pairs, [0, 1, 0, 0])
    bins = reliability([found])
    np.testing.assert_allclose(bins.to_numpy(), [[0.55, 1, 0.5], [0.9, 0.5, 0.5]])
    gap = ((bins["accuracy"] - bins["confidence"]).abs() * bins["share"]).sum()
    assert gap == pytest.approx(calibration_error(found))
    assert reliability([found, found]).equals(bins)


# -------------------------------------------------------------------- abstention


def test_a_perfect_ranking_leaves_the_errors_to_the_end() -> None:
    """Eight right, then two wrong: no risk up to 80 %, then 1/9 and 2/10."""
    confidence = np.linspace(0.9, 0.5, 10)
    correct = np.array([1.0] * 8 + [0.0] * 2)
    coverage, risk = risk_by_coverage(confidence, correct)
    np.testing.assert_allclose(coverage, np.arange(1, 11) / 10)
    np.testing.assert_allclose(risk, [0] * 8 + [1 / 9, 2 / 10])
    assert area_under_risk(risk) == pytest.approx((1 / 9 + 2 / 10) / 10)
    assert threshold_at_risk(confidence, correct, 0.0) == confidence[7]
    assert threshold_at_risk(confidence, correct, 1 / 9) == confidence[8]
    assert threshold_at_risk(confidence, correct, 1.0) == confidence[9]
    at = risk_at_coverage(confidence, correct, np.ones((1, 10)), 0.85)
    assert at[0] == pytest.approx(0.5 / 8.5)


def test_the_worst_ranking_never_comes_within_a_small_risk() -> None:
    _, risk = risk_by_coverage(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1, 1]))
    np.testing.assert_allclose(risk, [1, 1 / 2, 1 / 3])
    assert threshold_at_risk(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1, 1]), 0.05) == np.inf


def test_pairs_of_equal_confidence_are_answered_together_or_not_at_all() -> None:
    """Three surest pairs of one confidence, one wrong: a third of them is wrong, not none."""
    confidence, correct = np.array([0.9, 0.9, 0.9, 0.8]), np.array([1.0, 1, 0, 1])
    assert threshold_at_risk(confidence, correct, 0.25) == 0.8
    assert threshold_at_risk(confidence, correct, 0.2) == np.inf
    assert threshold_at_risk(confidence, correct, 1 / 3) == 0.8


def test_answers_above_a_threshold_are_counted_on_the_test_pairs() -> None:
    """Two seeds: one answers three of four pairs, one wrongly; the other one pair, rightly."""
    probabilities = [[0.9, 0.1, 0], [0.2, 0.8, 0], [0.7, 0.3, 0], [0.6, 0.4, 0]]
    pairs = read(probabilities, [0, 1, 1, 0])
    found = answered_above([pairs, pairs], [0.7, 0.85], resamples=50, seed=0)
    assert found.coverage == pytest.approx((3 + 1) / 8)
    assert found.risk == pytest.approx(1 / 4)
    assert found.per_case.tolist() == [1, 0.5, 0.5, 0]
    nothing = answered_above([pairs], [np.inf], resamples=50, seed=0)
    assert (nothing.coverage, nothing.risk) == (0, None)


def test_the_threshold_is_the_validation_pairs_and_the_risk_is_the_test_pairs() -> None:
    """A system surer of test pairs than it may be: chosen on these, the risk would be 5 %."""
    row, fair = (
        calibration_table(
            {("words", "grouped"): [predictions(1.0, test, count=4000)]}, CLASSES, **HOW
        ).iloc[0]
        for test in (4.0, 1.0)
    )
    assert 0.03 < fair["risk_met"] < 0.08
    assert row["risk_met"] > fair["risk_met"] + 0.05
    assert row["coverage_at_risk"] > fair["coverage_at_risk"] + 0.2
    for name in ("coverage_at_risk", "risk_met", "risk_at_coverage"):
        assert 0 <= fair[f"{name}_low"] < fair[name] < fair[f"{name}_high"] <= 1


def test_what_is_chosen_on_the_test_pairs_is_better_than_what_comes_of_it() -> None:
    """Over 200 draws of 60 pairs: the risk is 5 % at most where it is chosen, and not elsewhere."""
    chosen, met = [], []
    for number in range(200):
        probabilities, truth = calibrated(120, number)
        sure, right = probabilities.max(axis=1), 1.0 * (probabilities.argmax(axis=1) == truth)
        at = threshold_at_risk(sure[:60], right[:60], 0.05)
        for errors, part in ((chosen, slice(0, 60)), (met, slice(60, 120))):
            answers = sure[part] >= at
            errors.append(1 - right[part][answers].mean() if answers.any() else np.nan)
    assert np.nanmax(chosen) <= 0.05 + 1e-12
    assert np.nanmean(met) > 1.5 * np.nanmean(chosen)


def test_without_a_threshold_nothing_is_answered_and_that_is_certain() -> None:
    """All validation pairs wrong: no confidence is chosen, and no test pair could change it."""
    wrong = predictions().assign(label="chart", predicted="radiology")
    for name in CLASSES:
        wrong[f"p_{name}"] = np.float32(name == "radiology")
    table = calibration_table({("words", "grouped"): [wrong]}, CLASSES, **HOW)
    row = table.iloc[0]
    assert row["coverage_at_risk"] == 0
    assert row[["coverage_at_risk_low", "coverage_at_risk_high"]].isna().all()
    assert table["coverage_at_risk_high"].dtype == np.float64
    assert np.isnan([row["risk_met"], row["risk_met_low"], row["risk_met_high"]]).all()
    assert answered_of(table, "grouped")["words"][0] == 0
    shown = calibration_for_reading(table, REGISTRY)
    assert pd.isna(shown["Risk met there, % (interval)"][0])
    assert shown["Coverage at 5 % risk on validation pairs, % (interval)"][0] == "0.0"
    assert any("without interval" in note for note in calibration_notes(table, REGISTRY, 50))


def test_a_threshold_that_no_test_pair_reaches_leaves_a_coverage_that_others_may_have() -> None:
    """Sure and right on validation pairs, right but unsure on all test pairs: other pairs may do.

    A second seed that has no threshold, being wrong on every validation pair, changes nothing.
    """
    truth = np.arange(400) % 3
    right, wrong = np.eye(3)[truth], np.eye(3)[(truth + 1) % 3]
    seeds = [
        pd.concat(
            table_of(mix * known + (1 - mix) / 3, truth, subset)
            for subset, known, mix in (("validation", chosen, 0.8), ("test", right, 0.4))
        )
        for chosen in (right, wrong)
    ]
    for tables in (seeds[:1], seeds):
        table = calibration_table({("words", "grouped"): tables}, CLASSES, **HOW)
        row = table.iloc[0]
        assert row["coverage_at_risk"] == 0
        # Two pairs a case: Wilson's upper end for none of 200.
        assert row["coverage_at_risk_high"] == pytest.approx(1.96**2 / (200 + 1.96**2), abs=1e-4)
        notes = calibration_notes(table, REGISTRY, 50)
        assert not any("without interval" in note for note in notes)


def test_pairs_of_equal_confidence_have_no_order() -> None:
    """A constant confidence gives the error rate at every coverage, wherever the errors stand."""
    for correct in ([1, 1, 0, 0], [0, 1, 0, 1]):
        _, risk = risk_by_coverage(np.full(4, 0.5), np.array(correct, dtype=float))
        np.testing.assert_allclose(risk, 0.5)
        at = risk_at_coverage(np.full(4, 0.5), np.array(correct, float), np.ones((1, 4)), 0.3)
        assert at[0] == pytest.approx(0.5)


def test_weights_are_repetitions() -> None:
    """A pair drawn twice counts as two pairs, a pair drawn never as none."""
    generator = np.random.default_rng(3)
    confidence, correct = generator.random(20).round(1), generator.integers(0, 2, 20).astype(float)
    times = generator.integers(0, 4, 20)
    weighted = risk_at_coverage(confidence, correct, times[None].astype(float), 0.5)
    repeated = np.repeat(confidence, times), np.repeat(correct, times)
    expected = risk_at_coverage(*repeated, np.ones((1, times.sum())), 0.5)
    assert weighted[0] == pytest.approx(expected[0])
    coverage, risk = risk_by_coverage(*repeated)
    if times.sum() % 2 == 0:
        assert risk[times.sum() // 2 - 1] == pytest.approx(expected[0])
    assert coverage[-1] == 1


def test_the_bootstrap_draws_whole_cases() -> None:
    """One case of all pairs: every resample is the sample itself."""
    found = read([[0.9, 0.1, 0], [0.6, 0.4, 0], [0.5, 0.3, 0.2]], [0, 1, 0])
    whole = Predictions(found.truth, found.predicted, found.probabilities, np.zeros(3, int), 1)
    drawn = bootstrap_risk_at_coverage(whole, 1.0, resamples=9, seed=0)
    np.testing.assert_allclose(drawn, 1 / 3)


# -------------------------------------------------------------------- the table


def test_the_table_has_a_row_per_system_and_split_and_better_numbers_after_scaling() -> None:
    given = {("words", "grouped"): [predictions(3.0, 3.0), predictions(3.0, 3.0)]}
    row = calibration_table(given, CLASSES, **HOW).iloc[0]
    assert row[["system", "split", "seeds"]].tolist() == ["words", "grouped", 2]
    for name in ("nll", "brier", "ece"):
        assert row[f"{name}_after"] < row[f"{name}_before"]
    for name in ("nll_before", "nll_after", "brier_after", "risk_at_coverage"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    table = given["words", "grouped"][0].query("subset == 'test'")
    assert row["error_rate"] == pytest.approx((table["label"] != table["predicted"]).mean())
    assert row["risk_at_coverage"] < row["error_rate"]


def test_constant_probabilities_do_not_crash_and_gain_nothing_by_abstention() -> None:
    """The shares of the classes, one of which no training pair had."""
    _, truth = calibrated(200)
    shares = np.tile([0.7, 0.3, 0.0], (200, 1))
    table = pd.concat([table_of(shares, truth, name) for name in ("validation", "test")])
    row = calibration_table({("majority", "grouped"): [table]}, CLASSES, **HOW).iloc[0]
    assert row["risk_at_coverage"] == pytest.approx(row["error_rate"])
    assert row["area_under_risk"] == pytest.approx(row["error_rate"])
    assert np.isfinite([row["temperature"], row["nll_before"], row["nll_after"]]).all()


def test_seeds_over_different_pairs_are_not_averaged() -> None:
    other = predictions().assign(pair_id=lambda table: "x" + table["pair_id"])
    with pytest.raises(PairDxError, match="different"):
        calibration_table({("words", "grouped"): [predictions(), other]}, CLASSES, **HOW)


def test_the_table_for_reading_states_its_targets_and_marks_an_endless_search() -> None:
    table = calibration_table({("words", "grouped"): [predictions()]}, CLASSES, **HOW)
    shown = calibration_for_reading(table, REGISTRY)
    assert "Risk at 80 % coverage, % (interval)" in shown
    assert "Coverage at 5 % risk on validation pairs, % (interval)" in shown
    assert "(" in shown["Risk met there, % (interval)"][0]
    assert "*" not in shown["T"][0]
    marked = table.assign(temperature_at_bound=True)
    assert calibration_for_reading(marked, REGISTRY)["T"][0].endswith("*")
    assert any(note.startswith("*") for note in calibration_notes(marked, REGISTRY, 50))
