"""Deployed folders as the job makes them: they answer as their system does, or there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny_clip
import tiny_models as tiny
from export_samples import CHOSEN, deployed, sample_of, seen_by
from pairdx.deployment.export import writing
from pairdx.deployment.export.choices import Choices
from pairdx.deployment.export.comparisons import compare_calibrated
from pairdx.deployment.export.verification import Sample, chosen_rows, verify
from pairdx.deployment.export.writing import Written, export_to, write_folder, write_sums
from pairdx.deployment.folder import DeployedFolder, check_sums, read_folder
from pairdx.deployment.session import load
from pairdx.errors import PairDxError
from pairdx.evaluation.calibration import scale
from pairdx.models.exported import TOLERANCE, ExportedClassifier, open_session
from pairdx.models.fusion import system as fusion

PAIRS = tiny.make_pairs(9)
TEXT = {"tokeniser": "words", "tokens": 6}
OF_CAPTIONS: dict[str, Any] = {"reads": ["caption"], "image": None, "text": TEXT}


def fusion_system(folder: Path, **changes: Any) -> fusion.FusionClassifier:
    folder.mkdir(parents=True, exist_ok=True)
    resources = tiny.write_word_vectors(folder, PAIRS)
    return fusion.build(tiny.settings(tiny.FUSION, **changes), tiny.CLASSES, resources, 1)


def captions_alone(folder: Path) -> fusion.FusionClassifier:
    return fusion_system(folder, branches=["caption"], fusion=None)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Nine pairs, packed and in an archive."""
    return sample_of(tmp_path_factory.mktemp("archive"), PAIRS)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> tuple[Path, Written]:
    """An untrained CLIP, deployed."""
    folder = tmp_path_factory.mktemp("clip") / "deployed"
    classifier = tiny_clip.build()
    written = write_folder(folder, classifier, deployed("clip"), seen_by(sample, classifier), 1)
    write_sums(folder)
    return folder, written


def network_of(folder: Path, classifier: Any) -> ExportedClassifier:
    """The exported network that a folder holds."""
    return ExportedClassifier(classifier, open_session(folder / "model.onnx", 1))


def assert_answers_as(classifier: Any, folder: Path, temperature: float | None = 1.5) -> None:
    """The folder gives every pair the calibrated probabilities of its system, at any batch size."""
    model = load(folder)
    for rows in (slice(0, 1), slice(0, 9)):
        captions = PAIRS.captions[rows]
        found = model.classify(PAIRS.images[rows], captions)
        given = classifier.probabilities(PAIRS.images[rows], classifier.tokenise(captions))
        expected = np.asarray(given, dtype=np.float64)
        if temperature is not None:
            expected = scale(expected, temperature)
        np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)
    assert np.ptp(found, axis=0).max() > 10 * TOLERANCE  # pairs are told apart at all


def test_an_untrained_system_of_images_is_a_folder_that_answers_as_it_does(
    clip_folder: tuple[Path, Written],
) -> None:
    folder, written = clip_folder
    assert_answers_as(tiny_clip.build(), folder)
    found = read_folder(folder)
    assert found.facts == json.loads(json.dumps(written.facts))
    assert found.labels == list(tiny.CLASSES)
    assert found.facts["versions"]["pairdx code"] == "0123456789abcdef0123"
    assert found.facts["versions"]["onnx opset"] >= 17
    passport = json.loads((folder / "passport.json").read_text(encoding="utf-8"))
    assert passport == {"seed": 1, "host": {"cores": 4}}
    assert not (folder / "vocabulary.json").exists()


def test_a_folder_records_how_it_compares_with_its_system(
    clip_folder: tuple[Path, Written],
) -> None:
    record = json.loads((clip_folder[0] / "verification.json").read_text(encoding="utf-8"))
    assert (record["pairs"], record["files"]) == (9, 9)
    assert 0 <= record["largest_difference"] <= record["tolerance"] == TOLERANCE
    assert record["largest_difference_between_batches"] <= TOLERANCE
    assert record["largest_difference_from_files"] == 0
    assert record["largest_difference_from_predictions"] <= TOLERANCE
    assert record["agreement"] >= record["least_agreement"] == 0.999
    assert record["calibrated"]["agreement"] == 1.0
    assert 0 <= record["calibrated"]["largest_difference"] <= record["calibrated"]["tolerance"]
    assert {"python", "onnxruntime", "numpy", "pillow"} == {*record["runtime"]}


