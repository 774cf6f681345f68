"""Scores are what probabilities are the softmax of, in every family; how sure a system is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.answers import AnsweringClassifier, Answers, ask
from pairdx.models.base import Classifier, FitJob, Pairs, predict
from pairdx.models.features import write_features
from pairdx.models.frozen_encoder import extract_features, load_encoder
from pairdx.models.fusion import system as fusion
from pairdx.models.linear import system as linear
from pairdx.models.linear_probe import system as probe
from pairdx.models.scoring import known_and_out_of_distribution, sureness
from pairdx.packed_images import open_packed
from pairdx.packing import pack_images
from tiny_clip import build

TRAIN, VALIDATION = tiny.make_pairs(30), tiny.make_pairs(9, seed=1)
TEST = tiny.make_pairs(12, seed=2)
JOB = FitJob(seed=1)
NETWORKS = ["clip", "fusion"]
REGRESSIONS = ["words", "mean_colour", "probe"]


def of_classes(*labels: str) -> Pairs:
    rows = np.flatnonzero(TRAIN.table["label"].isin(labels))
    table = TRAIN.table.iloc[rows].reset_index(drop=True)
    return Pairs(table, TRAIN.images[rows], tiny.CLASSES)


def of_row(pairs: Pairs, row: int) -> Pairs:
    table = pairs.table.iloc[[row]].reset_index(drop=True)
    return Pairs(table, pairs.images[[row]], tiny.CLASSES)


@pytest.fixture
def made(tmp_path):
    """Make a system by its name; regressions are trained on the given pairs."""

    def make(name: str, train: Pairs = TRAIN) -> Classifier:
        if name == "clip":
            return build(seed=3)
        if name == "fusion":
            resources = tiny.write_word_vectors(tmp_path, TRAIN)
            return fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
        if name == "probe":
            return _probe(tmp_path / "features.safetensors", train)
        settings = tiny.settings(tiny.LINEAR, features=name)
        classifier = linear.build(settings, tiny.CLASSES, {}, 1)
        linear.fit(classifier, train, VALIDATION, JOB)
        return classifier

    return make


def _probe(path, train: Pairs) -> Classifier:
    encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
    ids = [*train.table["pair_id"], *VALIDATION.table["pair_id"]]
    images = np.concatenate([train.images, VALIDATION.images])
    captions = [*train.captions, *VALIDATION.captions]
    options = {"batch_size": 16, "device": "cpu", "threads": 1}
    write_features(path, extract_features(encoder, ids, images, captions, **options))
    settings = tiny.settings(tiny.PROBE, inputs=["image", "caption"])
    classifier = probe.build(settings, tiny.CLASSES, {"features": path}, 1)
    probe.fit(classifier, train, VALIDATION, JOB)
    return classifier


def both(classifier: Classifier) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(classifier, AnsweringClassifier)
    tokens = classifier.tokenise(TEST.captions)
    found = classifier.answers(TEST.images, tokens)
    assert found.scores is not None
    assert found.scores.dtype == np.float32
    np.testing.assert_array_equal(
        found.probabilities, classifier.probabilities(TEST.images, tokens)
    )
    return found.scores, found.probabilities


def asked(classifier: Classifier, batch_size: int = 5) -> Answers:
    return ask(classifier, TEST.images, TEST.captions, len(tiny.CLASSES), batch_size)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_networks_probabilities_are_the_softmax_of_its_scores_bit_for_bit(made, name):
    scores, probabilities = both(made(name))
    np.testing.assert_array_equal(torch.from_numpy(scores).softmax(dim=1).numpy(), probabilities)


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("labels", [tiny.CLASSES, ("radiology", "chart")])
def test_a_regressions_probabilities_are_the_softmax_of_its_scores(made, name, labels):
    """With two classes, scikit-learn has one decision value; the third has probability 0."""
    scores, probabilities = both(made(name, of_classes(*labels)))
    np.testing.assert_allclose(softmax(scores, axis=1), probabilities, atol=1e-6)
    assert np.isneginf(scores[:, 1]).all() == (len(labels) == 2)


@pytest.mark.parametrize("name", [*NETWORKS, *REGRESSIONS])
def test_sureness_is_the_highest_probability_and_minus_the_log_of_the_sum(made, name):
    """Whatever the batches; by the definition, in double precision."""
    classifier = made(name)
    scores, probabilities = both(classifier)
    found = sureness(asked(classifier))
    np.testing.assert_allclose(found.max_probability, probabilities.max(axis=1), atol=1e-5)
    expected = -np.log(np.exp(scores.astype(np.float64)).sum(axis=1))
    np.testing.assert_allclose(found.energy, expected, atol=1e-4)
    np.testing.assert_array_equal(found.predicted, tiny.decided(probabilities))


def test_a_class_without_training_pairs_leaves_the_energy_finite(made):
    found = sureness(asked(made("words", of_classes("radiology", "chart"))))
    assert np.isfinite(found.energy).all()


def test_shares_of_classes_have_no_scores_and_so_no_energy(made):
    found = sureness(asked(made("none")))
    assert np.isnan(found.energy).all()
    np.testing.assert_allclose(found.max_probability, 1 / 3, atol=1e-6)


class WithoutScores:
    """A family that offers no scores at all."""

    parameters = 0

    def tokenise(self, captions):
        """Read no caption."""

    def probabilities(self, images, tokens):  # noqa: ARG002
        """Be sure of the second class."""
        return np.tile(np.float32([0.25, 0.5, 0.25]), (len(images), 1))

    def save(self, folder):
        """Keep nothing."""


@pytest.mark.parametrize("name", [*NETWORKS, *REGRESSIONS, "none"])
@pytest.mark.parametrize("size", [1, 5, 50])
def test_what_is_asked_for_at_once_is_what_predict_returns(made, name, size):
    """Bit for bit, in the same batches."""
    classifier = made(name)
    np.testing.assert_array_equal(
        asked(classifier, size).probabilities, predict(classifier, TEST, size)
    )


def test_features_of_images_are_kept_where_they_are_wanted_and_there_are_any(made):
    images, captions = TEST.images, TEST.captions
    clip = ask(made("clip"), images, captions, 3, 5, features=True).image_features
    np.testing.assert_allclose(np.linalg.norm(clip, axis=1), np.ones(12), atol=1e-6)
    assert asked(made("clip")).image_features is None
    assert ask(made("fusion"), images, captions, 3, 5, features=True).image_features is None


def test_a_family_can_do_without_scores():
    found = sureness(asked(WithoutScores()))
    assert np.isnan(found.energy).all()
    assert found.max_probability.tolist() == [0.5] * 12
    assert found.predicted.tolist() == [1] * 12


def test_images_that_are_not_those_of_the_pairs_are_refused(made):
    with pytest.raises(PairDxError, match="11 images are packed for 12 pairs"):
        ask(made("clip"), TEST.images[:11], TEST.captions, 3, 5)


def test_no_pairs_out_of_distribution_are_packed_and_scored_as_none(made, tmp_path):
    """A corpus without such a class: an empty array, read back as a memory map."""
    none = TEST.table.iloc[:0].assign(archive="", member="", image_edit="")
    pack_images(none, {"PMC1": tmp_path / "absent.zip"}, tmp_path / "images.npy", size=32)
    images = open_packed(tmp_path / "images.npy").of_pairs([])
    assert images.shape == (0, 32, 32, 3)
    classifier = made("clip")
    known, outside = (TEST.table, asked(classifier)), (none, ask(classifier, images, [], 3, 5))
    table = known_and_out_of_distribution(known, known, outside, tiny.CLASSES)
    assert len(table) == 0
    assert {"pair_id", "case_id", "subset", "predicted", "max_probability", "energy"} < set(table)


def test_pairs_out_of_distribution_stand_below_the_test_pairs_each_with_its_own_image(made):
    """A class outside the system's own is no obstacle; rows are those of one pair asked alone."""
    classifier = made("fusion")
    outside = TRAIN.table.iloc[:4].assign(label="pathology")
    validation = of_row(TRAIN, 7)

    def answered(table, images):
        return table, ask(classifier, images, table["caption"].tolist(), 3, 5)

    table = known_and_out_of_distribution(
        answered(validation.table, validation.images),
        answered(TEST.table, TEST.images),
        answered(outside, TRAIN.images[:4]),
        tiny.CLASSES,
    )
    assert table["subset"].tolist() == ["validation"] + ["test"] * 12 + ["out_of_distribution"] * 4
    assert table["pair_id"][0] == validation.table["pair_id"].iloc[0]
    table = table.iloc[1:].reset_index(drop=True)
    assert table["pair_id"].tolist() == [*TEST.table["pair_id"], *outside["pair_id"]]
    assert set(table["label"][12:]) == {"pathology"}
    assert set(table["predicted"]) <= set(tiny.CLASSES)
    for row, pairs in ((5, of_row(TEST, 5)), (14, of_row(TRAIN, 2))):
        alone = sureness(ask(classifier, pairs.images, pairs.captions, 3, 1))
        assert table["energy"][row] == pytest.approx(alone.energy[0], abs=1e-5)
