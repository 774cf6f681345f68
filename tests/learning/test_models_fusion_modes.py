"""PairDxFusion's ways to fuse: formulas computed by hand, padding that never counts, one file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, predict
from pairdx.models.fusion import system as fusion
from pairdx.models.fusion.encoders import CaptionFeatures, ImageFeatures, pool_words
from pairdx.models.fusion.images import image_encoder
from pairdx.models.fusion.modes import CrossAttentionFusion, GatedFusion
from pairdx.models.registry import load_classifier

MODES = ["concatenation", "gated", "cross_attention"]
POOLINGS = ["masked_mean", "max"]
CAPTION_DIMENSION = 4


@pytest.fixture
def resources(tmp_path) -> dict[str, Path]:
    """Word vectors and vocabulary of the training captions."""
    return tiny.write_word_vectors(tmp_path, tiny.make_pairs(24))


def settings(mode: str, **changes: Any) -> dict[str, Any]:
    """The tiny settings with another fusion; two heads, of eight numbers each."""
    attention = {"heads": 2, "dimension": 8}
    return tiny.settings(
        tiny.FUSION, **{"fusion": mode, "fusion_dimension": 16, "attention": attention} | changes
    )


def build(resources: dict[str, Path], mode: str, **changes: Any) -> fusion.FusionClassifier:
    return fusion.build(settings(mode, **changes), tiny.CLASSES, resources, 1)


def image_features(count: int = 2, positions: int = 9) -> ImageFeatures:
    """What an encoder might make of some images."""
    found = torch.randn(count, positions, 512, generator=torch.Generator().manual_seed(0))
    return ImageFeatures(found.mean(dim=1), found)


def caption_features(is_word: list[list[bool]]) -> CaptionFeatures:
    """What an encoder might make of captions with these words; padded rows hold numbers, too."""
    known = torch.tensor(is_word)
    generator = torch.Generator().manual_seed(1)
    words = torch.randn(*known.shape, CAPTION_DIMENSION, generator=generator)
    return CaptionFeatures(pool_words(words, known, "masked_mean"), words, known)


def cross_attention(heads: int = 1, pooling: str = "masked_mean") -> CrossAttentionFusion:
    """Cross-attention of six numbers."""
    torch.manual_seed(0)
    module = CrossAttentionFusion(CAPTION_DIMENSION, 6, heads, pooling)
    for norm in (module.image_norm, module.words_norm):  # a fresh LayerNorm would hide its weights
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return module.eval()


def attended(layer: nn.MultiheadAttention, query: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """softmax(Q K^T / sqrt(d_k)) V with the layer's one head, in plain NumPy."""
    weights = layer.in_proj_weight.detach().double().numpy()
    biases = layer.in_proj_bias.detach().double().numpy()
    size = weights.shape[1]
    q, k, v = (
        rows @ weights[start : start + size].T + biases[start : start + size]
        for rows, start in ((query, 0), (keys, size), (keys, 2 * size))
    )
    scores = np.exp(q @ k.T / math.sqrt(size))
    mixed = scores / scores.sum(axis=1, keepdims=True) @ v
    return linear(layer.out_proj, mixed)


def linear(layer: nn.Linear, rows: np.ndarray) -> np.ndarray:
    weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    return rows @ weight.T + bias


def normalised(layer: nn.LayerNorm, rows: np.ndarray) -> np.ndarray:
    weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + layer.eps) * weight + bias


# -------------------------------------------------------------------- what is fused


@pytest.mark.parametrize("name", ["resnet18", "resnet10"])
def test_an_images_positions_and_vector_are_the_resnets_own(name):
    """7 x 7 positions of 512 numbers at 224 pixels; their mean is what torchvision's ResNet gives.

    The encoder takes the network's stages apart; put together they must be the ResNet again.
    """
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    encoder = image_encoder(name).eval()
    found = encoder.features(images)
    assert found.positions.shape == (1, 49, 512)
    assert torch.equal(found.vectors, encoder(images))
    torch.testing.assert_close(found.positions.mean(dim=1), found.vectors)


# -------------------------------------------------------------------- the formulas