def test_checksums_are_of_all_files_and_are_what_sha256sum_reads(
    clip_folder: tuple[Path, Written],
) -> None:
    folder, _ = clip_folder
    listed = [
        line.split("  ")[1]
        for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    ]
    there = [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()]
    assert listed == sorted(set(there) - {"SHA256SUMS"})
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_system_of_captions_takes_its_words_along(tmp_path: Path, sample: Sample) -> None:
    classifier = captions_alone(tmp_path / "system")
    folder, seen = tmp_path / "deployed", seen_by(sample, classifier)
    written = write_folder(folder, classifier, deployed("fusion", **OF_CAPTIONS), seen, 1)
    write_sums(folder)
    assert read_folder(folder).words() == classifier.vocabulary
    assert written.facts["text"] == {**TEXT, "vocabulary": "vocabulary.json"}
    assert (written.verified["files"], written.verified["largest_difference_from_files"]) == (
        0,
        None,
    )
    assert_answers_as(classifier, folder)


@pytest.mark.slow
def test_a_system_of_both_is_looked_at_from_files_and_captions(
    tmp_path: Path, sample: Sample
) -> None:
    classifier, folder = fusion_system(tmp_path / "system"), tmp_path / "deployed"
    stated = {"reads": ["image", "caption"], "text": TEXT}
    written = write_folder(
        folder, classifier, deployed("fusion", **stated), seen_by(sample, classifier), 1
    )
    write_sums(folder)
    assert written.verified["files"] == 9
    assert_answers_as(classifier, folder)


@pytest.mark.slow
def test_several_labels_have_thresholds_in_place_of_a_temperature(
    tmp_path: Path, sample: Sample
) -> None:
    prompts = {"positive": ["{}"], "negative": ["no {}"]}
    classifier = tiny_clip.build(several=True, finding_prompts=prompts)
    chosen = Choices(None, None, None, {"radiology": 0.5, "endoscopy": 0.1, "chart": None}, 9)
    of = deployed("clip", chosen, task="multi_label", risk=None)
    folder = tmp_path / "deployed"
    written = write_folder(folder, classifier, of, seen_by(sample, classifier), 1)
    write_sums(folder)
    assert read_folder(folder).facts["thresholds"] == chosen.thresholds
    assert written.verified["agreement"] >= 0.999
    assert_answers_as(classifier, folder, temperature=None)


def test_an_export_that_fails_deploys_nothing(tmp_path: Path, sample: Sample) -> None:
    """A layer that reads a number out of a tensor cannot be exported; PyTorch still runs it."""
    classifier = captions_alone(tmp_path / "system")

    class Branching(type(classifier.network)):  # type: ignore[misc]
        def forward(self, images: Any, ids: Any) -> Any:
            scores = super().forward(images, ids)
            return scores if scores.sum().item() > 0 else scores * 2

    classifier.network.__class__ = Branching
    with pytest.raises(PairDxError, match="cannot be exported to ONNX Runtime") as raised:
        write_folder(
            tmp_path / "deployed", classifier, deployed("fusion", **OF_CAPTIONS), sample, 1
        )
    assert "deployment.systems" in str(raised.value)
    assert not (tmp_path / "deployed" / "SHA256SUMS").exists()


def test_a_network_that_answers_otherwise_than_the_system_deploys_nothing(
    tmp_path: Path, clip_folder: tuple[Path, Written], sample: Sample
) -> None:
    """Here the system is one of another seed."""
    folder, _ = clip_folder
    right, other = tiny_clip.build(), tiny_clip.build(seed=2)
    exported, _ = export_to(tmp_path / "model.onnx", right, "clip", sample, 1)
    seen = seen_by(sample, right)
    assert verify(read_folder(folder), right, exported, seen, 1)["pairs"] == 9
    with pytest.raises(PairDxError, match="the exported network is not the system: its prob"):
        verify(read_folder(folder), other, exported, seen, 1)
    with pytest.raises(PairDxError, match="not what the run predicted of the same pairs"):
        verify(read_folder(folder), right, exported, seen_by(sample, other), 1)
    few = replace(seen, predictions=seen.predictions[:-1])
    with pytest.raises(PairDxError, match="predictions of validation pairs lack pair0_0"):
        verify(read_folder(folder), right, exported, few, 1)


