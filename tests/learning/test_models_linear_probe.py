"""Probes: fitted on kept features, they classify images and captions as if none were kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.features import read_features, write_features
from pairdx.models.frozen_encoder import extract_features, load_encoder
from pairdx.models.inputs import resources
from pairdx.models.linear_probe import system as probe
from pairdx.models.registry import load_classifier
from pairdx.training.history import COLUMNS
from tiny_clip import plain_open_clip

INPUTS = [["image"], ["caption"], ["image", "caption"]]
TRAIN, VALIDATION = tiny.make_pairs(30), tiny.make_pairs(9, seed=1)
TEST = tiny.make_pairs(12, seed=2)
JOB = FitJob(seed=1)


def kept(folder: Path, *, weights: Path | None = None, seed: int = 1, **changes: Any) -> Path:
    """A features file of the training and validation pairs."""
    path = folder / "tiny.safetensors"
    settings = tiny.PROBE["encoder"] | {"weights": None if weights is None else "given"} | changes
    encoder = load_encoder(settings, {} if weights is None else {"weights": weights}, seed)
    both = pd.concat([TRAIN.table, VALIDATION.table])
    features = extract_features(
        encoder,
        both["pair_id"].tolist(),
        np.concatenate([TRAIN.images, VALIDATION.images]),
        both["caption"].tolist(),
        batch_size=7,
        device="cpu",
        threads=1,
    )
    write_features(path, features)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """The features file of the tiny encoder with random weights."""
    return kept(tmp_path_factory.mktemp("features"))


def fitted(path: Path, train: Pairs = TRAIN, **changes: Any) -> probe.LinearProbeClassifier:
    """A probe trained on the kept features."""
    settings = tiny.settings(tiny.PROBE, **changes)
    classifier = probe.build(settings, tiny.CLASSES, {"features": path}, 1)
    probe.fit(classifier, train, VALIDATION, JOB)
    return classifier


# -------------------------------------------------------------------- features


def test_captions_that_nobody_wrote_are_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load_encoder(tiny.PROBE["encoder"] | {"weights": None}, {}, 1)
    monkeypatch.setattr(encoder, "caption_features", lambda _: pytest.fail("encoded"))
    names, options = TEST.table["pair_id"].tolist(), {"batch_size": 7, "device": "cpu"}
    found = extract_features(encoder, names, TEST.images, [""] * len(names), **options, threads=1)
    assert not found.caption.any()
    assert found.image.any(axis=1).all()


def test_features_are_of_length_1_and_of_the_encoder_itself(path):
    """Row i is pair i, whatever the batches; equal captions, encoded once, have equal rows."""
    found = read_features(path)
    encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
    for array in (found.image, found.caption):
        assert array.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        found.image[30:], encoder.image_features(VALIDATION.images), atol=1e-5
    )
    tokens = encoder.tokenise(TRAIN.captions)
    np.testing.assert_allclose(found.caption[:30], encoder.caption_features(tokens), atol=1e-5)
    assert list(found.pair_ids[30:]) == VALIDATION.table["pair_id"].tolist()
    assert set(found.seconds) == {"image", "caption"}
    assert found.device == "cpu"


def test_rows_are_found_by_pair_not_by_position(path):
    """Subsets come in an order of their own; a pair without features is an error."""
    found = read_features(path)
    wanted = [found.pair_ids[row] for row in (31, 2)]
    np.testing.assert_array_equal(found.of(["caption"], wanted), found.caption[[31, 2]])
    side_by_side = np.hstack([found.image[[31, 2]], found.caption[[31, 2]]])
    np.testing.assert_array_equal(found.of(["image", "caption"], wanted), side_by_side)
    with pytest.raises(PairDxError, match="2 pairs have no features, 'a'"):
        found.rows(["a", wanted[0], "b"])


def test_images_that_are_not_those_of_the_pairs_are_refused():
    """One image too few: the packed array is another corpus's. Another size: another encoder's."""
    encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
    options = {"batch_size": 4, "device": "cpu", "threads": 1}
    ids = TEST.table["pair_id"].tolist()
    with pytest.raises(PairDxError, match="11 images are packed for 12 pairs"):
        extract_features(encoder, ids, TEST.images[:11], TEST.captions, **options)
    large = tiny.make_pairs(12, size=48).images
    with pytest.raises(PairDxError, match="48 pixels wide, and the model reads 32"):
        extract_features(encoder, ids, large, TEST.captions, **options)


def test_a_file_that_holds_no_features_is_refused(tmp_path):
    """Not safetensors, or safetensors of something else."""
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(PairDxError, match="no features file"):
        read_features(path)
    save_file(plain_open_clip().state_dict(), path)
    with pytest.raises(PairDxError, match="no features file"):
        read_features(path)


# -------------------------------------------------------------------- probes


@pytest.mark.parametrize("inputs", INPUTS)
def test_kept_features_and_raw_pairs_give_the_same_probabilities(path, tmp_path, inputs):
    """Training reads the file, classifying reads pixels and words: within 1e-4, saved or not."""
    classifier = fitted(path, inputs=inputs)
    classifier.save(tmp_path / "saved")
    loaded = load_classifier(tmp_path / "saved", {})
    ids = VALIDATION.table["pair_id"].tolist()
    from_file = classifier.of_features(read_features(path).of(inputs, ids))
    for one in (classifier, loaded):
        np.testing.assert_allclose(predict(one, VALIDATION, 4), from_file, atol=1e-4)
    np.testing.assert_array_equal(predict(loaded, TEST, 5), predict(classifier, TEST, 5))
    assert loaded.parameters == classifier.parameters
    np.testing.assert_allclose(from_file.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("inputs", INPUTS)
def test_a_probe_learns_what_even_a_random_encoder_shows(path, inputs):
    """The tiny task's colours and words survive a random encoder well enough."""
    found = predict(fitted(path, inputs=inputs), TEST, 12)
    assert found.dtype == np.float32
    assert (found.argmax(axis=1) == TEST.labels).mean() > 0.9


