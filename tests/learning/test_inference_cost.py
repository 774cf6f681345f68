"""What classifying one image costs: operations by hand, turns in order, ratios with intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from pairdx.errors import PairDxError
from pairdx.evaluation.inference_cost import (
    Priced,
    flops_of,
    interleaved_seconds,
    price,
    ratio_of_medians,
)
from pairdx.models.clip_it import system as clip_it

BY_HAND = {
    # A multiplication and an addition for each weight, at each place where it is used.
    "linear": (nn.Linear(5, 3), torch.ones(1, 5), 2 * 5 * 3),
    # 3 x 3 kernels on 4 channels to 6, on 8 x 8 pixels: an output on each of 6 x 6.
    "convolution": (nn.Conv2d(4, 6, 3), torch.ones(1, 4, 8, 8), 2 * (3 * 3 * 4) * 6 * 36),
    # Depth-wise: every channel alone.
    "depth-wise": (nn.Conv2d(4, 4, 3, groups=4), torch.ones(1, 4, 8, 8), 2 * (3 * 3) * 4 * 36),
    # 7 tokens of 8 numbers: queries, keys, values and output are 4 products of 8 x 8; the weights
    # of attention and what they add up are 7 x 7 x 8 each.
    "attention": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0),
        torch.ones(1, 7, 8),
        2 * (4 * 7 * 8 * 8 + 2 * 7 * 7 * 8 + 2 * 7 * 8 * 16),
    ),
}


@pytest.mark.parametrize(("layer", "read", "flops"), BY_HAND.values(), ids=list(BY_HAND))
def test_operations_are_those_counted_by_hand(
    layer: nn.Module, read: torch.Tensor, flops: int
) -> None:
    """Also where PyTorch fuses a whole layer when it only predicts."""
    layer.eval()

    def ask() -> None:
        with torch.inference_mode():
            layer(read)

    assert flops_of(ask) == flops
    assert torch.backends.mha.get_fastpath_enabled()


def test_everyone_has_a_turn_in_each_round_and_nobody_is_always_first() -> None:
    turns: list[str] = []
    asked: dict[str, Callable[[], object]] = {
        name: (lambda name=name: turns.append(name)) for name in "abc"
    }
    seconds = interleaved_seconds(asked, rounds=20, warm_up=2, seed=1)
    rounds = [turns[start : start + 3] for start in range(0, len(turns), 3)]
    assert len(rounds) == 22
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert {one[0] for one in rounds} == {"a", "b", "c"}
    assert {name: len(each) for name, each in seconds.items()} == {"a": 20, "b": 20, "c": 20}
    again = list(turns)
    turns.clear()
    interleaved_seconds(asked, rounds=20, warm_up=2, seed=1)
    assert turns == again


def test_a_ratio_is_over_the_same_rounds() -> None:
    """Whatever slows a round down slows both: their ratio knows no doubt."""
    slowed = np.random.default_rng(0).uniform(1, 9, 50)
    ratio, low, high = ratio_of_medians(2 * slowed, slowed, 0)
    assert (ratio, low, high) == pytest.approx((2, 2, 2))
    other = np.random.default_rng(1).uniform(1, 9, 50)
    _, low, high = ratio_of_medians(other, slowed, 0)
    assert low < 1 < high


def test_the_same_system_twice_costs_the_same() -> None:
    layer, read = nn.Linear(64, 64), torch.ones(1, 64)
    one = Priced("one", lambda: layer(read), 64 * 65)
    twice = Priced("twice", lambda: layer(read), 64 * 65, against="one")
    found = price([one, twice], rounds=60, warm_up=5, threads=1, seed=0)
    first, second = found["systems"]["one"], found["systems"]["twice"]
    assert first["flops"] == second["flops"] == 2 * 64 * 64
    assert first["ratio"] is None
    assert 0.5 < second["ratio_low"] <= second["ratio"] <= second["ratio_high"] < 2
    assert len(second["seconds"]) == found["rounds"] == 60


def test_what_cannot_be_compared_is_refused() -> None:
    lonely = Priced("one", lambda: None, 1, against="missing")
    with pytest.raises(PairDxError, match="nothing can be priced"):
        price([lonely], rounds=1, warm_up=0, threads=1, seed=0)


def test_the_text_branch_adds_exactly_its_own_products() -> None:
    """h_d, h_t and g beside the same backbone and h_v: nothing else is computed for an image."""
    backbone = {"library": "timm", "name": "test_resnet", "weights": None, "arguments": {}}
    plain = {
        **{"backbone": backbone, "trains": "head", "lora": None, "pairing": None},
        **{"text_branch": None, "fusion": "none", "distillation_weight": 1.0},
        **{"channels_last": False, "precision": "float32"},
    }
    branch = {"layers": 1, "hidden": 7, "negative_slope": 0.1, "dimension": 5}
    images = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    found = []
    for settings in (plain, {**plain, "text_branch": branch, "fusion": "late"}):
        classifier = clip_it.build(settings, ("a", "b", "c"), {}, 1)
        width = classifier.facts["dimension"]
        found.append(flops_of(lambda one=classifier: one.probabilities(images, None)))
    to_text, of_text, fused = width * 5, 5 * 7 + 7 * 3, 6 * 3
    assert found[1] - found[0] == 2 * (to_text + of_text + fused)
    assert found[0] > 2 * width * 3
