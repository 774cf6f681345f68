"""What is made of predictions of findings: scores, ensembles, curves, tests between systems."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from finding_samples import CLASSES, findings_table, random_findings
from pairdx.errors import PairDxError
from pairdx.evaluation.agreement import training_of
from pairdx.evaluation.contributions import contributed
from pairdx.evaluation.findings import (
    COLUMNS,
    SCORES,
    by_prompts,
    ensemble,
    finding_scores,
    of_findings,
    roc_points,
)
from pairdx.evaluation.findings_calibration import finding_calibration
from pairdx.evaluation.findings_tests import Measured, _method, compare, findings_tests
from pairdx.evaluation.intervals import bootstrap_ratios
from pairdx.evaluation.method_tests import method_difference, methods_of
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.scores import read_seeds, worth_of_shares
from pairdx.evaluation.seeds import metrics_over_seeds
from pairdx.tasks.multi_label.rows import read_predictions
from pairdx.tasks.multi_label.task import TASK

HOW = {"resamples": 100, "seed": 0}


@cache
def training(noise: int, sharpness: float) -> pd.DataFrame:
    """Predictions of one training, about the same pairs as those of all others."""
    return random_findings(0, noise=noise, sharpness=sharpness)


def seeds_of(count: int, *, sharpness: float = 1.0, first: int = 0) -> list[pd.DataFrame]:
    """Predictions of several trainings."""
    return [training(first + one, sharpness) for one in range(1, count + 1)]


def lacks(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The same predictions where no test pair has a finding."""
    test = table["subset"] == "test"
    without = table["findings"].str.replace(rf"{name}\??\|?", "", regex=True).str.strip("|")
    return table.assign(findings=table["findings"].where(~test, without))


# ---------------------------------------------------------------- the table per finding
def test_the_table_of_one_seed_is_what_metrics_json_says() -> None:
    table = random_findings(0)
    found = finding_scores(TASK, [table], CLASSES, **HOW).set_index("finding")
    expected = evaluate(TASK, table, CLASSES, **HOW)
    for at, name in enumerate(CLASSES):
        for score in SCORES:
            for end in ("", "_low", "_high"):
                of_json = expected["per_class"][name][score + end]
                assert found.loc[name, score + end] == of_json
        for count in ("positives", "negatives", "unknown", "validation_positives"):
            assert found.loc[name, count] == expected[count][at]
        assert found.loc[name, "threshold"] == expected["thresholds"][at]
    for score in SCORES[:4]:
        of_json = expected[f"macro_{score}"]
        ends = [found.loc["macro", score + end] for end in ("", "_low", "_high")]
        assert ends == [of_json["value"], of_json["low"], of_json["high"]]
    assert found[[f"{score}_sd" for score in SCORES]].isna().all(axis=None)


def test_the_table_of_several_seeds_has_their_means_and_spread() -> None:
    tables = seeds_of(3)
    found = finding_scores(TASK, tables, CLASSES, **HOW)
    assert list(found) == list(COLUMNS)
    assert found["finding"].tolist() == [*CLASSES, "macro"]
    assert (found["seeds"] == 3).all()
    of_seeds = [evaluate(TASK, one, CLASSES, resamples=0, seed=0) for one in tables]
    each = [one["per_class"]["edema"]["mcc"] for one in of_seeds]
    assert found["mcc"][0] == pytest.approx(np.mean(each))
    assert found["mcc_sd"][0] == pytest.approx(np.std(each, ddof=1))
    over_seeds = metrics_over_seeds(TASK, tables, CLASSES, **HOW)["macro_auroc"]
    last = found.iloc[-1]
    named = {"mean": "auroc", "standard_deviation": "auroc_sd"}
    named |= {end: f"auroc_{end}" for end in ("low", "high")}
    for theirs, ours in named.items():
        assert last[ours] == pytest.approx(over_seeds[theirs])