def test_gated_fusion_equals_its_formula_computed_by_hand():
    """Its z = sigmoid(W_z [x; c]), h = z tanh(W_x x) + (1 - z) tanh(W_c c), in NumPy."""
    torch.manual_seed(0)
    module = GatedFusion(CAPTION_DIMENSION, 6)
    images, captions = image_features(), caption_features([[True, True], [True, False]])
    x, c = (vectors.double().numpy() for vectors in (images.vectors, captions.vectors))
    gate = 1 / (1 + np.exp(-linear(module.gate, np.hstack([x, c]))))
    expected = gate * np.tanh(linear(module.image, x))
    expected += (1 - gate) * np.tanh(linear(module.caption, c))
    found = module(images, captions).detach().numpy()
    assert found.shape == (2, module.dimension) == (2, 6)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("bias", "counts"), [(50.0, "image"), (-50.0, "caption")])
def test_a_gate_that_is_fully_open_or_closed_lets_one_side_through(bias, counts):
    """At z = 1 the caption does not matter, at z = 0 the image does not."""
    module = GatedFusion(CAPTION_DIMENSION, 6)
    nn.init.zeros_(module.gate.weight)
    nn.init.constant_(module.gate.bias, bias)
    images, captions = image_features(), caption_features([[True, True], [True, False]])
    other_images = ImageFeatures(images.vectors + 1, images.positions)
    other_captions = CaptionFeatures(captions.vectors + 1, captions.words, captions.is_word)
    found = module(images, captions)
    assert torch.equal(found, module(other_images, captions)) == (counts == "caption")
    assert torch.equal(found, module(images, other_captions)) == (counts == "image")


@pytest.mark.parametrize("pooling", POOLINGS)
def test_cross_attention_equals_its_formula_computed_by_hand(pooling):
    """Both directions, sums, LayerNorm and pooling, one caption with two words, in plain NumPy."""
    module = cross_attention(pooling=pooling)
    images, captions = image_features(1), caption_features([[True, True, False]])
    positions = linear(module.positions, images.positions[0].double().numpy())
    words = linear(module.words, captions.words[0, :2].double().numpy())
    image = positions.mean(axis=0, keepdims=True)
    u = normalised(module.image_norm, image + attended(module.image_to_words, image, words))
    rows = normalised(module.words_norm, words + attended(module.words_to_image, words, positions))
    v = rows.mean(axis=0) if pooling == "masked_mean" else rows.max(axis=0)
    found = module(images, captions).detach().numpy()
    assert found.shape == (1, module.dimension) == (1, 12)
    np.testing.assert_allclose(found[0], np.hstack([u[0], v]), rtol=1e-4, atol=1e-5)


def test_words_see_positions_of_the_image_and_not_only_their_mean():
    """Other positions with the same mean change what the words see, and nothing else."""
    module = cross_attention()
    images, captions = image_features(), caption_features([[True, True], [True, False]])
    mean = images.positions.mean(dim=1, keepdim=True)
    spread = ImageFeatures(images.vectors, mean + 3 * (images.positions - mean))
    before, after = module(images, captions), module(spread, captions)
    torch.testing.assert_close(before[:, :6], after[:, :6], rtol=1e-3, atol=1e-4)
    assert (before[:, 6:] - after[:, 6:]).abs().max() > 0.01


# -------------------------------------------------------------------- padding and empty captions


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_never_reaches_what_cross_attention_makes(heads, pooling):
    """Whatever numbers the padded rows hold, and however many there are: the same result."""
    module = cross_attention(heads, pooling)
    images, captions = image_features(), caption_features([[True, True], [True, False]])
    expected = module(images, captions)
    words = captions.words.clone()
    words[1, 1] = 1000.0
    words = torch.cat([words, torch.full((2, 3, CAPTION_DIMENSION), -1000.0)], dim=1)
    is_word = torch.cat([captions.is_word, torch.zeros(2, 3, dtype=torch.bool)], dim=1)
    found = module(images, CaptionFeatures(captions.vectors, words, is_word))
    torch.testing.assert_close(found, expected)


def test_without_words_cross_attention_gives_the_image_alone():
    """It is u = LayerNorm(g) and v = 0: whatever the padding holds, nothing was seen in it."""
    module = cross_attention()
    nn.init.normal_(module.image_to_words.out_proj.bias)  # what attention to nothing would leave
    images, captions = image_features(), caption_features([[True, True], [False, False]])
    found = module(images, captions)[1]
    image = module.positions(images.positions[1]).mean(dim=0)
    torch.testing.assert_close(found[:6], module.image_norm(image))
    assert torch.equal(found[6:], torch.zeros(6))


