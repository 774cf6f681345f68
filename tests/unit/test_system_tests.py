"""Tests between systems and the split's effect: worked by hand, and right about clustered cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataset_samples import FACTS
from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.evaluation.comparisons import (
    TEST_COLUMNS,
    bootstrap_p,
    mcnemar_p,
    pairwise_tests,
    resamples_for,
)
from pairdx.evaluation.holm import holm
from pairdx.evaluation.intervals import case_weights
from pairdx.evaluation.method_tests import add_method_tests
from pairdx.evaluation.split_effect import effect_of_the_split
from pairdx.reporting.systems.split_effect import effect_for_reading, effect_notes
from pairdx.reporting.systems.system_tests import (
    p_value,
    pairwise_for_reading,
    pairwise_notes,
    points,
    sentence,
)
from reporting_samples import REGISTRY


def predictions(right: np.ndarray, case: np.ndarray | None = None, first: int = 0) -> pd.DataFrame:
    """Predictions on len(right) pairs, right where ``right`` is true; by default a case each."""
    number = np.arange(len(right)) + first
    cases = number if case is None else case
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{one:05d}" for one in number],
            "case_id": [f"case_{one:05d}" for one in cases],
            "subset": "test",
            "label": "chart",
            "predicted": np.where(right, "chart", "radiology"),
        }
    )


def discordant(both: int, only_a: int, only_b: int, neither: int) -> dict[str, pd.DataFrame]:
    """Two systems with these numbers of pairs that both, one or none classifies rightly."""
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    return {"biomedclip": predictions(a), "fusion": predictions(b)}


def test_holm_of_an_example_worked_by_hand() -> None:
    """Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, raised to 0.06."""
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])


def test_holm_never_leaves_its_bounds_and_leaves_a_single_test_alone() -> None:
    np.testing.assert_allclose(holm(np.array([0.2])), [0.2])
    np.testing.assert_allclose(holm(np.array([0.9, 0.6])), [1.0, 1.0])
    assert len(holm(np.empty(0))) == 0
    random = np.random.default_rng(0).random(40)
    corrected = holm(random)
    assert (corrected >= random).all()
    assert (np.diff(corrected[np.argsort(random)]) >= 0).all()
    assert np.isnan(holm(np.full(3, np.nan))).all()
    np.testing.assert_allclose(holm(np.array([0.02, np.nan, 0.01])), [0.02, np.nan, 0.02])


def test_mcnemar_of_an_example_worked_by_hand() -> None:
    """One against nine: 2 (C(10,0) + C(10,1)) / 2^10 = 22 / 1024, whichever system comes first."""
    assert mcnemar_p(1, 9) == pytest.approx(22 / 1024)
    assert mcnemar_p(9, 1) == pytest.approx(22 / 1024)
    assert mcnemar_p(5, 5) == mcnemar_p(0, 0) == 1.0
    assert mcnemar_p(0, 1) == 1.0  # a single pair shows nothing


def test_bootstrap_p_counts_the_rarer_side_and_is_never_zero() -> None:
    assert bootstrap_p(np.repeat([0.1, -0.1], [97, 2])) == pytest.approx(2 * 3 / 100)
    assert bootstrap_p(np.full(99, 0.1)) == pytest.approx(2 / 100)
    assert bootstrap_p(np.zeros(99)) == 1.0


def test_two_systems_are_compared_pair_by_pair() -> None:
    table = pairwise_tests(discordant(60, 9, 1, 30), resamples=2000, seed=0)
    assert tuple(table.columns) == TEST_COLUMNS
    row = table.iloc[0]
    assert (row["accuracy_a"], row["accuracy_b"]) == (0.69, 0.61)
    assert row["difference"] == pytest.approx(0.08)
    assert (row["only_a_right"], row["only_b_right"]) == (9, 1)
    assert row["p_mcnemar"] == row["p_mcnemar_holm"] == pytest.approx(22 / 1024)
    # Of independent pairs: standard error sqrt(10/100 - 0.08^2) / sqrt(100) = 0.0306.
    assert row["difference_low"] == pytest.approx(0.08 - 1.96 * 0.0306, abs=0.012)
    assert row["difference_high"] == pytest.approx(0.08 + 1.96 * 0.0306, abs=0.012)
    assert 0.001 < row["p_bootstrap"] < 0.03


def test_differences_are_resampled_pair_by_pair_and_not_apart() -> None:
    """The resampled difference is that of a plain loop over the drawn cases."""
    generator = np.random.default_rng(1)
    case = generator.integers(0, 25, 80)
    right = [generator.random(80) < share for share in (0.6, 0.7, 0.8)]
    systems = {str(place): predictions(one, case) for place, one in enumerate(right)}
    table = pairwise_tests(systems, resamples=50, seed=3)
    resamples = resamples_for(3, 50)
    cases = len(set(case))
    draws = np.concatenate(list(case_weights(cases + 2, resamples=resamples, seed=3)))
    index = pd.factorize(case, sort=True)[0]
    sizes = np.bincount(index)
    common = (sizes**2).sum() / sizes.sum()
    for _, row in table.iterrows():
        a, b = right[int(row["system_a"])], right[int(row["system_b"])]
        means = [
            # The two cases that are added, one for either side.
            np.average(
                [*(a * 1.0 - b), 1, -1],
                weights=[*drawn[index], *(common * drawn[cases:])],
            )
            for drawn in draws
        ]
        assert row[["difference_low", "difference_high"]].tolist() == pytest.approx(
            np.quantile(means, [0.025, 0.975])
        )
        assert row["p_bootstrap"] == pytest.approx(bootstrap_p(np.round(means, 12)))


def test_identical_systems_do_not_differ() -> None:
    """Nor is it certain that none of other pairs would differ: a few of 40 may."""
    row = with_methods(discordant(30, 0, 0, 10)).iloc[0]
    assert row["difference"] == 0
    assert -0.15 < row["difference_low"] < 0 < row["difference_high"] < 0.15
    assert row[["p_bootstrap_holm", "p_mcnemar_holm", "p_method_holm"]].tolist() == [1, 1, 1]
    assert "classify equally many test pairs rightly" in words(row)


def test_five_pairs_for_one_side_are_five_tosses_of_a_coin() -> None:
    """McNemar's p is 2 / 2^5 = 0.06; a bootstrap of these pairs alone would say 0.01."""
    row = pairwise_tests(discordant(395, 5, 0, 0), resamples=2000, seed=0).iloc[0]
    assert row["p_mcnemar"] == pytest.approx(0.0625)
    assert 0.04 < row["p_bootstrap"] < 0.12
    assert row["difference_low"] <= 0


