"""Mean gains over test sets and backbones, and what pairs contribute to areas under ROC curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pairdx.evaluation.contributions import ranked_contributions
from pairdx.evaluation.few_seeds import p_of, reach_of
from pairdx.evaluation.intervals import bootstrap_mean, case_weights
from pairdx.evaluation.mean_gains import BASELINE, MEAN, ONE_SEED, Compared, mean_rows
from pairdx.evaluation.method_tests import Method
from pairdx.tasks.ranking import area_under_roc, weigh_by_score


def scored(pairs: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Truth and scores of three findings, of which the last is absent; some are not known."""
    random = np.random.default_rng(seed)
    truth = (random.random((pairs, 3)) < [0.3, 0.1, 0.0]).astype(float)
    scores = np.round(truth + random.normal(size=(pairs, 3)), 1)  # with ties
    truth[random.random((pairs, 3)) < 0.1] = np.nan
    return truth, scores


def test_the_mean_of_contributions_is_the_area_under_the_roc_curve() -> None:
    truth, scores = scored(400, 3)
    known = [~np.isnan(truth[:, at]) for at in (0, 1)]
    areas = [roc_auc_score(truth[one, at], scores[one, at]) for at, one in enumerate(known)]
    assert ranked_contributions(truth, scores).mean() == pytest.approx(np.mean(areas), abs=1e-12)


def test_contributions_spread_over_cases_as_the_area_does_over_resamples() -> None:
    truth, scores = scored(600, 5)
    case = np.arange(600) // 2
    drawn = bootstrap_mean(ranked_contributions(truth, scores), case, 300, resamples=400, seed=1)
    (weights,) = case_weights(300, resamples=400, seed=1, rows_at_once=400)
    areas = np.zeros(400)
    for at in (0, 1):
        ok = ~np.isnan(truth[:, at])
        weighed = weigh_by_score(scores[ok, at], truth[ok, at], weights[:, case[ok]])
        areas += area_under_roc(*weighed) / 2
    assert drawn.std() == pytest.approx(areas.std(), rel=0.05)
    assert np.corrcoef(drawn, areas)[0, 1] > 0.98


def test_nothing_is_contributed_to_an_area_that_no_class_has() -> None:
    assert np.isnan(ranked_contributions(np.zeros((4, 2)), np.ones((4, 2)))).all()


def compared(
    row: str, dataset: str, column: str, seeds: list[float], *, variance: float = 0.0
) -> Compared:
    """A way whose resamples are its value and a little more or less."""
    mean, known = float(np.mean(seeds)), len(seeds) > 1 or column == "untuned"
    resampled = mean + (np.array([-0.01, 0.01, 0.0, 0.0]) if column != "untuned" else np.zeros(4))
    method = Method(mean, len(seeds), resampled, variance, known)
    return Compared(row, dataset, "s", column, f"{row}_{column}", np.array(seeds), method, 100, 100)


TWO_SETS = [
    compared("clip", "a/b", "untuned", [0.60]),
    compared("clip", "a/b", "both", [0.70, 0.72], variance=0.0001),
    compared("clip", "a/c", "untuned", [0.50]),
    compared("clip", "a/c", "both", [0.52, 0.54], variance=0.0004),
]


def test_a_gain_is_the_mean_over_test_sets_with_the_variances_of_both() -> None:
    base, both = mean_rows(TWO_SETS, "untuned")
    assert (base["dataset"], base["verdict"], base["mean"]) == ("a/(mean)", BASELINE, 0.55)
    assert (both["row"], both["cases"], both["seeds"]) == ("clip", 200, 2)
    assert both["mean"] == pytest.approx(0.62)
    assert both["difference"] == pytest.approx(0.07)
    assert both["standard_deviation"] == pytest.approx(np.std([0.61, 0.63], ddof=1))
    drawn = np.var([-0.01, 0.01, 0.0, 0.0], ddof=1) * 100 / 99
    by_cases = 2 * (drawn / 4 + 2 * (0.5 / 100) ** 2)
    trainings = [(((0.01 + 0.02) / 2) ** 2, 1)]
    reach = reach_of(by_cases, trainings, 0.95)
    assert both["difference_high"] - both["difference"] == pytest.approx(reach)
    assert both["p"] == pytest.approx(p_of(both["difference"], by_cases, trainings))


def test_the_mean_of_all_counts_every_backbone_alike_however_many_test_sets_it_has() -> None:
    other = [compared("vit", "a/b", "untuned", [0.4]), compared("vit", "a/b", "both", [0.6, 0.6])]
    found = mean_rows([*TWO_SETS, *other], "untuned")
    overall = next(one for one in found if (one["row"], one["column"]) == (MEAN, "both"))
    assert overall["difference"] == pytest.approx((0.07 + 0.2) / 2)
    assert overall["cases"] == 200  # the test set that both share counts once
    assert overall.get("standard_deviation") is None


def test_one_training_alone_has_a_gain_and_no_verdict_about_the_method() -> None:
    once = [TWO_SETS[0], compared("clip", "a/b", "both", [0.7])]
    (_, both) = mean_rows(once, "untuned")
    assert both["difference"] == pytest.approx(0.1)
    assert both["verdict"] == ONE_SEED
    assert "p" not in both


def test_a_way_without_a_baseline_anywhere_has_no_mean() -> None:
    assert mean_rows([TWO_SETS[1]], "untuned") == []


def test_what_is_trained_on_different_data_has_means_of_its_own() -> None:
    others = [replace(one, dataset=one.dataset.replace("a/", "b/")) for one in TWO_SETS]
    found = mean_rows([*TWO_SETS, *others], "untuned")
    assert [one["dataset"] for one in found] == ["a/(mean)"] * 2 + ["b/(mean)"] * 2
    assert {one["cases"] for one in found} == {200}