def test_a_finding_that_no_pair_has_is_empty_and_leaves_the_averages() -> None:
    found = finding_scores(TASK, [lacks(random_findings(0), "edema")], CLASSES, **HOW)
    edema, others, macro = found.iloc[0], found.iloc[1:3], found.iloc[3]
    empty = ["auroc", "average_precision", "f1", "mcc", "sensitivity", "precision"]
    assert edema[empty].isna().all()
    assert edema["specificity"] >= 0  # which needs no positives
    assert (edema["positives"], edema["counts"], macro["counts"]) == (0, 0, 2)
    for name in SCORES[:4]:
        assert macro[name] == pytest.approx(others[name].mean())
    assert macro["positives"] == others["positives"].sum()


def test_a_finding_without_a_threshold_keeps_its_ranking() -> None:
    table = random_findings(0)
    validation = table["subset"] == "validation"
    without = table["findings"].str.replace(r"edema\??\|?", "", regex=True).str.strip("|")
    table["findings"] = table["findings"].where(~validation, without)
    found = finding_scores(TASK, [table], CLASSES, **HOW)
    assert found["decided"].tolist() == [0, 1, 1, 2]
    assert found["counts"].tolist() == [1, 1, 1, 3]
    assert found.loc[0, ["threshold", "f1", "mcc"]].isna().all()
    assert found["auroc"].notna().all()
    assert found["f1"][3] == pytest.approx(found["f1"][1:3].mean())


# ---------------------------------------------------------------- other tables
def test_some_findings_of_a_table_are_scored_as_among_all() -> None:
    table, chosen = random_findings(0), ["fracture", "edema"]
    few = of_findings(table, CLASSES, chosen)
    alone, among = evaluate(TASK, few, chosen, **HOW), evaluate(TASK, table, CLASSES, **HOW)
    assert alone["per_class"] == {name: among["per_class"][name] for name in chosen}


def test_an_ensemble_is_the_mean_of_the_probabilities_and_chooses_its_own_thresholds() -> None:
    tables = seeds_of(3)
    shuffled = [tables[0], tables[1].sample(frac=1, random_state=0), tables[2]]
    found = read_predictions(ensemble(shuffled, CLASSES), CLASSES)
    each = [read_predictions(one, CLASSES) for one in tables]
    mean = np.mean([one.probabilities for one in each], axis=0)
    np.testing.assert_allclose(found.probabilities, mean, rtol=1e-12)
    np.testing.assert_array_equal(found.truth, each[0].truth)
    assert not np.isnan(found.thresholds).any()
    alone = ensemble(tables[:1], CLASSES)
    np.testing.assert_array_equal(read_predictions(alone, CLASSES).thresholds, each[0].thresholds)
    with pytest.raises(PairDxError, match="seeds are over different pairs"):
        ensemble([tables[0], tables[1].iloc[1:]], CLASSES)


def test_roc_curves_are_scikit_learns_of_the_known_pairs() -> None:
    tables = [lacks(one, "fracture") for one in seeds_of(2)]
    tables[1] = tables[1].assign(p_edema=np.round(4 * tables[1]["p_edema"]) / 4)
    points = roc_points(tables, CLASSES)
    assert set(points["finding"]) == {"edema", "effusion"}
    for (finding, seed), curve in points.groupby(["finding", "seed"]):
        read, at = read_predictions(tables[seed], CLASSES), CLASSES.index(finding)
        known = ~np.isnan(read.truth[:, at])
        truth, scores = read.truth[known, at], read.probabilities[known, at]
        fpr, tpr, _ = sk.roc_curve(truth, scores, drop_intermediate=False)
        np.testing.assert_allclose(np.interp(fpr, curve["fpr"], curve["fpr"]), fpr)
        area = sk.roc_auc_score(truth, scores)
        assert sk.auc(curve["fpr"], curve["tpr"]) == pytest.approx(area)
        corners = set(zip(curve["fpr"].round(9), curve["tpr"].round(9), strict=True))
        assert corners <= set(zip(fpr.round(9), tpr.round(9), strict=True))
        assert len(corners) == len(curve)
        assert curve[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]


def test_without_a_finding_that_counts_there_is_no_curve() -> None:
    table = findings_table([("", 0.5, 0.5)] * 3, "test")
    assert roc_points([table], CLASSES[:2]).empty
    found = finding_scores(TASK, [table], CLASSES[:2], **HOW)
    assert found.iloc[-1][["auroc", "auroc_low", "f1", "mcc", "mcc_low"]].isna().all()


