"""PairDxFusion with one branch: what it does not read it needs not, has not, and never notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

import tiny_models as tiny
from files_as_saved import torchvision_state
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.fusion import system as fusion
from pairdx.models.registry import load_classifier

TEST = tiny.make_pairs(12, seed=2)
JOB = FitJob(seed=1)


@pytest.fixture
def words(tmp_path) -> dict[str, Path]:
    """Word vectors and vocabulary of the training captions."""
    return tiny.write_word_vectors(tmp_path, tiny.make_pairs(24))


def build(branch: str, resources: dict[str, Path], **changes: Any) -> fusion.FusionClassifier:
    """A system with one branch."""
    settings = tiny.settings(tiny.FUSION, **{"branches": [branch], "fusion": None} | changes)
    return fusion.build(settings, tiny.CLASSES, resources, 1)


def fit(classifier: fusion.FusionClassifier, pairs: Pairs) -> fusion.FusionClassifier:
    fit_to(classifier, pairs)
    return classifier


def fit_to(classifier: fusion.FusionClassifier, pairs: Pairs) -> float:
    """Train, and return the validation loss."""
    rows = fusion.fit(classifier, pairs, tiny.make_pairs(12, seed=1), JOB)
    return float(rows["validation_loss"].iloc[-1])


def with_other_captions(pairs: Pairs) -> Pairs:
    """The same images, each with a caption of another class, one without a word."""
    captions = [*np.roll(pairs.captions, 1)[1:], "..."]
    return Pairs(pairs.table.assign(caption=captions), pairs.images, pairs.classes)


def with_other_images(pairs: Pairs) -> Pairs:
    """The same captions, each with an image of another class."""
    return Pairs(pairs.table, np.roll(pairs.images, 1, axis=0), pairs.classes)


OTHER = {"image": with_other_captions, "caption": with_other_images}


def test_an_image_only_system_needs_no_word_vectors(words):
    """Built from nothing, it has no part that reads words, and its text stage does nothing."""
    classifier = build("image", {})
    names = {name.split(".")[0] for name in classifier.network.state_dict()}
    assert names == {"images", "classify"}
    assert classifier.network.classify[0].in_features == 512
    assert classifier.tokenise(["axial ct"]) is None
    assert classifier.sources == {}
    both = fusion.build(tiny.FUSION, tiny.CLASSES, words, 1)
    assert classifier.parameters < both.parameters


def test_a_text_only_system_has_no_image_encoder(words):
    """Only what reads words, though the settings name an encoder; no weights file is asked for."""
    classifier = build("caption", words)
    names = {name.split(".")[0] for name in classifier.network.state_dict()}
    assert names == {"captions", "classify"}
    assert classifier.network.classify[0].in_features == tiny.FUSION["attention"]["dimension"]
    assert set(classifier.sources) == {"word_vectors"}
    assert classifier.tokenise(["axial ct"]).shape == (1, tiny.FUSION["tokens"])


def test_image_only_starts_from_imagenets_weights(tmp_path):
    """The file as torchvision's is arrives in its encoder, as in the whole system."""
    with torch.random.fork_rng():
        torch.manual_seed(42)
        original = torchvision_state(resnet18(weights=None))
    path = tmp_path / "resnet18.pth"
    torch.save(original, path)
    classifier = build("image", {"weights": path}, image_encoder="resnet18", weights="resnet18")
    loaded = classifier.network.images.state_dict()
    assert all(torch.equal(original[name], loaded[name]) for name in set(loaded) & set(original))
    assert set(original) - set(loaded) == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize("branch", ["image", "caption"])
def test_one_branch_learns_and_its_saved_model_predicts_the_same(tmp_path, words, branch):
    """Each side of the tiny task can be learned alone; the folder is all that loading needs."""
    # There are few words to see, and so they are learned fast and often.
    resources, more = {}, {"epochs": 4}
    if branch == "caption":
        resources, more = words, {"epochs": 10, "learning_rate": 0.03}
    classifier = build(branch, resources, **more)
    assert fit_to(classifier, tiny.make_pairs(36)) < tiny.LEARNED
    found = predict(classifier, TEST, 5)
    folder = tmp_path / "saved"
    folder.mkdir()
    classifier.save(folder)
    for path in words.values():
        path.unlink()
    loaded = load_classifier(folder, {})
    assert loaded.parameters == classifier.parameters
    np.testing.assert_array_equal(predict(loaded, TEST, 5), found)


@pytest.mark.parametrize("branch", ["image", "caption"])
def test_what_is_not_read_changes_no_prediction(words, branch):
    """Other captions do not move an image-only system, other images no text-only one."""
    classifier = fit(build(branch, words, epochs=2), tiny.make_pairs(24))
    other = "caption" if branch == "image" else "image"
    found = predict(classifier, TEST, 5)
    np.testing.assert_array_equal(predict(classifier, OTHER[branch](TEST), 5), found)
    # The change is one that a system would notice if it read it.
    reader = fit(build(other, words, epochs=2), tiny.make_pairs(24))
    changed = predict(reader, OTHER[branch](TEST), 5)
    assert np.abs(changed - predict(reader, TEST, 5)).max() > 0.01


@pytest.mark.parametrize("branch", ["image", "caption"])
def test_what_is_not_read_changes_no_trained_weight(words, branch):
    """Nor does it in training: the weights are the same bit for bit."""
    pairs = tiny.make_pairs(12)
    one, other = (
        fit(build(branch, words, epochs=1), given).network.state_dict()
        for given in (pairs, OTHER[branch](pairs))
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_only_a_system_that_reads_images_minds_their_size(words):
    """Text-only classifies pairs whatever size their images have; image-only refuses another."""
    large = tiny.make_pairs(4, size=48)
    text_only = fit(build("caption", words, epochs=1), tiny.make_pairs(12))
    assert text_only.image_size is None
    assert predict(text_only, large, 2).shape == (4, len(tiny.CLASSES))
    image_only = fit(build("image", {}, epochs=1), tiny.make_pairs(12))
    with pytest.raises(PairDxError, match="48 pixels wide, and the model reads 32"):
        predict(image_only, large, 2)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"fusion": "concatenation"}, "needs an image and a caption"),
        ({"branches": []}, "no branches"),
        ({"branches": ["image", "audio"]}, "no branches"),
    ],
)
def test_impossible_branches_are_refused(words, changes, named):
    """One branch has nothing to fuse with; none, or an unknown one, is no system."""
    with pytest.raises(PairDxError, match=named):
        build("image", words, **changes)


def test_a_text_only_system_needs_its_words():
    """Without word vectors it is refused by the file's name."""
    with pytest.raises(PairDxError, match="word_vectors"):
        build("caption", {})