@pytest.mark.parametrize("mode", MODES)
def test_a_caption_without_words_is_finite_and_leaves_its_neighbours_alone(resources, mode):
    """Through the whole network, forward and backward; and its image still counts."""
    network = build(resources, mode).network
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    ids = torch.tensor([[3, 4, 0], [0, 0, 0], [0, 0, 0]])
    scores: Tensor = network(images, ids)
    torch.testing.assert_close(scores[:1], network(images[:1], ids[:1]), rtol=1e-4, atol=1e-5)
    assert (scores[1] - scores[2]).abs().max() > 1e-6
    scores.sum().backward()
    gradients = [part.grad for part in network.parameters() if part.grad is not None]
    assert len(gradients) > len(list(network.images.parameters()))
    assert all(bool(torch.isfinite(part).all()) for part in (scores, *gradients))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_cross_attention_computes_in_mixed_precision(pooling):
    """Under bfloat16 the masks hold as well: finite, and near what float32 gives."""
    module = cross_attention(pooling=pooling)
    images, captions = image_features(), caption_features([[True, True], [False, False]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(images, captions).float()
    torch.testing.assert_close(found, module(images, captions), rtol=0.1, atol=0.1)
    assert torch.equal(found[1, 6:], torch.zeros(6))
    found.sum().backward()
    assert all(bool(torch.isfinite(part.grad).all()) for part in module.parameters())


@pytest.mark.parametrize("mode", MODES)
def test_more_padding_changes_no_score(resources, mode):
    """The length to which captions are padded is of no concern to the whole network."""
    network = build(resources, mode).network
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    short, long = torch.tensor([[3, 4], [5, 0]]), torch.tensor([[3, 4, 0, 0], [5, 0, 0, 0]])
    torch.testing.assert_close(network(images, short), network(images, long), rtol=1e-4, atol=1e-5)


# -------------------------------------------------------------------- training and files


@pytest.mark.parametrize("mode", ["gated", "cross_attention"])
def test_each_mode_learns_and_a_saved_model_predicts_the_same(tmp_path, resources, mode):
    """It learns the tiny task, every part of the fusion moves, and its own folder is enough."""
    classifier = build(resources, mode, epochs=4)
    before = {name: part.clone() for name, part in classifier.network.fusion.state_dict().items()}
    rows = fusion.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["validation_loss"].iloc[-1] < tiny.LEARNED
    after = classifier.network.fusion.state_dict()
    assert not [name for name in before if torch.equal(before[name], after[name])]
    folder = tmp_path / "saved"
    folder.mkdir()
    classifier.save(folder)
    test = tiny.make_pairs(12, seed=2)
    loaded = load_classifier(folder, {})
    assert loaded.parameters == classifier.parameters
    np.testing.assert_array_equal(predict(loaded, test, 5), predict(classifier, test, 5))


def test_concatenation_has_no_weights_of_its_own(resources):
    """Weights of a system saved before there was a choice keep their names, and load."""
    names = build(resources, "concatenation").network.state_dict()
    assert {name.split(".")[0] for name in names} == {"images", "captions", "classify"}


def test_a_system_saved_before_there_was_a_choice_loads(tmp_path, resources):
    """Without `branches` and `fusion` in its settings it is what it was: both, concatenated."""
    classifier = build(resources, "concatenation")
    classifier.save(tmp_path)
    content = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    del content["settings"]["branches"], content["settings"]["fusion"]
    (tmp_path / "settings.json").write_text(json.dumps(content), encoding="utf-8")
    test = tiny.make_pairs(4)
    found = predict(load_classifier(tmp_path, {}), test, 4)
    np.testing.assert_array_equal(found, predict(classifier, test, 4))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"fusion": "sum"}, "no fusion 'sum'"),
        ({"fusion": None}, "no fusion None"),
        ({"fusion": "gated", "fusion_dimension": None}, "width of gated fusion"),
        ({"fusion": "cross_attention", "fusion_dimension": 15}, "15 numbers cannot be divided"),
    ],
)
def test_impossible_fusions_are_refused(resources, changes, named):
    """An unknown mode, a missing width, heads that do not divide it."""
    with pytest.raises(PairDxError, match=named):
        build(resources, "concatenation", **changes)