def test_the_bootstrap_knows_of_cases_and_mcnemar_does_not() -> None:
    """Each of 12 cases counted ten times over: McNemar's p falls, the bootstrap's stays."""
    right = np.repeat([True, False], [9, 3])
    cases = np.arange(12)
    once = pairwise_tests(
        {"a": predictions(right, cases), "b": predictions(~right, cases)}, resamples=500, seed=0
    ).iloc[0]
    ten = pairwise_tests(
        {
            "a": predictions(np.tile(right, 10), np.tile(cases, 10)),
            "b": predictions(~np.tile(right, 10), np.tile(cases, 10)),
        },
        resamples=500,
        seed=0,
    ).iloc[0]
    assert ten["p_bootstrap"] == pytest.approx(once["p_bootstrap"], abs=0.02)
    assert once["p_mcnemar"] > 0.1
    assert ten["p_mcnemar"] < 1e-6


@pytest.mark.slow
def test_true_hypotheses_are_rejected_as_often_as_stated() -> None:
    """Two systems equally good, correlated within cases of three: 5 % of 300 tests, give or take.

    The band is 0.05 plus or minus three standard errors of a share of 300, rounded outwards, with
    a percentile bootstrap of 60 cases allowed a little more: 0.01 to 0.11.
    """
    generator = np.random.default_rng(5)
    case = np.repeat(np.arange(60), 3)
    rejected = []
    for _ in range(300):
        of_case = generator.random((2, 60)).repeat(3, axis=1)
        right = generator.random((2, 180)) < 0.4 + 0.5 * of_case
        systems = {name: predictions(one, case) for name, one in zip("ab", right, strict=True)}
        rejected.append(pairwise_tests(systems, resamples=200, seed=0)["p_bootstrap"][0] < 0.05)
    assert 0.01 <= np.mean(rejected) <= 0.11


