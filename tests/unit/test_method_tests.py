"""Tests of methods: cases and seeds together, and wrong as seldom as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.evaluation.comparisons import pairwise_tests
from pairdx.evaluation.method_tests import add_method_tests, method_difference, methods_of
from pairdx.reporting.systems.system_tests import sentence

PAIRS, CASES = 3400, 1700
CASE = np.repeat(np.arange(CASES), PAIRS // CASES)
SIZES = np.bincount(CASE).astype(float)
FIXED_TWO = {"better": 0.70, "worse": 0.64}


def two_methods(
    generator: np.random.Generator, *, spread: float, apart: float = 0.0, seeds: int = 3
) -> list[np.ndarray]:
    """What the trainings of two methods of 93 % classify rightly: float [S, N] each.

    The pairs of a case are equally difficult; nine in ten cases alike to all trainings.
    """
    difficulty, alike = generator.random(CASES), generator.random(CASES) < 0.9
    found = []
    for accuracy in (0.93, 0.93 - apart):
        own = np.where(alike, difficulty, generator.random((seeds, CASES)))
        accuracies = accuracy + spread * generator.standard_normal(seeds)
        found.append((own < accuracies[:, None])[:, CASE].astype(float))
    return found


def p_of(right: list[np.ndarray], number: int) -> float:
    methods = methods_of(right, [True, True], CASE, CASES, resamples=100, seed=number)
    p = method_difference(*methods, SIZES)[3]
    assert p is not None
    return p


@pytest.mark.slow
def test_equal_methods_are_called_different_as_seldom_as_stated() -> None:
    """A seed SD of 0.5 points: at most 8 % of 200 at 0.05, where first seeds alone give over 20.

    What is compared for these is the paired difference over its standard error over cases.
    """
    generator = np.random.default_rng(1)
    by_methods, by_first_seeds = [], []
    for number in range(200):
        right = two_methods(generator, spread=0.005)
        by_methods.append(p_of(right, number) < 0.05)
        of_case = np.bincount(CASE, weights=right[0][0] - right[1][0])
        error = np.sqrt(np.square(of_case - of_case.mean()).sum()) / PAIRS
        by_first_seeds.append(abs(of_case.sum() / PAIRS) > 1.96 * error)
    assert 0.01 <= np.mean(by_methods) <= 0.08
    assert np.mean(by_first_seeds) > 0.2


@pytest.mark.slow
def test_methods_that_differ_are_told_apart() -> None:
    """Three points, with three seeds of half a point each: in at least four of five."""
    generator = np.random.default_rng(2)
    found = [p_of(two_methods(generator, spread=0.005, apart=0.03), at) for at in range(80)]
    assert np.mean(np.array(found) < 0.05) >= 0.8


def test_the_variance_of_a_mean_over_seeds_is_that_of_the_trainings_alone() -> None:
    """Two cases of equal pairs: the draws of cases change nothing, and the spread is all."""
    levels = np.array([0.90, 0.94, 0.95])
    right = np.tile(np.arange(100) < 100 * levels[:, None], 2).astype(float)
    case = np.repeat([0, 1], 100)
    found, fixed = methods_of([right, right], [True, False], case, 2, resamples=50, seed=0)
    assert found.resampled == pytest.approx(np.full(50, levels.mean()))
    assert found.variance == pytest.approx(levels.var(ddof=1) / 3)
    assert fixed.variance == 0


def table_of(right: np.ndarray) -> pd.DataFrame:
    """Predictions that are right where ``right`` is 1; two pairs make a case."""
    number = np.arange(len(right))
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{one:05d}" for one in number],
            "case_id": [f"case_{one // 2:05d}" for one in number],
            "subset": "test",
            "label": "chart",
            "predicted": np.where(right > 0, "chart", "radiology"),
        }
    )


def test_one_seed_of_a_random_system_says_nothing_about_the_method() -> None:
    generator = np.random.default_rng(3)
    draws = [table_of(generator.random(200) < share) for share in (0.5, 0.8, 0.81, 0.82, 0.9)]
    seeds = {"fixed": draws[:1], "several": draws[1:4], "once": draws[4:]}
    first = {name: tables[0] for name, tables in seeds.items()}
    how = {"resamples": 100, "seed": 0}
    random = {"fixed": False, "several": True, "once": True}
    table = add_method_tests(pairwise_tests(first, **how), seeds, random, **how)
    table = table.set_index(["system_a", "system_b"])
    assert table["p_method"].notna().tolist() == [True, False, False]
    assert table[["seeds_a", "seeds_b"]].to_numpy().tolist() == [[1, 3], [1, 1], [3, 1]]
    row = table.loc[("fixed", "several")]
    means = [np.mean([(t["label"] == t["predicted"]).mean() for t in seeds[n]]) for n in seeds]
    assert row["method_difference"] == pytest.approx(means[0] - means[1])
    assert row["method_difference_high"] < 0
    # Those that could not be made are no tests to correct for.
    assert row["p_method_holm"] == row["p_method"]
    assert row["p_method_holm"] < 0.05


@pytest.mark.parametrize(("others", "shown"), [((0.86, 0.93, 0.99), True), ((), False)])
@pytest.mark.parametrize("count", [1, 2])
def test_two_fixed_systems_have_one_verdict_whatever_else_is_compared(
    others: tuple[float, ...], shown: bool, count: int
) -> None:
    """Beside three systems with randomness, which with one seed leave nine rows without a p.

    Far from the two, these are all found first, and p is left as it is; as good as one of the two,
    they multiply it by ten. Corrected for other rows, the methods would say the opposite.
    """
    generator = np.random.default_rng(2)
    systems = {name: table_of(generator.random(600) < at) for name, at in FIXED_TWO.items()}
    far = [table_of(generator.random(600) < share) for share in others]
    systems |= {f"r{at}": one for at, one in enumerate(far or [systems["better"]] * 3)}
    random = {name: name.startswith("r") for name in systems}
    seeds = {name: [one] * (count if random[name] else 1) for name, one in systems.items()}
    how = {"resamples": 1000, "seed": 0}
    table = add_method_tests(pairwise_tests(systems, **how), seeds, random, **how)
    assert table["p_method"].notna().sum() == (1 if count == 1 else 10)
    row = table.iloc[0]
    assert row["p_method"] == row["p_bootstrap"] < 0.05
    assert row["p_method_holm"] == row["p_bootstrap_holm"]
    assert (row["p_method_holm"] < 0.05) == shown
    registry = {name: {"title": name, "random": random[name]} for name in systems}
    said = sentence({"split": "grouped", **row.to_dict()}, registry)
    assert said.count("no difference") == (0 if shown else 2)


def test_without_randomness_the_method_is_the_classifier() -> None:
    generator = np.random.default_rng(4)
    systems = {name: table_of(generator.random(600) < 0.7) for name in "ab"}
    how = {"resamples": 2000, "seed": 0}
    seeds = {name: [table] for name, table in systems.items()}
    random = dict.fromkeys(systems, False)
    row = add_method_tests(pairwise_tests(systems, **how), seeds, random, **how).iloc[0]
    for end in ("", "_low", "_high"):
        assert row[f"method_difference{end}"] == row[f"difference{end}"]
    assert (row["p_method"], row["p_method_holm"]) == (row["p_bootstrap"], row["p_bootstrap_holm"])
    # And resampling says nearly the same as Student's t.
    right = [np.array([table["predicted"] == "chart"], dtype=float) for table in systems.values()]
    case = np.arange(600) // 2
    methods = methods_of(right, [False, False], case, 300, **how)
    found = method_difference(*methods, np.full(300, 2.0))
    names = ("difference", "difference_low", "difference_high")
    assert list(found[:3]) == pytest.approx([row[name] for name in names], abs=0.01)


def test_seeds_over_different_pairs_are_refused() -> None:
    table = table_of(np.ones(20))
    with pytest.raises(PairDxError, match="different pairs"):
        add_method_tests(
            pd.DataFrame(), {"a": [table, table.iloc[1:]]}, {"a": True}, resamples=5, seed=0
        )


def test_a_system_alone_has_no_other_to_be_tested_against() -> None:
    systems = {"a": table_of(np.ones(20))}
    how = {"resamples": 5, "seed": 0}
    tests = pairwise_tests(systems, **how)
    assert add_method_tests(tests, {"a": [systems["a"]]}, {"a": True}, **how).empty