def test_calibration_of_a_finding_by_hand() -> None:
    """Four known pairs in two bins: 0.2 where none is true, 0.8 where one of two is."""
    rows = [("", 0.2, 0.5), ("", 0.2, 0.5), ("edema", 0.8, 0.5), ("", 0.8, 0.5)]
    table = findings_table([*rows, ("edema?|effusion?", 0.9, 0.9)], "test")
    found = finding_calibration([table, table], CLASSES[:2]).set_index("finding").loc["edema"]
    assert found["pairs"] == 4
    expected = {"ece": (0.2 + 0.3) / 2, "brier": (3 * 0.04 + 0.64) / 4}
    expected |= {"base_rate": 1 / 4, "mean_probability": 0.5}
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=1e-6)


def test_prompts_are_compared_with_the_systems_own() -> None:
    by_set = {"own": 0.0, "same": 0.0, "vague": 3.0}
    tables = [
        pd.concat(
            [
                random_findings(0, noise=seed, sharpness=1 if spoilt == 0 else 0).assign(
                    prompts=name
                )
                for name, spoilt in by_set.items()
            ]
        ).query("subset == 'test'")
        for seed in (1, 2)
    ]
    found = by_prompts(tables, CLASSES, own="own", **HOW).set_index("prompts")
    assert found.index.tolist() == list(by_set)
    assert found.loc["own", ["difference", "difference_low"]].isna().all()
    assert found.loc["same", "difference"] == 0
    assert found.loc["same", "difference_low"] < 0 < found.loc["same", "difference_high"]
    vague = found.loc["vague"]
    gap = vague["macro_auroc"] - found.loc["own", "macro_auroc"]
    assert vague["difference"] == pytest.approx(gap)
    assert vague["difference_high"] < 0


# ---------------------------------------------------------------- tests between systems
def test_a_better_system_is_told_from_a_worse_one_and_the_order_turns_the_sign() -> None:
    sharp, dull = seeds_of(3, sharpness=2.0), seeds_of(3, sharpness=0.5, first=10)
    found = compare(sharp, dull, CLASSES, metric="macro_auroc", **HOW)
    turned = compare(dull, sharp, CLASSES, metric="macro_auroc", **HOW)
    means = [
        metrics_over_seeds(TASK, side, CLASSES, resamples=0, seed=0)["macro_auroc"]["mean"]
        for side in (sharp, dull)
    ]
    assert found.value == pytest.approx(means[0] - means[1])
    assert found.low is not None
    assert found.high is not None
    assert found.p is not None
    assert 0 < found.low < found.value < found.high
    assert found.p < 0.01
    assert found.of_methods
    assert (turned.value, turned.low) == pytest.approx((-found.value, -found.high))
    assert turned.p == pytest.approx(found.p)


def test_a_system_against_itself_differs_by_nothing_with_an_interval() -> None:
    tables = seeds_of(2)
    found = compare(tables, tables, CLASSES, metric="macro_mcc", **HOW)
    assert (found.value, found.p) == (0, 1)
    assert found.low is not None
    assert found.low < 0


def test_one_training_speaks_of_the_network_and_not_of_the_method() -> None:
    one, two = seeds_of(1), seeds_of(2, first=10)
    once = compare(one, two, CLASSES, metric="macro_auroc", **HOW)
    assert not once.of_methods
    assert once.low is not None
    untuned = compare(one, two, CLASSES, metric="macro_auroc", random=(False, True), **HOW)
    assert untuned.of_methods


def test_the_variance_between_trainings_is_that_of_shares_where_a_metric_is_one() -> None:
    """The same number from resamples as from pairs, for what is a mean over pairs."""
    generator = np.random.default_rng(0)
    right = (generator.random((3, 900)) < np.array([[0.5], [0.7], [0.8]])).astype(float)
    case = np.repeat(np.arange(300), 3)
    sums = np.zeros((300, 3))
    np.add.at(sums, case, right.T)
    drawn = bootstrap_ratios(sums, np.full((300, 1), 3.0), resamples=4000, seed=1)
    found = _method(Measured(right.mean(axis=1), drawn.T), True, 300)
    expected = training_of(right, case, 300).own / 3
    assert found.variance == pytest.approx(expected, rel=0.05)
    assert _method(Measured(right.mean(axis=1), drawn.T), False, 300).variance == 0