def test_files_that_are_seen_otherwise_than_they_were_packed_deploy_nothing(
    clip_folder: tuple[Path, Written], sample: Sample
) -> None:
    folder, classifier = clip_folder[0], tiny_clip.build()
    exported = network_of(folder, classifier)
    pixels = sample.images[:].copy()
    pixels[4, 3, 5, 1] ^= 1  # which no probability shows
    packed_otherwise = seen_by(replace(sample, images=pixels), classifier)
    with pytest.raises(PairDxError, match="1 of 9 files give other pixels than the packed") as said:
        verify(read_folder(folder), classifier, exported, packed_otherwise, 1)
    assert "pair0_4.png" in str(said.value)
    changed = seen_by(replace(sample, table=sample.table.assign(sha256="0" * 64)), classifier)
    with pytest.raises(PairDxError, match="changed since curation"):
        verify(read_folder(folder), classifier, exported, changed, 1)


def test_large_images_with_a_reviewers_edit_are_read_as_they_were_packed(
    tmp_path: Path, clip_folder: tuple[Path, Written]
) -> None:
    """Cut, painted over and made smaller; without the edit they are other pixels."""
    large = tiny.make_pairs(9, size=80)
    edited = sample_of(tmp_path, large, edit="crop 2 3 75 60; mask 10 10 40 30")
    folder, classifier = clip_folder[0], tiny_clip.build()
    exported = network_of(clip_folder[0], classifier)
    seen = seen_by(edited, classifier)
    found = verify(read_folder(folder), classifier, exported, seen, 1)
    assert (found["files"], found["largest_difference_from_files"]) == (9, 0)
    for edit in ("", "crop 2 3 75 60", "crop 2 3 75 61; mask 10 10 40 30"):
        otherwise = replace(seen, table=seen.table.assign(image_edit=edit))
        with pytest.raises(PairDxError, match="9 of 9 files give other pixels"):
            verify(read_folder(folder), classifier, exported, otherwise, 1)


def test_classes_in_another_order_deploy_nothing(
    clip_folder: tuple[Path, Written], sample: Sample
) -> None:
    """Neither where the folder names them so, nor where folder and system both do."""
    folder, classifier = read_folder(clip_folder[0]), tiny_clip.build()
    exported = network_of(clip_folder[0], classifier)
    seen = seen_by(sample, classifier)
    facts = {**folder.facts, "classes": folder.facts["classes"][::-1]}
    turned = DeployedFolder(folder.path, facts)
    with pytest.raises(PairDxError, match="classes are not those of the system, in its order"):
        verify(turned, classifier, exported, seen, 1)
    classifier.classes = classifier.classes[::-1]
    with pytest.raises(PairDxError, match="not what the run predicted of the same pairs"):
        verify(turned, classifier, exported, seen, 1)


def test_answers_that_depend_on_the_batch_deploy_nothing(
    clip_folder: tuple[Path, Written], sample: Sample
) -> None:
    folder, classifier = clip_folder[0], tiny_clip.build()
    exported = network_of(clip_folder[0], classifier)
    seen = seen_by(sample, classifier)

    class OfItsBatch(ExportedClassifier):
        """Turns the classes around in batches of one size."""

        size = 0

        def probabilities(self, images: Any, tokens: Any) -> np.ndarray:
            found = super().probabilities(images, tokens)
            return found[:, ::-1] if len(found) == self.size else found

    for size in (1, 7):
        other = OfItsBatch(classifier, exported._session)
        other.size = size
        with pytest.raises(PairDxError, match="in batches of 1 and of an odd number"):
            verify(read_folder(folder), classifier, other, seen, 1)


NEAR = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])


def compared(found: np.ndarray, temperature: float, threshold: float | None) -> Any:
    return compare_calibrated(NEAR, found, {"temperature": temperature, "threshold": threshold})


