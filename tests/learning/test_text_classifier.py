"""The classifier on paired texts, and the encoder of a bank's texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.frozen_encoder import encode_texts, extract_features, load_encoder
from pairdx.models.text_classifier import (
    Examples,
    Trained,
    build,
    probabilities,
    save_text_classifier,
    train_text_classifier,
)

SETTINGS: dict[str, Any] = {
    **{"hidden": 16, "negative_slope": 0.1, "epochs": 12, "batch_size": 8},
    **{"learning_rate": 0.01, "weight_decay": 0.0001},
}
TEXTS = 30


def material(*, told: bool = True) -> tuple[np.ndarray, Examples, Examples]:
    """Texts of three classes, which their features tell, or not; several pairs share a text."""
    random = np.random.default_rng(0)
    features = random.standard_normal((TEXTS, 6)).astype(np.float32)
    classes = np.arange(TEXTS) % 3
    if told:
        features[np.arange(TEXTS), classes] += 4
    subsets = []
    for count in (60, 24):
        texts = random.integers(0, TEXTS, count)
        labels = classes[texts] if told else random.integers(0, 3, count)
        subsets.append(Examples(texts, labels.astype(np.int64)))
    return features, *subsets


def trained(seed: int = 1, *, told: bool = True, **changes: Any) -> Trained:
    features, train, validation = material(told=told)
    settings = SETTINGS | changes
    return train_text_classifier(features, train, validation, 3, settings, seed=seed, threads=1)


def test_what_texts_tell_is_learned_and_the_same_seed_learns_the_same() -> None:
    found = trained()
    assert found.history["validation_accuracy"].max() > 0.95
    again, other = trained(), trained(seed=2)
    columns = [name for name in found.history if name != "seconds"]
    assert found.history[columns].equals(again.history[columns])
    assert not found.history[columns].equals(other.history[columns])


def test_what_texts_do_not_tell_is_not_found_on_validation_pairs() -> None:
    assert trained(told=False, epochs=3).history["validation_accuracy"].max() < 0.7


def test_the_best_epoch_is_kept_the_first_of_equals() -> None:
    found = trained(epochs=6)
    accuracies = found.history["validation_accuracy"].tolist()
    assert found.epoch == accuracies.index(max(accuracies)) + 1
    shorter = trained(epochs=found.epoch)
    features = material()[0]
    said = [probabilities(one.network, features, threads=1) for one in (found, shorter)]
    np.testing.assert_array_equal(*said)
    np.testing.assert_allclose(said[0].sum(axis=1), 1, rtol=1e-5)


def test_a_hidden_unit_below_zero_leaks_its_slope() -> None:
    """By hand: (1, -2) becomes (1, -0.2), whose scores differ by 1.2; (-3, 2) by 2.3."""
    network = build(2, 2, {"hidden": 2, "negative_slope": 0.1}, seed=0)
    for name, value in network.named_parameters():
        value.data = torch.zeros(2) if name.endswith("bias") else torch.eye(2)
    features = np.array([[1, -2], [-3, 2]], np.float32)
    found = probabilities(network, features, threads=1)
    np.testing.assert_allclose(found[:, 0], 1 / (1 + np.exp([-1.2, 2.3])), rtol=1e-6)


def test_the_saved_network_is_the_one_that_classifies(tmp_path: Path) -> None:
    found = trained(epochs=2)
    save_text_classifier(tmp_path / "w.safetensors", found, ["a", "b", "c"])
    network = build(6, 3, SETTINGS, seed=9)
    network.load_state_dict(load_file(tmp_path / "w.safetensors"))
    features = torch.from_numpy(material()[0])
    torch.testing.assert_close(network(features), found.network(features))


def test_a_split_without_validation_pairs_is_refused() -> None:
    features, train, _ = material()
    none = Examples(np.zeros(0, np.int64), np.zeros(0, np.int64))
    with pytest.raises(PairDxError, match="no validation pairs"):
        train_text_classifier(features, train, none, 3, SETTINGS, seed=1, threads=1)


def test_a_bank_is_encoded_as_captions_are_and_what_is_cut_is_counted() -> None:
    encoder = load_encoder(tiny.PROBE["encoder"], {}, 1)
    pairs = tiny.make_pairs(6)
    options: dict[str, Any] = {"batch_size": 4, "device": "cpu", "threads": 1}
    texts = [*pairs.captions, "word " * 4800]
    names = [f"t{row}" for row in range(len(texts))]
    found = encode_texts(encoder, names, texts, **options)
    ids = pairs.table["pair_id"].tolist()
    of_pairs = extract_features(encoder, ids, pairs.images, pairs.captions, **options)
    np.testing.assert_allclose(found.of(names[:6]), of_pairs.caption, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found.texts, axis=1), 1, rtol=1e-5)
    assert found.encoder == of_pairs.encoder
    whole = encoder.parts.token_counts(list(pairs.captions))
    longer = sum(count > encoder.settings["context_length"] for count in whole) + 1
    assert found.cut == pytest.approx(longer / 7)