def test_the_tests_agree_with_those_of_grids_about_areas() -> None:
    """There every pair contributes by its placement; here the area is computed in each resample."""
    how = {"subsets": {"test": 400}, "patients": 300}
    sides = [
        [random_findings(0, noise=one, sharpness=at, **how) for one, at in enumerate(side)]
        for side in ((1.0, 1.2, 1.3), (0.9, 0.8, 0.9))
    ]
    reads = [read_seeds(TASK, side, CLASSES) for side in sides]
    placed = [np.array([contributed(one, "macro_auroc") for one in side]) for side in reads]
    one = reads[0][0]
    linear = methods_of(placed, [True, True], one.case, one.cases, resamples=500, seed=0)
    sizes = np.bincount(one.case).astype(float)
    (declared,) = (metric for metric in TASK.metrics if metric.name == "macro_auroc")
    assert declared.shares is not None
    worth = worth_of_shares(declared.shares(one), one)
    expected = method_difference(*linear, sizes, worth=worth)
    found = compare(*sides, CLASSES, metric="macro_auroc", resamples=500, seed=0)
    assert (found.value, found.low, found.high) == pytest.approx(expected[:3], abs=0.003)


def test_trainings_that_differ_widen_the_interval() -> None:
    base = seeds_of(1)[0]
    apart = [base, random_findings(0, noise=7, sharpness=4.0)]
    other = seeds_of(2, first=20)
    how = {"metric": "macro_auroc", **HOW}
    fixed = compare(apart, other, CLASSES, random=(False, False), **how)
    found = compare(apart, other, CLASSES, **how)
    assert found.value == fixed.value
    assert None not in (found.low, fixed.low)
    assert found.low < fixed.low  # type: ignore[operator]


def test_one_patient_and_no_resample_give_a_difference_without_an_interval() -> None:
    tables = [random_findings(0, patients=1, noise=one) for one in (1, 2)]
    found = compare(tables[:1], tables[1:], CLASSES, metric="macro_auroc", **HOW)
    assert found.value is not None
    assert (found.low, found.high, found.p, found.patients) == (None, None, None, 1)
    none = compare(
        seeds_of(2), seeds_of(2, first=5), CLASSES, metric="macro_f1", resamples=0, seed=0
    )
    assert none.value is not None
    assert none.low is None


def test_resamples_without_any_positive_are_left_out() -> None:
    """Two of five patients are positive: some draws have none, and say nothing."""
    rows = [("edema", 0.9, 0.5), ("edema", 0.4, 0.5), *[("", 0.5, 0.5)] * 3]
    table = findings_table(rows, "test")
    worse = table.assign(p_edema=1 - table["p_edema"])
    found = compare([table], [worse], CLASSES[:2], metric="macro_auroc", **HOW)
    assert found.value == 0
    assert found.low is not None
    assert found.low < 0 < -found.low < 1.01


def test_a_metric_that_neither_has_is_no_difference() -> None:
    table = findings_table([("", 0.5, 0.5)] * 3, "test")
    found = compare([table], [table], CLASSES[:2], metric="macro_auroc", **HOW)
    assert (found.value, found.low, found.p) == (None, None, None)


def test_all_systems_are_compared_by_every_metric_and_corrected_within_it() -> None:
    systems = {
        "sharp": seeds_of(2, sharpness=2.0),
        "untuned": seeds_of(1, sharpness=0.2, first=10),
        "once": seeds_of(1, first=20),
    }
    random = {"sharp": True, "untuned": False, "once": True}
    metrics = ["macro_auroc", "macro_mcc"]
    table = findings_tests(systems, CLASSES, metrics=metrics, random=random, **HOW)
    assert len(table) == 6
    assert table["metric"].tolist() == ["macro_auroc"] * 3 + ["macro_mcc"] * 3
    row = table.iloc[0]
    assert (row["system_a"], row["system_b"]) == ("sharp", "untuned")
    assert (row["findings"], row["pairs"], row["seeds_a"]) == (3, 70, 2)
    one = compare(
        systems["sharp"],
        systems["untuned"],
        CLASSES,
        metric="macro_auroc",
        random=(True, False),
        **HOW,
    )
    assert row["difference"] == one.value == pytest.approx(row["value_a"] - row["value_b"])
    assert (row["method_difference_low"], row["p_method"]) == (one.low, one.p)
    # A system with randomness that was trained once says nothing about its method.
    assert table["p_method"].notna().tolist() == [True, False, False] * 2
    assert (table["p_holm"] >= table["p"]).all()
    smallest = table.iloc[:3].nsmallest(1, "p").iloc[0]
    assert smallest["p_holm"] == pytest.approx(min(1, 3 * smallest["p"]))
    assert table.loc[0, "p_method_holm"] == table.loc[0, "p_method"]


