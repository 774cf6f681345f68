"""Exported networks: the classifier's own probabilities, at any batch size, or a logged reason."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny_clip
import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models import exported as module
from pairdx.models import fusion
from pairdx.models.base import Classifier
from pairdx.models.exported import TOLERANCE, ExportedClassifier, export_classifier

PAIRS = tiny.make_pairs(5)


def fusion_system(folder: Path, **changes: Any) -> fusion.FusionClassifier:
    resources = tiny.write_word_vectors(folder, PAIRS)
    return fusion.build(tiny.settings(tiny.FUSION, **changes), tiny.CLASSES, resources, 1)


def export(classifier: Classifier, family: str, threads: int = 1) -> ExportedClassifier:
    exported = export_classifier(classifier, family, image_size=32, threads=threads)
    assert exported is not None
    return exported


def assert_same_probabilities(classifier: Classifier, exported: ExportedClassifier) -> None:
    """One image and more than the exporter saw give PyTorch's probabilities."""
    for count in (1, 5):
        images, captions = PAIRS.images[:count], PAIRS.captions[:count]
        tokens = exported.tokenise(captions)
        found = exported.probabilities(images, tokens)
        expected = classifier.probabilities(images, classifier.tokenise(captions))
        assert found.shape == (count, len(tiny.CLASSES))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)
    assert np.ptp(expected, axis=0).max() > 10 * TOLERANCE  # images are told apart at all


@pytest.fixture(scope="module")
def of_captions(tmp_path_factory: pytest.TempPathFactory) -> fusion.FusionClassifier:
    """A system of captions alone."""
    folder = tmp_path_factory.mktemp("captions")
    return fusion_system(folder, branches=["caption"], fusion=None, pooling="max")


@pytest.fixture(scope="module")
def exported_captions(of_captions: fusion.FusionClassifier) -> ExportedClassifier:
    """The same, exported for two threads."""
    return export(of_captions, "fusion", threads=2)


def test_fusion_of_captions_alone(
    of_captions: fusion.FusionClassifier, exported_captions: ExportedClassifier
) -> None:
    assert_same_probabilities(of_captions, exported_captions)


@pytest.mark.parametrize(
    "changes",
    [{}, {"branches": ["image"], "fusion": None, "attention": None, "channels_last": True}],
    ids=["both", "image"],
)
def test_fusion_with_both_branches_and_of_images_alone(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    classifier = fusion_system(tmp_path, **changes)
    assert_same_probabilities(classifier, export(classifier, "fusion"))


def test_threads_are_those_asked_for(exported_captions: ExportedClassifier) -> None:
    options = exported_captions._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)


def test_clip_with_the_features_of_its_classes() -> None:
    classifier = tiny_clip.build()
    assert_same_probabilities(classifier, export(classifier, "clip"))


def test_a_fixed_temperature_is_part_of_what_is_exported() -> None:
    """Of the very module that is exported, run by PyTorch."""
    classifier = tiny_clip.build(temperature=0.05)
    graph = module.GRAPHS["clip"](classifier).eval()
    with torch.no_grad():
        found = graph(torch.from_numpy(PAIRS.images)).numpy()
    expected = classifier.probabilities(PAIRS.images, None)
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)
    assert np.ptp(expected, axis=0).max() > 10 * TOLERANCE


def test_clip_with_an_image_encoder_of_timm(tmp_path: Path) -> None:
    classifier = tiny_clip.from_folder(tiny_clip.write_model_folder(tmp_path / "folder"))
    assert_same_probabilities(classifier, export(classifier, "clip"))


def test_a_failing_export_is_logged_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A layer that reads a number out of a tensor cannot be exported; PyTorch still runs it."""
    classifier = fusion_system(tmp_path, branches=["caption"], fusion=None)

    class Branching(type(classifier.network)):  # type: ignore[misc]
        def forward(self, images: Any, ids: Any) -> Any:
            scores = super().forward(images, ids)
            return scores if scores.sum().item() > 0 else scores * 2

    classifier.network.__class__ = Branching
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        assert export_classifier(classifier, "fusion", image_size=32, threads=1) is None
    assert "the export fails: " in caplog.text


def test_an_export_that_computes_something_else_is_not_timed(
    exported_captions: ExportedClassifier,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here the exporter hands out the network of a system that pools in another way."""
    classifier = fusion_system(tmp_path, branches=["caption"], fusion=None)
    monkeypatch.setattr(module, "_session", lambda *_: exported_captions._session)
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        assert export_classifier(classifier, "fusion", image_size=32, threads=1) is None
    assert "differ from PyTorch's" in caplog.text


def test_families_without_a_network_of_their_own_are_refused() -> None:
    with pytest.raises(PairDxError, match="no network to export"):
        export_classifier(tiny_clip.build(), "probe", image_size=32, threads=1)
