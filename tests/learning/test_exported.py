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
from pairdx.models.base import Classifier
from pairdx.models.exported import (
    TIE,
    TOLERANCE,
    ExportedClassifier,
    difference,
    export_classifier,
)
from pairdx.models.fusion import system as fusion

PAIRS = tiny.make_pairs(5)
ON_PAIRS = {"images": PAIRS.images, "captions": PAIRS.captions, "threads": 1}


def fusion_system(folder: Path, **changes: Any) -> fusion.FusionClassifier:
    resources = tiny.write_word_vectors(folder, PAIRS)
    return fusion.build(tiny.settings(tiny.FUSION, **changes), tiny.CLASSES, resources, 1)


def export(classifier: Classifier, family: str, threads: int = 1) -> ExportedClassifier:
    exported = export_classifier(classifier, family, **ON_PAIRS | {"threads": threads})
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
    graph = module.graph("clip", classifier)
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
        assert export_classifier(classifier, "fusion", **ON_PAIRS) is None
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
        assert export_classifier(classifier, "fusion", **ON_PAIRS) is None
    assert "differ from PyTorch's" in caplog.text


def test_the_pairs_decide_whether_an_export_is_right(
    of_captions: fusion.FusionClassifier,
    exported_captions: ExportedClassifier,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network that is wrong about one word is found by the last of many pairs, which has it."""

    class WrongAboutOneWord:
        def __init__(self, word: int) -> None:
            self.word = word

        def get_inputs(self) -> Any:
            return exported_captions._session.get_inputs()

        def run(self, names: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
            (found,) = exported_captions._session.run(names, given)
            has = (given["ids"] == self.word).any(axis=1)
            return [np.where(has[:, None], found[:, ::-1], found)]

    word = of_captions.vocabulary.index("polyp") + 2
    monkeypatch.setattr(module, "_session", lambda *_: WrongAboutOneWord(word))
    captions = ["axial ct", "curve"] * 20
    images = np.zeros((len(captions), 32, 32, 3), dtype=np.uint8)
    with caplog.at_level(logging.INFO, logger="pairdx"):
        right = export_classifier(
            of_captions, "fusion", images=images, captions=captions, threads=1
        )
        assert right is not None
        assert "all 40 pairs the classes" in caplog.text
        captions[-1] = "polyp"
        wrong = export_classifier(
            of_captions, "fusion", images=images, captions=captions, threads=1
        )
    assert wrong is None


def problem(expected: np.ndarray, found: np.ndarray) -> str:
    """What is said where every decision that is no tie must be the same."""
    return difference(expected, found).problem(least_agreement=1.0)


def test_other_decisions_are_a_problem_however_near_the_probabilities_are() -> None:
    """Except where the classifier itself is undecided."""
    expected = np.array([[0.50002, 0.49998, 0.0], [0.2, 0.3, 0.5]], dtype=np.float32)
    assert problem(expected, expected) == ""
    other = expected.copy()
    other[0] = [0.49998, 0.50002, 0.0]
    assert np.abs(other - expected).max() < TOLERANCE
    assert problem(expected, other) == "it decides 50.000% of what is no tie otherwise than PyTorch"
    assert difference(expected, other).problem(least_agreement=0.5) == ""
    tied = expected.copy()
    tied[0] = [0.5 + TIE / 4, 0.5 - TIE / 4, 0.0]
    turned = np.where(tied == tied[0, 0], tied[0, 1], tied)
    assert problem(tied, turned) == ""
    assert (difference(tied, turned).ties, difference(tied, turned).agreement) == (1, 1.0)
    assert "differ" in problem(expected, other + 2 * TOLERANCE)
    assert "differ" in problem(expected, np.full_like(expected, np.nan))


def test_of_several_labels_every_finding_with_a_threshold_is_a_decision() -> None:
    expected = np.array([[0.30002, 0.6, 0.9], [0.1, 0.7 - TIE / 4, 0.2]])
    found = np.array([[0.29998, 0.6, 0.1], [0.1, 0.7 + TIE / 4, 0.2]])
    compared = difference(expected, found, np.array([0.3, 0.7, np.nan]))
    assert (compared.pairs, compared.ties, compared.agreement) == (2, 1, 2 / 3)
    assert compared.largest == pytest.approx(0.8)


def test_nothing_in_an_exported_network_is_of_this_machine(
    of_captions: fusion.FusionClassifier,
) -> None:
    """The exporter notes paths and lines of code; without them two exports are the same bytes."""
    network = module.graph("fusion", of_captions)
    tokens = of_captions.tokenise(PAIRS.captions[:2])
    programs = [module.exported_program(network, PAIRS.images[:2], tokens) for _ in range(2)]
    first, second = (one.model_proto.SerializeToString() for one in programs)
    assert first == second
    assert b".py" not in first
    assert str(Path(module.__file__).parents[2]).encode() not in first


def test_one_pair_is_enough_to_export(of_captions: fusion.FusionClassifier) -> None:
    """The exported network takes batches of any size all the same."""
    one = {"images": PAIRS.images[:1], "captions": PAIRS.captions[:1], "threads": 1}
    exported = export_classifier(of_captions, "fusion", **one)
    assert exported is not None
    assert_same_probabilities(of_captions, exported)


def test_families_without_a_network_of_their_own_are_refused() -> None:
    with pytest.raises(PairDxError, match="no network to export"):
        export_classifier(tiny_clip.build(), "linear_probe", **ON_PAIRS)
