"""What a deployed system is given besides its network is chosen on validation pairs alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.deployment.answers import calibrated, decide
from pairdx.deployment.export.choices import Choices, choose
from pairdx.errors import PairDxError
from pairdx.evaluation.calibration import calibrate
from pairdx.tasks.multi_label import rows as several
from pairdx.tasks.single_label.rows import predicted_rows

CLASSES = ["ct", "mri", "chart"]


def pairs_of(labels: list[str], subset: str) -> pd.DataFrame:
    names = [f"{subset}{number}" for number in range(len(labels))]
    return pd.DataFrame({"pair_id": names, "case_id": names, "label": labels})


def table_of(probabilities: np.ndarray, labels: list[str], subset: str) -> pd.DataFrame:
    pairs = pairs_of(labels, subset)
    return predicted_rows(pairs, probabilities.astype(np.float32), CLASSES, subset=subset)


def noisy(count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, count)
    scores = generator.normal(0, 1, (count, 3)) + 2 * np.eye(3)[truth]
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True), [CLASSES[one] for one in truth]


def predictions(seed: int = 1) -> pd.DataFrame:
    tables = [table_of(*noisy(200, seed), "validation"), table_of(*noisy(100, 9), "test")]
    return pd.concat(tables, ignore_index=True)


def test_the_temperature_is_that_of_the_evaluation() -> None:
    found = choose(predictions(), CLASSES, risk=0.05)
    assert found.temperature == calibrate(predictions(), CLASSES).temperature
    assert found.validation_pairs == 200
    assert found.thresholds is None


def test_what_is_answered_of_the_validation_pairs_keeps_the_risk_and_one_more_would_not() -> None:
    found = choose(predictions(), CLASSES, risk=0.05)
    table = predictions().query("subset == 'validation'")
    given = calibrated(table[[f"p_{name}" for name in CLASSES]].to_numpy(), found.temperature)
    decided = decide(given, found.threshold)
    wrong = np.array(table["label"]) != np.array(CLASSES)[decided.predicted]
    answered = ~decided.abstain
    assert wrong[answered].mean() <= 0.05
    assert 0.3 < answered.mean() == found.coverage < 1
    order = np.argsort(-decided.confidence)
    risks = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    assert np.flatnonzero(risks <= 0.05).max() + 1 == answered.sum()


def test_rounding_leaves_nothing_open_that_was_answered_and_answers_nothing_else() -> None:
    """The exported network computes in another order than the one that chose the threshold."""
    found = choose(predictions(), CLASSES, risk=0.05)
    table = predictions().query("subset == 'validation'")
    given = calibrated(table[[f"p_{name}" for name in CLASSES]].to_numpy(), found.temperature)
    confidence = decide(given, None).confidence
    assert found.threshold is not None
    above = confidence[confidence >= found.threshold]
    below = confidence[confidence < found.threshold]
    assert above.min() - found.threshold == pytest.approx(found.threshold - below.max())
    assert above.min() > found.threshold > below.max()


def test_a_small_temperature_makes_much_of_rounding_and_the_same_pairs_are_answered() -> None:
    """All are near a tie and most are right, so that T is small: 3e-7 become more than 1e-6."""
    first = np.linspace(0.51, 0.53, 40)
    given = np.stack([first, 0.99 - first, np.full(40, 0.01)], axis=1)
    found = choose(table_of(given, ["mri"] * 4 + ["ct"] * 36, "validation"), CLASSES, risk=0.05)
    assert found.temperature is not None
    assert found.temperature < 0.05
    for step in (-3e-7, 0, 3e-7):
        rounded = given + np.array([step, -step, 0])
        decided = decide(calibrated(rounded, found.temperature), found.threshold)
        assert (~decided.abstain).tolist() == [False] * 3 + [True] * 37


def test_where_all_are_answered_what_is_less_sure_than_any_of_them_by_far_is_not() -> None:
    """Half-way to the least confidence that three classes can have."""
    given = np.tile([0.8, 0.1, 0.1], (20, 1))
    found = choose(table_of(given, ["ct"] * 20, "validation"), CLASSES, risk=0.05)
    sure = calibrated(
        table_of(given, ["ct"] * 20, "validation")[["p_ct", "p_mri", "p_chart"]], found.temperature
    )
    assert found.coverage == 1.0
    assert found.threshold == pytest.approx((sure[0, 0] + 1 / 3) / 2)
    equal = np.full((20, 3), 1 / 3)
    found = choose(table_of(equal, ["ct"] * 20, "validation"), CLASSES, risk=0.05)
    assert (found.coverage, found.threshold) == (1.0, pytest.approx(1 / 3))


def test_where_no_confidence_keeps_the_risk_nothing_is_answered() -> None:
    wrong = np.tile([0.9, 0.05, 0.05], (20, 1)) + np.linspace(0, 0.01, 20)[:, None] * [1, -1, 0]
    found = choose(table_of(wrong, ["mri"] * 20, "validation"), CLASSES, risk=0.05)
    assert (found.threshold, found.coverage) == (None, 0.0)
    assert found.as_facts()["threshold"] is None


def test_test_pairs_decide_nothing() -> None:
    other = predictions().assign(
        label=lambda table: table["label"].where(table["subset"] == "validation", "chart")
    )
    assert choose(other, CLASSES, risk=0.05) == choose(predictions(), CLASSES, risk=0.05)


def test_without_validation_pairs_nothing_can_be_chosen() -> None:
    with pytest.raises(PairDxError, match="validation"):
        choose(predictions().query("subset == 'test'"), CLASSES, risk=0.05)


def test_of_several_labels_each_has_its_own_threshold_or_none() -> None:
    given = np.array([[0.9, 0.2, 0.4], [0.8, 0.6, 0.5], [0.2, 0.7, 0.6], [0.1, 0.1, 0.7]])
    pairs = pairs_of(["x"] * 4, "validation")
    pairs["findings"] = ["ct", "ct|mri", "mri", ""]
    table = several.predicted_rows(pairs, given, CLASSES, subset="validation")
    found = choose(table, CLASSES, risk=None)
    expected = {"ct": 0.5, "mri": 0.4, "chart": None}
    assert found == Choices(None, None, None, found.thresholds, 4)
    assert found.thresholds == pytest.approx(expected)