def test_every_two_systems_once_and_corrected_p_can_become_small() -> None:
    """With 16 systems, a thousand resamples could never show a difference after correction."""
    generator = np.random.default_rng(0)
    systems = {f"m{place:02d}": predictions(generator.random(150) < 0.5) for place in range(15)}
    systems["best"] = predictions(np.ones(150, dtype=bool))
    table = pairwise_tests(systems, resamples=1000, seed=0)
    assert len(table) == len(set(zip(table["system_a"], table["system_b"], strict=True))) == 120
    with_best = table["system_b"] == "best"
    assert (table.loc[with_best, "p_bootstrap_holm"] < 0.05).all()
    assert (table.loc[~with_best, "p_bootstrap_holm"] >= 0.05).all()


def test_a_single_case_has_counts_but_no_interval() -> None:
    systems = {
        name: predictions(np.array(right), np.zeros(3, dtype=int))
        for name, right in (("biomedclip", [True, False, False]), ("fusion", [True, True, False]))
    }
    row = with_methods(systems).iloc[0]
    assert row["only_b_right"] == 1
    empty = ["difference_low", "difference_high", "p_bootstrap", "p_bootstrap_holm"]
    assert row[empty].isna().all()
    assert "no interval" in words(row)
    assert words(row).endswith("Of the methods nothing can be said: a single case.")


def test_one_system_alone_gives_an_empty_table_that_says_so() -> None:
    table = with_methods({"fusion": predictions(np.array([True, False]))})
    table.insert(0, "split", "stratified")
    assert table.empty
    assert list(pairwise_for_reading(table, REGISTRY))[:3] == ["Split", "System A", "System B"]
    notes = pairwise_notes(table, REGISTRY, seed_of_training=1, several_seeds=False)
    assert notes == ["There is one system only, and so nothing to compare."]


def test_systems_on_different_pairs_are_refused() -> None:
    right = np.ones(9, dtype=bool)
    systems = {"a": predictions(right), "b": predictions(right, first=1)}
    with pytest.raises(PairDxError, match="different systems are over different pairs"):
        pairwise_tests(systems, resamples=9, seed=0)
    nameless = predictions(right).assign(case_id=None)
    with pytest.raises(PairDxError, match="no case_id"):
        pairwise_tests({"a": nameless, "b": nameless}, resamples=9, seed=0)


def with_methods(systems: dict[str, pd.DataFrame], resamples: int = 100) -> pd.DataFrame:
    """The tests of classifiers and of methods; the predictions are those of the only seed."""
    how = {"resamples": resamples, "seed": 0}
    seeds = {name: [table] for name, table in systems.items()}
    random = dict.fromkeys(systems, False)
    return add_method_tests(pairwise_tests(systems, **how), seeds, random, **how)


def words(row: pd.Series, random: bool = False) -> str:
    """The sentences on a row of ``biomedclip`` against ``fusion``."""
    registry = {name: entry | {"random": False} for name, entry in REGISTRY.items()}
    registry["fusion"]["random"] = random
    return sentence({"split": "grouped", **row.to_dict()}, registry)


def test_the_better_system_is_the_sentences_subject_whichever_comes_first() -> None:
    row = with_methods(discordant(60, 1, 20, 19), 500).iloc[0]
    said = words(row, random=True)
    assert said.startswith("Grouped split: PairDxFusion classifies 19.0 points (95 % interval 1")
    assert "more test pairs rightly than BiomedCLIP, zero-shot; after Holm's correction" in said
    assert "(McNemar): a difference between these two trained classifiers is shown." in said
    assert said.endswith("Of the methods nothing can be said: one seed of PairDxFusion.")
    assert "The methods, PairDxFusion and BiomedCLIP, zero-shot, 1 and 1 seeds: 19.0 (1" in words(
        row
    )
    weak = with_methods(discordant(60, 4, 3, 33), 500).iloc[0]
    assert "no difference between these two trained classifiers is shown." in words(weak)
    assert "points apart, p = " in words(weak)
    assert words(weak).endswith(": no difference is shown.")