def test_a_probe_reads_what_its_inputs_say(path):
    """Captions do not move an image probe, nor images a caption probe; early fusion sees both."""
    black = Pairs(TEST.table, np.zeros_like(TEST.images), TEST.classes)
    silent = Pairs(TEST.table.assign(caption=""), TEST.images, TEST.classes)
    for inputs, (blind, deaf) in zip(INPUTS, [(0, 1), (1, 0), (0, 0)], strict=True):
        classifier = fitted(path, inputs=inputs)
        found = predict(classifier, TEST, 12)
        assert np.array_equal(predict(classifier, black, 12), found) == blind
        assert np.array_equal(predict(classifier, silent, 12), found) == deaf
        assert (classifier.tokenise(["ct"]) is None) == bool(deaf)


@pytest.mark.parametrize("standardise", [True, False])
def test_it_is_scikit_learns_logistic_regression(path, standardise):
    """Folding the standardisation into the weights changes no probability."""
    features = read_features(path)
    train = features.of(["image"], TRAIN.table["pair_id"].tolist()).astype(np.float64)
    new = features.of(["image"], VALIDATION.table["pair_id"].tolist()).astype(np.float64)
    if standardise:
        scaler = StandardScaler().fit(train)
        train, new = scaler.transform(train), scaler.transform(new)
    expected = LogisticRegression(C=1.0, max_iter=500).fit(train, TRAIN.labels).predict_proba(new)
    classifier = fitted(path, standardise=standardise)
    np.testing.assert_allclose(predict(classifier, VALIDATION, 9), expected, atol=1e-4)


def test_the_strength_is_chosen_on_standardised_validation_features(path, tmp_path):
    """By scikit-learn's own loop; it is kept with the probe."""
    several = [0.001, 0.1, 10.0]
    features = read_features(path)
    parts = [features.of(["image"], one.table["pair_id"].tolist()) for one in (TRAIN, VALIDATION)]
    scaler = StandardScaler().fit(parts[0].astype(np.float64))
    train, new = (scaler.transform(part.astype(np.float64)) for part in parts)
    scored = []
    for strength in several:
        model = LogisticRegression(C=strength, max_iter=500).fit(train, TRAIN.labels)
        of_truth = model.predict_proba(new)[np.arange(9), VALIDATION.labels]
        wrong = (model.predict(new) != VALIDATION.labels).mean()
        scored.append((wrong, -np.log(of_truth).mean(), strength))
    classifier = fitted(path, inverse_regularisation=several)
    assert classifier.chosen["inverse_regularisation"] == min(scored)[2]
    assert classifier.chosen["validation_loss"] == pytest.approx(min(scored)[1], rel=1e-4)
    classifier.save(tmp_path / "saved")
    assert probe.load(tmp_path / "saved", {}).chosen == classifier.chosen


def test_training_csv_counts_the_pairs_share_of_the_extraction(path, tmp_path):
    """Otherwise a probe would seem to cost nothing: its encoder did the work beforehand."""
    features = read_features(path)
    costly = tmp_path / "costly.safetensors"
    # Hours, beside which the seconds of the fit itself are nothing, on a slow machine too.
    fields = {**vars(features), "seconds": {"image": 39 * 1e5, "caption": 39 * 1e4}}
    write_features(costly, type(features)(**fields))
    rows = {}
    for inputs in INPUTS:
        settings = tiny.settings(tiny.PROBE, inputs=inputs)
        classifier = probe.build(settings, tiny.CLASSES, {"features": costly}, 1)
        rows[len(inputs), inputs[0]] = probe.fit(classifier, TRAIN, VALIDATION, JOB)
    assert all(list(found.columns) == COLUMNS for found in rows.values())
    for key, per_pair in {(1, "image"): 1e5, (1, "caption"): 1e4, (2, "image"): 1.1e5}.items():
        row = rows[key].iloc[0]
        assert row["data_seconds"] == pytest.approx(30 * per_pair, rel=1e-3)
        assert row["seconds"] == pytest.approx(39 * per_pair, rel=1e-3)
        assert row["epoch"] == 1
        assert pd.isna(row["learning_rate"])
        assert 0 < row["validation_loss"] < 2


