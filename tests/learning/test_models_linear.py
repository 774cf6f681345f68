"""The baselines without a network: what they learn, and that their files give the same numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.linear import system as linear
from pairdx.models.registry import load_classifier
from pairdx.training.history import COLUMNS

FEATURES = ["words", "mean_colour", "none"]
JOB = FitJob(seed=1)


def fitted(features: str, train: Pairs | None = None) -> linear.LinearClassifier:
    classifier = linear.build(tiny.settings(tiny.LINEAR, features=features), tiny.CLASSES, {}, 1)
    linear.fit(classifier, train or tiny.make_pairs(30), tiny.make_pairs(9, seed=1), JOB)
    return classifier


def without(pairs: Pairs, label: str) -> Pairs:
    """The pairs of the other classes, among the same classes."""
    rows = np.flatnonzero(pairs.table["label"] != label)
    return Pairs(pairs.table.iloc[rows].reset_index(drop=True), pairs.images[rows], pairs.classes)


@pytest.mark.parametrize("features", FEATURES)
def test_a_saved_model_predicts_the_same(tmp_path, features):
    """Coefficients as safetensors and words as JSON are all that a prediction needs."""
    classifier = fitted(features)
    classifier.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.safetensors",
        "settings.json",
    ]
    test = tiny.make_pairs(12, seed=2)
    loaded = load_classifier(tmp_path, {})
    np.testing.assert_array_equal(predict(loaded, test, 5), predict(classifier, test, 5))
    assert loaded.parameters == classifier.parameters > 0


@pytest.mark.parametrize("features", ["words", "mean_colour"])
def test_words_and_colours_are_learned(features):
    """The tiny task shows in either; each alone is enough."""
    test = tiny.make_pairs(12, seed=2)
    probabilities = predict(fitted(features), test, 4)
    assert probabilities.dtype == np.float32
    assert (probabilities.argmax(axis=1) == test.labels).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_words_do_not_look_at_images_and_colours_not_at_captions():
    """Each baseline reads what its name says, and nothing else."""
    test = tiny.make_pairs(6, seed=2)
    black = Pairs(test.table, np.zeros_like(test.images), test.classes)
    silent = Pairs(test.table.assign(caption=""), test.images, test.classes)
    words, colour = fitted("words"), fitted("mean_colour")
    np.testing.assert_array_equal(predict(words, test, 6), predict(words, black, 6))
    np.testing.assert_array_equal(predict(colour, test, 6), predict(colour, silent, 6))


def test_majority_gives_every_pair_the_shares_of_the_training_pairs():
    """Without features, the probabilities are class frequencies; the most frequent class wins."""
    train = without(tiny.make_pairs(30), "chart")
    uneven = Pairs(train.table.iloc[:15], train.images[:15], train.classes)
    probabilities = predict(fitted("none", uneven), tiny.make_pairs(4, seed=2), 4)
    np.testing.assert_allclose(probabilities, np.tile([8 / 15, 7 / 15, 0], (4, 1)), atol=1e-6)


def test_mean_colour_is_the_mean_of_red_green_and_blue():
    """Hand-computed: half red, half black."""
    image = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    image[0, 0, :, 0] = 255
    np.testing.assert_allclose(linear.mean_colours(image), [[0.5, 0, 0]])


@pytest.mark.parametrize("features", FEATURES)
def test_a_class_without_training_pairs_gets_probability_zero(tmp_path, features):
    """Its column stays, so that every model has the same columns; before and after saving."""
    classifier = fitted(features, without(tiny.make_pairs(30), "endoscopy"))
    classifier.save(tmp_path)
    for one in (classifier, linear.load(tmp_path, {})):
        probabilities = predict(one, tiny.make_pairs(6, seed=2), 6)
        assert (probabilities[:, 1] == 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_training_csv_has_one_row_with_log_losses_and_no_learning_rate():
    """The losses are the mean negative logarithm of the true class's probability."""
    classifier = linear.build(tiny.LINEAR, tiny.CLASSES, {}, 1)
    train, validation = tiny.make_pairs(30), tiny.make_pairs(9, seed=1)
    rows = linear.fit(classifier, train, validation, JOB)
    assert list(rows.columns) == COLUMNS
    assert rows["epoch"].tolist() == [1]
    assert rows["learning_rate"].isna().all()
    true = predict(classifier, validation, 9)[np.arange(9), validation.labels]
    assert rows["validation_loss"][0] == pytest.approx(-np.log(true).mean(), rel=1e-4)


def test_an_untrained_or_unknown_baseline_is_refused():
    """Predicting before training, features that do not exist, one class only: errors."""
    untrained = linear.build(tiny.LINEAR, tiny.CLASSES, {}, 1)
    with pytest.raises(PairDxError, match="not trained"):
        untrained.tokenise(["ct scan"])
    with pytest.raises(PairDxError, match="pixels"):
        linear.build(tiny.settings(tiny.LINEAR, features="pixels"), tiny.CLASSES, {}, 1)
    single = without(without(tiny.make_pairs(30), "chart"), "endoscopy")
    with pytest.raises(PairDxError, match="one class"):
        fitted("mean_colour", single)
    wordless = Pairs(single.table.assign(caption="!?"), single.images, single.classes)
    with pytest.raises(PairDxError, match="no words"):
        fitted("words", wordless)


def test_another_familys_folder_is_refused(tmp_path):
    """settings.json says which family a folder belongs to."""
    (tmp_path / "settings.json").write_text(json.dumps({"family": "fusion"}), encoding="utf-8")
    with pytest.raises(PairDxError, match="linear"):
        linear.load(tmp_path, {})
