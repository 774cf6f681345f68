"""Systems of one dataset asked about another's test pairs: numbers, tables and the figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from figure_checks import assert_whole
from pairdx.errors import PairDxError
from pairdx.evaluation.score_intervals import wilson
from pairdx.evaluation.seen import seen_in_training, shared_cases
from pairdx.evaluation.tested_on import (
    Chosen,
    chosen_at_home,
    compared,
    drop_of,
    variance_of_seeds,
)
from pairdx.evaluation.tested_on_classes import answers_by_class
from pairdx.models.base import Pairs
from pairdx.models.elsewhere import asked_elsewhere
from pairdx.reporting.systems import tested_on_notes as conditions
from pairdx.reporting.systems import tested_on_reading as reading
from pairdx.reporting.systems import tested_on_tables as tables
from pairdx.reporting.systems.tested_on_figure import home_and_there
from pairdx.tasks.single_label import rows as single_label
from pairdx.tasks.single_label.rows import Predictions

HOW = {"resamples": 200, "seed": 1}
RISK = 0.1
CLASSES = ("a", "b", "c")


def rows(labels: list[str], answers: list[str], subset: str, sure: float = 0.8) -> pd.DataFrame:
    """Predictions of pairs, a case each, of which every answer is as sure."""
    table = pd.DataFrame({"label": labels, "predicted": answers, "subset": subset})
    table["pair_id"] = [f"{subset}{at:03d}" for at in range(len(labels))]
    table["case_id"] = table["pair_id"]
    rest = (1 - sure) / (len(CLASSES) - 1)
    for name in CLASSES:
        table[f"p_{name}"] = np.where(table["predicted"] == name, sure, rest)
    return table


def at_home(seed: int = 1) -> pd.DataFrame:
    """Validation pairs all right; of the test pairs of a and b nine in ten, of c none."""
    labels = [*"abc" * 20]
    answers = [
        "a" if at % 10 == seed else "b" if one == "c" else one for at, one in enumerate(labels)
    ]
    return pd.concat(
        [rows(labels, labels, "validation", 0.7), rows(labels, answers, "test")], ignore_index=True
    )


def elsewhere() -> pd.DataFrame:
    """20 pairs of a, called a, b and c; 10 of b, all right; 10 of d, which nobody knows."""
    answers = [*"aaaaaaaaaabbbbbccccc", *"b" * 10, *"a" * 9, "c"]
    table = rows([*"a" * 20, *"b" * 10, *[""] * 10], answers, "test", 0.6)
    table.loc[table.index[-1], [f"p_{name}" for name in CLASSES]] = [0.05, 0.05, 0.9]
    return table.assign(label_there=[*"x" * 20, *"b" * 10, *"d" * 10])


MATCHED = {"a": "x", "b": "b"}


def chosen() -> list[Chosen]:
    return [chosen_at_home(at_home(), CLASSES, RISK)]


def test_both_accuracies_are_over_the_classes_of_both_and_all_else_is_counted() -> None:
    found = compared([at_home()], [elsewhere()], CLASSES, MATCHED, chosen(), **HOW)
    assert (found["home_pairs"], found["there_pairs"], found["unmatched_pairs"]) == (40, 30, 10)
    assert found["absent_pairs"] == 20
    assert (found["classes_matched"], found["classes_absent"]) == (2, 1)
    assert found["there_accuracy"] == pytest.approx(20 / 30)
    assert found["there_balanced_accuracy"] == pytest.approx((0.5 + 1) / 2)
    home = at_home().query("subset == 'test' and label != 'c'")
    assert found["home_accuracy"] == pytest.approx((home["label"] == home["predicted"]).mean())
    assert found["drop"] == pytest.approx(found["home_accuracy"] - found["there_accuracy"])
    assert found["drop_low"] < found["drop"] < found["drop_high"]
    assert found["absent_answers"] == pytest.approx(5 / 30)
    # All validation pairs are right with 0.7: that is the threshold, and one pair of d is above it.
    assert found["home_coverage"] == 1
    assert found["there_coverage"] == 0
    assert found["there_risk"] is None
    assert found["unmatched_answered"] == pytest.approx(0.1)
    assert found["there_ece_before"] == pytest.approx(20 / 30 - 0.6, abs=1e-6)
    assert found["there_ece_after"] > found["there_ece_before"]  # home taught it to be surer


def test_every_class_there_and_every_class_that_is_missing_there_has_a_row() -> None:
    found = answers_by_class([elsewhere()], CLASSES, ["d", "b", "x", "y"], MATCHED, chosen())
    names = [(row["class_there"], row["class_here"], row["pairs"]) for row in found]
    assert names == [
        ("d", None, 10),
        ("b", "b", 10),
        ("x", "a", 20),
        ("y", None, 0),
        (None, "c", 0),
    ]
    assert sum(row["pairs"] for row in found) == len(elsewhere())
    assert [row["share_right"] for row in found] == [None, 1.0, 0.5, None, None]
    assert (found[0]["most_frequent_answer"], found[0]["answer_share"]) == ("a", 0.9)
    assert found[0]["share_answered"] == pytest.approx(0.1)
    assert found[4]["share_named"] == pytest.approx(6 / 40)


def test_without_a_test_pair_of_both_there_is_no_number_and_no_failure() -> None:
    strangers = elsewhere().query("label == ''")
    found = compared([at_home()], [strangers], CLASSES, MATCHED, chosen(), **HOW)
    assert found["home_accuracy"] is not None
    numbers = ("there_accuracy", "drop", "there_ece_after", "there_coverage", "absent_answers")
    assert [found[name] for name in numbers] == [None] * len(numbers)
    assert found["home_balanced_accuracy"] is None


def test_the_drop_has_the_interval_of_two_independent_shares() -> None:
    home = {"value": 0.9, "low": 0.8, "high": 0.95}
    there = {"value": 0.7, "low": 0.6, "high": 0.8}
    assert drop_of(home, there) == pytest.approx((0.2, 0.2 - np.sqrt(0.02), 0.2 + np.sqrt(0.0125)))
    assert drop_of(home, there, 0.1, 2)[1:] == (-1.0, 1.0)
    # Newcombe 1998, Table II, method 10, first example: 56/70 and 48/80.
    shares, pairs = np.array([56 / 70, 48 / 80]), np.array([70.0, 80.0])
    lows, highs = wilson(shares, pairs, 0.95)
    sides = [
        {"value": one, "low": low, "high": high}
        for one, low, high in zip(shares, lows, highs, strict=True)
    ]
    assert drop_of(*sides) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def trainings(random: np.random.Generator, levels: np.ndarray, pairs: int) -> list[Predictions]:
    """Three trainings of these accuracies on the same independent pairs."""
    eases = random.random(pairs)
    found = []
    for level in levels:
        wrong = (eases > level).astype(np.int64)
        both = np.full((pairs, 2), 0.5)
        found.append(Predictions(np.zeros_like(wrong), wrong, both, np.arange(pairs), pairs))
    return found


def test_the_interval_of_the_drop_covers_further_trainings() -> None:
    random, seeds, covered, narrow = np.random.default_rng(1), 3, 0, 0
    repeats = 400
    for _ in range(repeats):
        levels = [level + 0.05 * random.standard_normal(seeds) for level in (0.85, 0.70)]
        home, there = (trainings(random, one, 300) for one in levels)
        sides = []
        for reads in (home, there):
            share = np.array(np.mean([read.correct for read in reads]))
            low, high = wilson(share, np.array(300.0), 0.95)
            sides.append({"value": float(share), "low": float(low), "high": float(high)})
        _, low, high = drop_of(*sides, variance_of_seeds(home, there), seeds)
        _, less, more = drop_of(*sides)
        covered += low <= 0.15 <= high
        narrow += less <= 0.15 <= more
    assert covered / repeats > 0.93
    assert narrow / repeats < 0.90  # test pairs alone are not enough


def test_copies_of_training_pairs_are_counted_once() -> None:
    def pairs(*facts: tuple[str, int, str]) -> pd.DataFrame:
        names = ("sha256", "perceptual_hash", "case_id")
        return pd.DataFrame(
            [(one, f"{bits:064x}", case) for one, bits, case in facts], columns=names
        )

    far = (1 << 200) - 1
    trained = pairs(("x", 0, "1"), ("y", far << 40, "2"))
    tested = pairs(
        ("x", 0, "9"),  # the same bytes, and so the same hash
        ("u", 7, "1"),  # nearly the same picture; the case has the same name
        ("v", 31 << 100, "8"),  # five bits off
        ("w", 31 << 100, "7"),  # a copy of the one before, and of no training pair
    )
    found = seen_in_training(trained, tested, bits=3, same_names=True)
    assert found == {"seen": 2, "same_case_names": 1}
    found = seen_in_training(trained, tested, bits=0, same_names=False)
    assert found == {"seen": 1, "same_case_names": None}
    assert shared_cases(trained, tested) == 1


def test_names_of_cases_mean_something_only_where_both_readers_give_them() -> None:
    """Those of a table without groups are made of paths."""
    table = pd.DataFrame({"subset": ["train", "test"], "case_id": ["1", "2"]})
    table[["pair_id", "sha256", "perceptual_hash"]] = ""
    subsets = {("home", "grouped"): table, ("ours", "published"): table}
    counts = []
    for readers in (("table", "table"), ("table", "release"), (None, None)):
        of = facts()
        for one, reader in zip(of["datasets"].values(), readers, strict=True):
            one["cases"] = reader
        shared = tables.shared_by_direction(of, subsets)["home", "ours", "grouped"]
        counts.append((shared["same_case_names"], shared["shared_cases"]))
    assert counts == [(0, 1), (None, None), (None, None)]


class Sees:
    """Calls an image by its first value: 0 is a, 1 is b, 2 is c."""

    def tokenise(self, captions: list[str]) -> list[str]:
        """As they are."""
        return captions

    def probabilities(self, images: np.ndarray, tokens: list[str]) -> np.ndarray:
        """0.8 for what it sees."""
        assert len(images) == len(tokens)
        return np.where(np.eye(3)[images[:, 0, 0, 0]] > 0, 0.8, 0.1).astype(np.float32)


def test_every_pair_is_asked_about_and_keeps_the_label_it_has_there() -> None:
    table = pd.DataFrame({"label": ["x", "d", "b", "y"], "caption": "words"})
    table["pair_id"] = table["case_id"] = [*"1234"]
    images = np.zeros((4, 2, 2, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = [0, 1, 2, 0]
    there = Pairs(table, images, ("b", "d", "x", "y"))
    found = asked_elsewhere(Sees(), there, CLASSES, MATCHED, single_label, 3)  # type: ignore[arg-type]
    assert list(found.columns[:6]) == [
        *("pair_id", "case_id", "subset", "label", "label_there", "predicted"),
    ]
    assert list(found["label_there"]) == ["x", "d", "b", "y"]
    assert list(found["label"]) == ["a", "", "b", ""]
    assert list(found["predicted"]) == ["a", "b", "c", "a"]
    nobody = Pairs(table.head(0), images[:0], there.classes)
    with pytest.raises(PairDxError, match="no test pairs to be asked about"):
        asked_elsewhere(Sees(), nobody, CLASSES, MATCHED, single_label, 3)  # type: ignore[arg-type]


# ---------------------------------------------------------------- tables and figure
def facts(other: str = "ours") -> dict[str, Any]:
    """What the plan says of two datasets."""
    named = {"a": "Ape | {x}", "b": "Bee 100 %", "c": "cat"}
    return {
        "datasets": {
            "home": {"title": "Home", "classes": named, "cases": "table", "bits": 3},
            other: {
                "title": "Ours & theirs <b>",
                "classes": {"x": "Ape", "b": "Bee", "d": "Dog"},
                "cases": "drawn",
                "bits": 3,
            },
        },
        "directions": [
            {
                "dataset": "home",
                "other": other,
                "matched": MATCHED,
                "left_out": {"words": "it reads captions, and there are none"},
                "splits": {"grouped": "published"},
            }
        ],
        "by_words": ["net"],
    }


REGISTRY = {
    name: {"title": title, "trained": trained, "random": trained, "stand_in": False}
    for name, title, trained in (
        ("net", "Net", True),
        ("zero", "Zero", False),
        ("words", "W", True),
    )
}


def asked(systems: int = 2) -> list[tables.Elsewhere]:
    names = ["net", "zero"][:systems]
    two_seeds = [at_home(1), at_home(2)], [elsewhere(), elsewhere()]
    one_seed = [at_home(3)], [elsewhere()]
    return [
        tables.Elsewhere("home", "ours", "grouped", name, *map(list, of))
        for name, of in zip(names, (two_seeds, one_seed), strict=False)
    ]


def test_tables_say_what_was_left_out_and_what_was_seen(tmp_path: Path) -> None:
    shared = {
        ("home", "ours", "grouped"): {"seen": 3, "same_case_names": 2, "shared_cases": 4},
    }
    at_home = tables.chosen_of(asked(), facts(), RISK)
    rows = tables.measured(asked(), at_home, facts(), **HOW)
    unknown = {"home": 0.0123, "ours": 0.25}
    table = tables.tested_on_table(rows, facts(), REGISTRY, shared, unknown)
    assert list(table["seeds"]) == [2, 1]
    assert table["seen"].iloc[0] == 3
    assert table["seen"].isna().tolist() == [False, True]  # nothing was trained
    assert table["shared_cases"].tolist() == [4, 4]
    assert table["there_unknown_words"].isna().tolist() == [False, True]  # it reads no words
    read = reading.tested_on_for_reading(table, facts(), REGISTRY)
    assert list(read.columns[:2]) == ["System", "Accuracy at home, % (interval)"]
    assert read["Drop, points (interval)"].str.contains(" to ").all()
    two_splits = pd.concat([table, table.assign(split="stratified")])
    read = reading.tested_on_for_reading(two_splits, facts(), REGISTRY)
    assert read["Split"].iloc[0] == "Grouped (there: published)"
    notes = "\n".join(conditions.tested_on_notes(table, facts(), REGISTRY, resamples=200))
    assert "2 classes are the same; by the configuration: Ape | {x} = Ape" in notes
    assert "only the other has Dog; only the first has cat" in notes
    assert "Splits: grouped (there: published)." in notes
    assert "Not asked about Ours & theirs <b>: W; of each: it reads captions" in notes
    assert "3 have an image that is" in notes
    assert "2 are of a case that is called like one" in notes
    assert "4 cases of these names have test pairs in both" in notes
    assert "20 test pairs at home of classes that are not there, and 10 there of classes" in notes
    assert "Without a vector are 1.2 % of the words in captions of Home" in notes
    confidence = tables.confidence_table(rows, RISK)
    assert len(reading.confidence_for_reading(confidence, facts(), REGISTRY).columns) == 8
    notes = "\n".join(conditions.confidence_notes(confidence, facts(), REGISTRY))
    assert "left at most 10 % of them wrong" in notes
    classes = tables.classes_table(asked(), at_home, facts())
    assert len(classes) == 2 * 4
    shown = reading.classes_for_reading(classes, facts(), REGISTRY)
    assert list(shown["Class there"][:4].fillna("")) == ["Ape", "Bee", "Dog", ""]
    assert shown["Class here"].iloc[3] == "Cat"  # as other tables head it
    assert shown["Most frequent answer"].iloc[0] == "Ape | {x}"
    assert conditions.classes_notes(facts(), REGISTRY, RISK)
    figure = home_and_there(
        table, {name: one["title"] for name, one in REGISTRY.items()}, facts()["datasets"]
    )
    assert_whole(figure, tmp_path)
