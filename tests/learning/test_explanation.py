"""Grad-CAM by hand, on networks whose evidence is known, and without a trace in the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

import tiny_clip
import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.clip.explanation import last_positions
from pairdx.models.explanation import explainer, grad_cam, heat_maps, recorded
from pairdx.models.fusion import system as fusion

SIZE = 16


class PooledMaps(nn.Module):
    """Maps of a convolution, pooled over positions, and a linear layer: its Grad-CAM is known."""

    def __init__(self, maps: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.maps, self.linear = maps, nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images of shape (B, channels, S, S)."""
        return self.linear(self.maps(images).mean(dim=(2, 3)))


def hooks_of(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


def test_grad_cam_equals_the_papers_formula_computed_by_hand():
    """alpha_k is w_k / 4 for 2 x 2 positions, so the map is ReLU(w_1 A_1 + w_2 A_2) / 4."""
    network = PooledMaps(nn.Identity(), 2, 2)
    network.linear.weight.data = torch.tensor([[1.0, -2.0], [-1.0, 3.0]])
    first, second = [[4.0, 8.0], [0.0, 1.0]], [[1.0, 5.0], [2.0, 0.0]]
    images = torch.tensor([[first, second], [second, first]])
    found = grad_cam(network.maps, lambda: network(images), torch.tensor([0, 1]))
    by_hand = [
        [[(4 - 2) / 4, 0.0], [0.0, 1 / 4]],
        [[(-1 + 12) / 4, (-5 + 24) / 4], [0.0, 3 / 4]],
    ]
    torch.testing.assert_close(found, torch.tensor(by_hand))


def test_heat_is_enlarged_bilinearly_and_ends_at_one():
    """From 2 to 4 pixels the inner ones lie a quarter of the way between the outer ones."""
    (found, nothing) = heat_maps(torch.tensor([[[0.0, 8.0], [0.0, 8.0]], [[0.0, 0.0]] * 2]), 4)
    np.testing.assert_allclose(found, [[0.0, 0.25, 0.75, 1.0]] * 4)
    assert (nothing == 0).all()


def squares(corners: list[tuple[int, int]], seed: int) -> Tensor:
    """Noise with a bright square in one quarter of each image; none where the corner is (9, 9)."""
    images = 0.3 * torch.rand(len(corners), 3, SIZE, SIZE, generator=torch.manual_seed(seed))
    for image, (row, column) in zip(images, corners, strict=True):
        if row < 2:
            top, left = row * SIZE // 2 + 2, column * SIZE // 2 + 2
            image[:, top : top + 4, left : left + 4] = 1.0
    return images


def square_detector() -> PooledMaps:
    """Two layers of convolutions that find bright squares, and what to make of them, set by hand.

    The first layer's first channel is how far the mean of three by three pixels is above what
    noise reaches, its second a constant; the second layer passes both on. Class 1 is a square.
    """
    layers = nn.Sequential(
        *(nn.Conv2d(3, 2, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(2, 2, 3, stride=2, padding=1), nn.ReLU()),
    )
    network = PooledMaps(layers, 2, 2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        layers[0].weight[0] = 1 / 27
        layers[0].bias[:] = torch.tensor([-0.4, 1.0])
        layers[2].weight[[0, 1], [0, 1]] = 1 / 9
        network.linear.weight[:] = torch.tensor([[-100.0, 0.5], [100.0, -0.5]])
    return network


def test_the_corner_that_holds_the_evidence_lights_up():
    """In a network that tells images with a square from those without, wherever it is."""
    network = square_detector()
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    images = squares([*places, (9, 9)], 2)
    assert network(images).argmax(dim=1).tolist() == [1, 1, 1, 1, 0]
    chosen = torch.ones(4, dtype=torch.int64)
    maps = grad_cam(network.maps, lambda: network(images[:4]), chosen)
    for heat, (row, column) in zip(heat_maps(maps, SIZE), places, strict=True):
        quarters = heat.reshape(2, SIZE // 2, 2, SIZE // 2).sum(axis=(1, 3))
        assert quarters[row, column] > 0.6 * quarters.sum()


def test_frozen_layers_are_no_obstacle_and_no_parameter_gets_a_gradient():
    network = PooledMaps(nn.Conv2d(3, 4, 3), 4, 3).requires_grad_(requires_grad=False)
    images = torch.rand(2, 3, 8, 8)
    frozen = grad_cam(network.maps, lambda: network(images), torch.tensor([0, 2]))
    network.requires_grad_()
    free = grad_cam(network.maps, lambda: network(images), torch.tensor([0, 2]))
    torch.testing.assert_close(frozen, free)
    assert frozen.max() > 0
    assert all(parameter.grad is None for parameter in network.parameters())


def test_hooks_go_even_if_the_network_fails():
    network = PooledMaps(nn.Conv2d(3, 4, 3), 4, 3)
    with pytest.raises(RuntimeError), recorded(network.maps):
        grad_cam(network.maps, lambda: network(torch.rand(2, 9, 8, 8)), torch.tensor([0, 2]))
    assert hooks_of(network) == 0


@pytest.mark.parametrize("family", ["fusion", "clip"])
def test_explaining_leaves_no_trace(family, tmp_path):
    """Predictions are the same bit for bit, and what is explained is what is predicted.

    The latter but for rounding: with gradients, PyTorch may take another way through a layer.
    """
    pairs = tiny.make_pairs(4)
    if family == "clip":
        classifier = tiny_clip.build()
    else:
        words = tiny.write_word_vectors(tmp_path, pairs)
        settings = tiny.settings(tiny.FUSION, freeze_image_encoder=True)
        classifier = fusion.build(settings, tiny.CLASSES, words, 1)
    tokens = classifier.tokenise(pairs.captions[:1])
    before = classifier.probabilities(pairs.images[:1], tokens)
    explanation = explainer(family)(classifier, pairs.images[0], pairs.captions[0])
    np.testing.assert_array_equal(classifier.probabilities(pairs.images[:1], tokens), before)
    np.testing.assert_allclose(explanation.probabilities, before[0], atol=1e-5)
    assert explanation.predicted == tiny.decided(before)[0]
    assert hooks_of(classifier.network) == 0
    assert all(parameter.grad is None for parameter in classifier.network.parameters())
    assert explanation.heat.shape == pairs.images.shape[1:3]
    assert 0 <= explanation.heat.min() <= explanation.heat.max() <= 1


# -------------------------------------------------------------------- image encoders of CLIP
ENCODERS = {
    "open_clip's transformer": lambda: VisionTransformer(32, 8, 32, 1, 2, 2.0, output_dim=16),
    "a transformer of timm": lambda: TimmModel("test_vit", 16, image_size=64, pool=""),
    "open_clip's ResNet": lambda: ModifiedResNet((1, 1, 1, 1), 16, 4, image_size=128, width=8),
    "a ResNet of timm": lambda: TimmModel("test_resnet", 16, image_size=128, pool="avg"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_position_of_an_encoder_is_found_in_its_place_and_bears_on_the_result(name):
    """A change in one corner of the image shows there, and a gradient reaches every position."""
    torch.manual_seed(0)
    visual = ENCODERS[name]().eval()
    layer, as_map = last_positions(visual)
    side = visual.image_size[0] if isinstance(visual.image_size, tuple) else visual.image_size
    plain, changed = torch.rand(2, 1, 3, side, side).unbind()
    changed[:, :, side // 4 :] = plain[:, :, side // 4 :]
    changed[..., : 3 * side // 4] = plain[..., : 3 * side // 4]
    with torch.no_grad(), recorded(layer) as outputs:
        visual(torch.cat([plain, changed]))
    before, after = as_map(outputs[0])
    moved = (after - before).norm(dim=0)
    rows, columns = moved.shape
    assert divmod(int(moved.argmax()), columns) == (0, columns - 1)
    assert (rows, columns) == (4, 4)

    reached = torch.stack(
        [
            grad_cam(layer, lambda sign=sign: sign * visual(plain), torch.tensor([column]), as_map)
            for column in range(visual(plain).shape[1])
            for sign in (1, -1)
        ]
    )
    assert (reached.sum(dim=(0, 1)) > 0).all()


def test_an_encoder_without_known_positions_is_refused_by_name():
    with pytest.raises(PairDxError, match="Linear"):
        last_positions(nn.Linear(2, 2))