def test_pretrained_weights_are_used_and_another_file_is_refused(tmp_path):
    """Features and probe must have one encoder; a saved probe names its weights by checksum."""
    weights, other = tmp_path / "weights.safetensors", tmp_path / "other.safetensors"
    for path in (weights, other):
        model = plain_open_clip()
        if path == other:
            model.visual.proj.data += 1
        save_file(model.state_dict(), path)
    path = kept(tmp_path, weights=weights)
    settings = tiny.settings(tiny.PROBE)
    settings["encoder"]["weights"] = "given"
    given = {"features": path, "weights": weights}
    classifier = probe.build(settings, tiny.CLASSES, given, 1)
    probe.fit(classifier, TRAIN, VALIDATION, JOB)
    classifier.save(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved/settings.json").read_text(encoding="utf-8"))
    assert saved["weights"]["file"] == "weights.safetensors"
    loaded = load_classifier(tmp_path / "saved", {"weights": weights})
    np.testing.assert_array_equal(predict(loaded, TEST, 6), predict(classifier, TEST, 6))
    with pytest.raises(PairDxError, match="not the file"):
        load_classifier(tmp_path / "saved", {"weights": other})
    stranger = probe.build(settings, tiny.CLASSES, given | {"weights": other}, 1)
    with pytest.raises(PairDxError, match="another encoder"):
        probe.fit(stranger, TRAIN, VALIDATION, JOB)


def test_random_weights_of_another_seed_are_another_encoder(tmp_path):
    """A stand-in's weights come from its seed; features of other ones would train nonsense."""
    with pytest.raises(PairDxError, match="another encoder"):
        fitted(kept(tmp_path, seed=2))


def test_parameters_are_those_of_the_encoders_that_are_used(path):
    """An image probe does not count the text encoder: it could do without."""
    clip = plain_open_clip()
    of_images = sum(parameter.numel() for parameter in clip.visual.parameters())
    both = sum(parameter.numel() for parameter in clip.parameters())
    own = len(tiny.CLASSES) * (tiny.TINY_CLIP["embed_dim"] + 1)
    counts = [fitted(path, inputs=inputs).parameters for inputs in INPUTS[:2]]
    assert counts == [of_images + own, both - of_images + own]


def test_what_cannot_be_trained_or_read_is_refused(tmp_path):
    """Unfitted, without features, of one class only, of unknown inputs, of another family."""
    settings = tiny.settings(tiny.PROBE)
    untrained = probe.build(settings, tiny.CLASSES, {}, 1)
    with pytest.raises(PairDxError, match="not trained"):
        untrained.probabilities(TEST.images, None)
    with pytest.raises(PairDxError, match="features file"):
        probe.fit(untrained, TRAIN, VALIDATION, JOB)
    with pytest.raises(PairDxError, match="audio"):
        probe.build(settings | {"inputs": ["audio"]}, tiny.CLASSES, {}, 1)
    rows = np.flatnonzero(TRAIN.table["label"] == "chart")
    single = Pairs(TRAIN.table.iloc[rows].reset_index(drop=True), TRAIN.images[rows], tiny.CLASSES)
    with pytest.raises(PairDxError, match="one class"):
        probe.fit(untrained, single, VALIDATION, JOB)
    (tmp_path / "settings.json").write_text(json.dumps({"family": "linear"}), encoding="utf-8")
    with pytest.raises(PairDxError, match="saved linear_probe model"):
        probe.load(tmp_path, {})


def test_a_class_without_training_pairs_gets_probability_zero(path, tmp_path):
    """Its column stays, before and after saving."""
    rows = np.flatnonzero(TRAIN.table["label"] != "endoscopy")
    some = Pairs(TRAIN.table.iloc[rows].reset_index(drop=True), TRAIN.images[rows], tiny.CLASSES)
    classifier = fitted(path, some)
    classifier.save(tmp_path / "saved")
    for one in (classifier, probe.load(tmp_path / "saved", {})):
        found = predict(one, TEST, 6)
        assert (found[:, 1] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_jobs_inputs_name_the_features_file():
    """As the other files that a system is built from."""
    found = resources({"features": "f.safetensors", "pretrained": "w.safetensors", "pairs": "p"})
    assert found == {"features": Path("f.safetensors"), "weights": Path("w.safetensors")}