def test_numbers_are_written_for_reading() -> None:
    assert points(-0.042, -0.075, 0.01) == "-4.2 (-7.5 to 1.0)"
    assert points(0.1, None, None) == "10.0"
    assert [p_value(one) for one in (0.0004, 0.0123, 1.0, None)] == [
        "< 0.001",
        "0.012",
        "1.000",
        None,
    ]


def test_notes_name_the_conditions_and_every_pair_of_systems() -> None:
    systems = discordant(20, 5, 1, 4) | {"words": predictions(np.ones(30, dtype=bool))}
    table = with_methods(systems)
    table.insert(0, "split", "grouped")
    registry = {name: entry | {"random": True} for name, entry in REGISTRY.items()}
    notes = pairwise_notes(table, registry, seed_of_training=7, several_seeds=True)
    text = "\n".join(notes)
    assert "Grouped 30 of 30 cases (600 bootstrap resamples)" in text
    assert "are those of seed 7" in text
    assert sum("split: " in note for note in notes) == len(table) == 3
    assert "Two seeds" not in text
    two = pairwise_notes(table.assign(seeds_b=2), registry, seed_of_training=7, several_seeds=True)
    assert "wrong somewhat more often than stated" in "\n".join(two)
    one_seed = pairwise_notes(table, registry, seed_of_training=7, several_seeds=False)
    assert "seed 7" not in "\n".join(one_seed)


def test_the_splits_effect_is_the_difference_of_the_comparisons_accuracies() -> None:
    generator = np.random.default_rng(2)
    stratified = {
        "fusion": [predictions(generator.random(200) < 0.8) for _ in range(2)],
        "words": [predictions(generator.random(200) < 0.5)],
    }
    grouped = {
        "fusion": [predictions(generator.random(150) < 0.6, first=1000) for _ in range(2)],
        "words": [predictions(generator.random(150) < 0.5, first=1000)],
    }
    table = effect_of_the_split(stratified, grouped, resamples=2000, seed=0).set_index("system")
    for system, seeds in (("fusion", 2), ("words", 1)):
        row = table.loc[system]
        of_split = [
            accuracy_over_seeds(side[system], resamples=2000, seed=0)
            for side in (stratified, grouped)
        ]
        assert row["seeds"] == seeds
        assert row["difference"] == pytest.approx(of_split[0]["value"] - of_split[1]["value"])
        # Test sets without a common case are independent: half-widths add up in squares.
        widths = [one["high"] - one["low"] for one in of_split]
        width = row["difference_high"] - row["difference_low"]
        assert width == pytest.approx(np.hypot(*widths), rel=0.08)
    assert table.loc["fusion", "difference_low"] > 0
    assert table.loc["words", "difference_low"] < 0 < table.loc["words", "difference_high"]
    assert (table["shared_pairs"] == 0).all()


def test_pairs_in_both_test_sets_are_not_taken_for_independent() -> None:
    """The same test set twice: no difference, and no uncertainty about it."""
    same = {"fusion": [predictions(np.arange(60) % 3 > 0)]}
    row = effect_of_the_split(same, same, resamples=100, seed=0).iloc[0]
    assert row[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert row["shared_pairs"] == 60


def test_splits_over_different_systems_are_refused() -> None:
    one = [predictions(np.ones(4, dtype=bool))]
    with pytest.raises(PairDxError, match="same systems"):
        effect_of_the_split({"a": one}, {"b": one}, resamples=9, seed=0)


def test_the_splits_effect_says_which_systems_cannot_profit() -> None:
    registry = {name: {"trained": False, **entry} for name, entry in REGISTRY.items()}
    sides = [
        {name: [predictions(np.arange(40) % step > 0)] for name in ("biomedclip", "fusion")}
        for step in (4, 2)
    ]
    table = effect_of_the_split(*sides, resamples=50, seed=0)
    shown = effect_for_reading(table, registry)
    assert shown["Trained"].tolist() == ["no", "yes"]
    assert shown.iloc[0, -1].startswith("25.0 (")
    notes = "\n".join(effect_notes(table, registry, FACTS, resamples=50))
    assert "40 stratified, 40 grouped, 40 of them in both" in notes
    assert "choice of test pairs alone does (BiomedCLIP, zero-shot)" in notes