def undecided(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The same predictions with one probability of a finding for all validation pairs."""
    validation = table["subset"] == "validation"
    return table.assign(**{f"p_{name}": table[f"p_{name}"].mask(validation, 0.5)})


def test_systems_are_compared_over_the_findings_that_all_have_thresholds_for() -> None:
    """One seed of one system has none for edema: both are then scored without it."""
    first, second = seeds_of(2), seeds_of(2, first=10)
    systems = {"a": [first[0], undecided(first[1], "edema")], "b": second}
    how: dict[str, Any] = {"metrics": ["macro_auroc", "macro_f1", "macro_mcc"], **HOW}
    how["random"] = {"a": True, "b": True}
    table = findings_tests(systems, CLASSES, **how).set_index("metric")
    assert table["findings"].tolist() == [3, 3, 3]
    assert table["decided"].tolist() == [2, 2, 2]
    without = {
        name: [of_findings(one, CLASSES, CLASSES[1:]) for one in (first, second)[at]]
        for at, name in enumerate(systems)
    }
    alone = findings_tests(without, CLASSES[1:], **how).set_index("metric")
    same = ["value_a", "value_b", "difference", "difference_low", "difference_high"]
    for metric in ("macro_f1", "macro_mcc"):
        assert table.loc[metric, same].tolist() == pytest.approx(alone.loc[metric, same].tolist())
    assert table.loc["macro_auroc", "value_b"] != alone.loc["macro_auroc", "value_b"]
    found = compare(systems["b"], systems["a"], CLASSES, metric="macro_f1", **HOW)
    assert found.value == pytest.approx(-alone.loc["macro_f1", "difference"])


def test_seeds_are_averaged_over_the_findings_that_all_have_thresholds_for() -> None:
    tables = [training(1, 1.0), undecided(training(2, 1.0), "edema")]
    found = finding_scores(TASK, tables, CLASSES, **HOW)
    assert found["decided"].tolist() == [0, 1, 1, 2]
    means = metrics_over_seeds(TASK, tables, CLASSES, **HOW)
    for name in ("f1", "mcc"):
        assert found[name][3] == pytest.approx(found[name][1:3].mean())
        assert found[f"{name}_sd"][3] == pytest.approx(means[f"macro_{name}"]["standard_deviation"])
        assert found[name][3] == pytest.approx(means[f"macro_{name}"]["mean"])


def test_one_system_has_nobody_to_be_compared_with() -> None:
    alone = {"alone": seeds_of(1)}
    table = findings_tests(alone, CLASSES, metrics=["macro_auroc"], random={"alone": True}, **HOW)
    assert table.empty
    assert table["p_holm"].dtype == np.float64


def test_systems_over_different_pairs_are_refused() -> None:
    table = random_findings(0)
    with pytest.raises(PairDxError, match="different pairs"):
        compare([table], [table.iloc[1:]], CLASSES, metric="macro_auroc", **HOW)


@pytest.mark.slow
def test_equal_systems_are_called_different_as_seldom_as_stated() -> None:
    """Of 200 couples of equally good systems with two seeds each, at most 8 % at 0.05."""
    found = []
    for number in range(200):
        tables = [
            random_findings(number, noise=one, patients=60, subsets={"test": 80})
            for one in (1, 2, 3, 4)
        ]
        how = {"metric": "macro_auroc", "resamples": 100, "seed": number}
        found.append(compare(tables[:2], tables[2:], CLASSES, **how).p)
    assert np.mean(np.array(found, dtype=float) < 0.05) <= 0.08