def test_what_is_left_to_a_person_is_compared_but_for_a_hair_around_the_threshold() -> None:
    moved = NEAR + np.array([[0, 0], [-9e-5, 9e-5], [0, 0]])
    expected = {"agreement": 1.0, "near_threshold": 0}
    for threshold in (0.55, 0.6 + 2e-5, 0.95):
        assert expected.items() <= compared(moved, 1.0, threshold).items()
    hair = compared(moved, 1.0, 0.6 - 5e-6)
    assert (hair["agreement"], hair["near_threshold"], hair["hair"]) == (1.0, 1, 1e-5)
    with pytest.raises(PairDxError, match=r"33.333% of the pairs .* abstains where PyTorch's"):
        compared(moved, 1.0, 0.6 - 2e-5)
    assert compared(moved, 1.0, None)["agreement"] is None
    facts = {"temperature": None, "threshold": None}
    assert compare_calibrated(NEAR, moved, facts) is None


def test_calibrated_probabilities_are_compared_as_they_are_answered() -> None:
    """A high temperature makes much of what is next to nothing, a low one of a near tie."""
    sure = np.array([[0.99995, 0.00005]])
    surer = np.array([[0.99999, 0.00001]])
    with pytest.raises(PairDxError, match="calibrated, its probabilities are not PyTorch's"):
        compare_calibrated(sure, surer, {"temperature": 4.0, "threshold": 0.5})
    moved = NEAR + np.array([[0, 0], [0, 0], [9e-5, -9e-5]])
    found = compared(moved, 0.5, None)
    assert 1e-4 < found["largest_difference"] <= found["tolerance"] == 2e-4


def test_words_in_another_order_are_noticed(tmp_path: Path, sample: Sample) -> None:
    classifier, folder = captions_alone(tmp_path / "system"), tmp_path / "deployed"
    seen = seen_by(sample, classifier)
    written = write_folder(folder, classifier, deployed("fusion", **OF_CAPTIONS), seen, 1)
    exported, _ = export_to(tmp_path / "model.onnx", classifier, "fusion", sample, 1)
    words = {"words": classifier.vocabulary[::-1]}
    (folder / "vocabulary.json").write_text(json.dumps(words), encoding="utf-8")
    with pytest.raises(PairDxError, match="words are not those of the system"):
        verify(DeployedFolder(folder, written.facts), classifier, exported, sample, 1)


def test_weights_that_no_graph_can_hold_lie_beside_it_and_are_listed(
    tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 1.5 GB on; here from a thousand bytes on. The folder can be moved all the same."""
    from torch.onnx._internal.exporter import _onnx_program

    monkeypatch.setattr(_onnx_program, "_LARGE_MODEL_THRESHOLD", 1000)
    classifier, folder = captions_alone(tmp_path / "system"), tmp_path / "deployed"
    seen = seen_by(sample, classifier)
    write_folder(folder, classifier, deployed("fusion", **OF_CAPTIONS), seen, 1)
    assert "model.onnx.data" in write_sums(folder)
    moved = tmp_path / "elsewhere" / "moved"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    assert_answers_as(classifier, moved)
    data = moved / "model.onnx.data"
    data.write_bytes(data.read_bytes()[:-1] + b"!")
    with pytest.raises(PairDxError, match="not as it was written"):
        check_sums(moved)


def test_the_same_pairs_are_chosen_for_every_system_whatever_their_number() -> None:
    names = [f"pair{number}" for number in range(100)]
    few, more = (set(chosen_rows(names, most)) for most in (10, 20))
    assert len(few) == 10
    assert few < more
    assert chosen_rows(names, 200).tolist() == list(range(100))
    assert {names[row] for row in few} == {names[::-1][row] for row in chosen_rows(names[::-1], 10)}


def test_a_system_of_captions_without_words_is_refused() -> None:
    with pytest.raises(PairDxError, match="has no words to write down"):
        writing.words_of(torch.nn.Identity(), "odd")


def test_a_half_written_folder_is_no_deployed_folder(tmp_path: Path, sample: Sample) -> None:
    """Checksums come last: a job that was killed before has left nothing that is read."""
    classifier = captions_alone(tmp_path / "system")
    of = deployed("fusion", CHOSEN, **OF_CAPTIONS)
    write_folder(tmp_path / "deployed", classifier, of, seen_by(sample, classifier), 1)
    with pytest.raises(PairDxError, match="checksums cannot be read"):
        read_folder(tmp_path / "deployed")
