"""The strength of regularisation: chosen on validation pairs, by the rule that is stated."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.linear import system as linear
from pairdx.models.registry import load_classifier
from pairdx.models.regression import fit_and_choose, strengths

CLASSES = ("chart", "endoscopy", "radiology")
STRENGTHS = [10.0, 0.001, 0.1, 1000.0]


def samples(count: int, seed: int, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Twenty numbers, of which three say something about the class, and labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    features = random.normal(0, noise, (count, 20))
    features[np.arange(count), labels] += 1
    return features, labels


def settings(values: Any) -> dict[str, Any]:
    return {"inverse_regularisation": values, "max_iterations": 500}


def test_the_choice_is_that_of_a_plain_loop_over_scikit_learn() -> None:
    train, validation = samples(60, 1), samples(300, 2)
    model, chosen = fit_and_choose(settings(STRENGTHS), train, validation, 3)
    accuracies = {
        one: LogisticRegression(C=one, max_iter=500).fit(*train).score(*validation)
        for one in STRENGTHS
    }
    best = max(accuracies, key=lambda one: accuracies[one])
    assert list(accuracies.values()).count(accuracies[best]) == 1
    assert best not in (min(STRENGTHS), max(STRENGTHS))  # it does matter here
    assert chosen["inverse_regularisation"] == model.C == best
    assert chosen["validation_accuracy"] == pytest.approx(accuracies[best])
    # Fitted on the training pairs alone: not again with the validation pairs.
    alone = LogisticRegression(C=best, max_iter=500).fit(*train)
    np.testing.assert_array_equal(model.coef_, alone.coef_)


def test_ties_go_to_the_lower_loss_and_then_to_the_stronger_regularisation() -> None:
    """What a straight line separates: accuracies are all 1, and only the loss tells them apart."""
    features = np.array([[-1.0], [1.0]] * 20)
    easy = features, np.array([0, 1] * 20)
    _, chosen = fit_and_choose(settings([0.01, 100.0]), easy, easy, 2)
    assert chosen["validation_accuracy"] == 1
    assert chosen["inverse_regularisation"] == 100.0
    nothing = np.zeros((40, 1)), easy[1]
    _, chosen = fit_and_choose(settings([5.0, 0.5]), nothing, nothing, 2)
    assert chosen["inverse_regularisation"] == 0.5


def test_a_single_value_is_used_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    assert strengths(settings(3)) == [3.0]
    assert strengths(settings(STRENGTHS)) == sorted(STRENGTHS)
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        model, chosen = fit_and_choose(settings(0.5), samples(60, 1), samples(60, 2), 3)
    assert model.C == chosen["inverse_regularisation"] == 0.5
    assert not caplog.records


@pytest.mark.parametrize(
    ("values", "said"), [([0.001, 0.002], "widen the list"), (0.1, "converge")]
)
def test_an_end_of_the_list_and_a_solver_that_stops_early_are_warned_of(
    caplog: pytest.LogCaptureFixture, values: Any, said: str
) -> None:
    few = settings(values) | ({"max_iterations": 1} if said == "converge" else {})
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        fit_and_choose(few, samples(200, 1, noise=0.3), samples(200, 2, noise=0.3), 3)
    assert [said in record.getMessage() for record in caplog.records] == [True]


def pairs_of(count: int, seed: int) -> Pairs:
    """Captions that name their class three times in five, among words of no class."""
    random = np.random.default_rng(seed)
    labels = np.array(CLASSES)[random.integers(0, 3, count)]
    named = np.where(random.random(count) < 0.6, labels, "figure")
    captions = [
        f"{word} word{random.integers(0, 80)} word{random.integers(0, 80)}" for word in named
    ]
    names = [f"p{seed}_{row}" for row in range(count)]
    table = pd.DataFrame({"pair_id": names, "case_id": names, "caption": captions, "label": labels})
    return Pairs(table, np.zeros((count, 0, 0, 3), dtype=np.uint8), CLASSES)


def test_the_words_baseline_keeps_its_choice_where_it_is_saved(tmp_path: Path) -> None:
    words = {"features": "words", "word_ngrams": [1, 2], "min_documents": 1}
    words |= {"sublinear_counts": True, **settings(STRENGTHS)}
    classifier = linear.build(words, CLASSES, {}, 1)
    validation = pairs_of(150, 2)
    row = linear.fit(classifier, pairs_of(120, 1), validation, FitJob(seed=1)).iloc[0]
    assert classifier.chosen["inverse_regularisation"] in STRENGTHS
    # training.csv states the loss and accuracy of the classifier that was chosen.
    assert row["validation_accuracy"] == pytest.approx(classifier.chosen["validation_accuracy"])
    assert row["validation_loss"] == pytest.approx(classifier.chosen["validation_loss"], rel=1e-4)
    classifier.save(tmp_path)
    assert (
        json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))["chosen"]
        == classifier.chosen
    )
    loaded = load_classifier(tmp_path, {})
    assert loaded.chosen == classifier.chosen  # type: ignore[attr-defined]
    np.testing.assert_array_equal(
        predict(loaded, validation, 50), predict(classifier, validation, 50)
    )
