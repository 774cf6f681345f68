"""Attention weights are those that the network uses, over words only."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_models as tiny
from pairdx.models.explanation import recorded
from pairdx.models.fusion import system as fusion
from pairdx.models.fusion.explanation import (
    CAPTION,
    IMAGE,
    explain,
    image_attention,
    self_attention,
    shares_of_words,
)
from pairdx.models.neural import images_for

CAPTIONS = ["axial ct scan mass", "polyp", "curve plot axis survival curve plot scan", "", "zz ct"]


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> dict[str, Path]:
    return tiny.write_word_vectors(tmp_path_factory.mktemp("words"), tiny.make_pairs(24))


def built(words: dict[str, Path], heads: int = 1, **changes) -> fusion.FusionClassifier:
    changes = {"attention": {"heads": heads, "dimension": 8}} | changes
    return fusion.build(tiny.settings(tiny.FUSION, **changes), tiny.CLASSES, words, 3)


def ids_of(classifier: fusion.FusionClassifier) -> torch.Tensor:
    return torch.from_numpy(classifier.tokenise(CAPTIONS))


def test_two_words_attend_as_the_papers_formula_says(words):
    """softmax(Q K^T / sqrt(d_k)) in plain NumPy."""
    captions = built(words).network.captions
    ids = torch.tensor([[2, 5, 0, 0]])
    vectors = captions.words.weight[ids[0, :2]].numpy()
    query, key = (
        vectors @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        for layer in (captions.query, captions.key)
    )
    scores = np.exp(query @ key.T / math.sqrt(8))
    found = self_attention(captions, ids)[0, 0, :2].numpy()
    np.testing.assert_allclose(found[:, :2], scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)
    assert (found[:, 2:] == 0).all()


@pytest.mark.parametrize("heads", [1, 2])
def test_weights_give_the_attended_values_of_the_network_again(words, heads):
    """Softmax weights times V are what scaled_dot_product_attention put out."""
    classifier = built(words, heads)
    captions, ids = classifier.network.captions, ids_of(classifier)
    weights = self_attention(captions, ids)
    is_word = ids != 0
    some = is_word.any(dim=1)
    torch.testing.assert_close(weights.sum(dim=3)[some], torch.ones(int(some.sum()), heads, 6))
    assert (weights.masked_select(~is_word[:, None, None, :]) == 0).all()
    with torch.no_grad(), recorded(captions.value) as values:
        features = captions.features(ids)
    by_head = values[0].unflatten(2, (heads, -1)).transpose(1, 2)
    again = (weights @ by_head).transpose(1, 2).flatten(start_dim=2)
    torch.testing.assert_close(again[some], features.words[some])


def test_shares_are_the_weights_with_which_words_enter_the_captions_vector(words):
    """One head, pooling by the mean: the caption's vector is the shares' mean of its values."""
    classifier = built(words)
    captions, ids = classifier.network.captions, ids_of(classifier)
    shares = shares_of_words(classifier.network, torch.empty(0), ids)[CAPTION]
    torch.testing.assert_close(shares.sum(dim=1), torch.tensor([1.0, 1.0, 1.0, 0.0, 1.0]))
    with torch.no_grad(), recorded(captions.value) as values:
        vectors = captions(ids)
    torch.testing.assert_close((shares[:, :, None] * values[0]).sum(dim=1), vectors)


def test_what_the_image_attends_to_gives_the_output_of_cross_attention_again(words):
    """Output projection of the weights' mean of the projected words, head by head."""
    classifier = built(words, 2, fusion="cross_attention", fusion_dimension=8)
    network, ids = classifier.network, ids_of(classifier)
    images = images_for(network, tiny.make_pairs(5).images, classifier.settings)
    attention = network.fusion.image_to_words
    with torch.no_grad():
        before = network(images, ids)
        weights = image_attention(network, images, ids)
        torch.testing.assert_close(network(images, ids), before, rtol=0, atol=0)
        outputs: list[torch.Tensor] = []
        handle = attention.register_forward_hook(lambda _, __, out: outputs.append(out[0]))
        with recorded(network.fusion.words) as projected:
            network(images, ids)
        handle.remove()
        value = torch.nn.functional.linear(
            projected[0], attention.in_proj_weight[16:], attention.in_proj_bias[16:]
        )
        by_head = value.unflatten(2, (2, 4)).transpose(1, 2)
        seen = (weights[:, :, None] @ by_head).squeeze(2).flatten(start_dim=1)
        again = attention.out_proj(seen)
    some = (ids != 0).any(dim=1)
    torch.testing.assert_close(again[some], outputs[0].squeeze(1)[some])
    torch.testing.assert_close(weights.sum(dim=2)[some], torch.ones(int(some.sum()), 2))
    assert (weights.masked_select((ids == 0)[:, None]) == 0).all()
    assert set(shares_of_words(network, images, ids)) == {CAPTION, IMAGE}


def test_words_are_named_as_they_are_read_and_the_cut_is_counted(words):
    """Six words are read; one without a vector is marked."""
    image = tiny.make_pairs(1).images[0]
    found = explain(built(words), image, 'Axial "CT" of the Zebra: curve plot, axis (B).').attention
    assert found.words == ("axial", "ct", "of", "the", "zebra", "curve")
    assert found.known == (True, True, False, False, False, True)
    assert found.cut == 3
    assert [shares.shape for shares in found.shares.values()] == [(6,)]


def test_a_caption_without_words_has_no_shares(words):
    found = explain(built(words), tiny.make_pairs(1).images[0], " -- ").attention
    assert found.words == ()
    assert [len(shares) for shares in found.shares.values()] == [0]


@pytest.mark.parametrize(("branch", "has_heat"), [("image", True), ("caption", False)])
def test_a_branch_that_is_not_built_is_not_explained(words, branch, has_heat):
    classifier = built(words, branches=[branch], fusion=None)
    found = explain(classifier, tiny.make_pairs(1).images[0], "axial ct scan")
    assert (found.heat is not None) == has_heat
    assert (found.positions is not None) == has_heat
    assert (found.attention is None) == has_heat
