"""Texts in a short and a long group: fewer tokens, the same features, gradients and losses."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CustomTextCLIP
from torch import Tensor

import tiny_clip
import tiny_models as tiny
from pairdx.models.base import FitJob
from pairdx.models.clip import system as clip
from pairdx.models.clip.cut_texts import reads_cut_texts
from pairdx.models.clip.objectives import Contrastive, Prompts
from pairdx.plan.configuration import complete, defaults, read_yaml
from pairdx.training.batches import BatchSource, Examples
from pairdx.training.text_groups import (
    LEAST_SAVED,
    STEP,
    TextGroups,
    lengths_of,
    text_groups,
)

CPU = torch.device("cpu")
REPOSITORY = Path(__file__).parents[2]
SHORT_AND_LONG = [
    "ct",
    "axial ct scan",
    "a mass",
    "a photo of an axial ct scan of a mass, an arrow",
]


def test_lengths_count_up_to_the_last_token_that_is_no_padding():
    """A zero within a text is a token of it; a text may be nothing but padding, or full."""
    tokens = np.array([[7, 0, 9, 0], [0, 0, 0, 0], [1, 2, 3, 4], [5, 0, 0, 0]])
    assert lengths_of(tokens).tolist() == [3, 0, 4, 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_is_cut_where_tokens_are_fewest(seed):
    """No other cut into a short and a long group computes with fewer; every text is read whole."""
    lengths = np.random.default_rng(seed).integers(0, 78, 23)
    groups = text_groups(lengths, 77)
    order, back = groups.places.numpy()
    read = np.repeat(groups.lengths, groups.sizes)
    assert (read >= lengths[order]).all()
    assert order[back].tolist() == list(range(23))
    rounded = np.minimum(-(-np.sort(lengths) // STEP) * STEP, 77).clip(1)
    best = min(cut * rounded[cut - 1] + (23 - cut) * rounded[-1] for cut in range(1, 24))
    assert best <= groups.tokens <= best / (1 - LEAST_SAVED)


def test_texts_of_one_length_are_one_group_in_their_own_order():
    """Two would be twice as many kernels for nothing; padding of all of them is left out."""
    groups = text_groups(np.array([9, 10, 11]), 77)
    assert (groups.sizes, groups.lengths) == ((3,), (16,))
    assert groups.places[0].tolist() == [0, 1, 2]


def test_features_come_back_in_the_order_of_the_texts():
    """Whatever group a text was read in."""
    texts = torch.zeros((5, 77), dtype=torch.int64)
    for row, length in enumerate([40, 3, 60, 2, 5]):
        texts[row, :length] = row + 1
    groups = text_groups(lengths_of(texts.numpy()), 77)
    assert groups.sizes == (3, 2)
    features = groups.read(lambda part: part.double().sum(dim=1, keepdim=True), texts)
    assert torch.equal(features, texts.double().sum(dim=1, keepdim=True))


@pytest.mark.parametrize("drawn", [False, True])
def test_batches_say_how_their_texts_are_grouped(drawn):
    """The same for texts that every epoch reads anew; without being asked they say nothing."""
    tokens = np.zeros((6, 20), dtype=np.int64)
    for row, length in enumerate([3, 20, 4, 18, 5, 2]):
        tokens[row, :length] = 1
    examples = Examples(np.zeros((6, 2, 2, 3), np.uint8), np.zeros(6, np.int64), tokens)
    if drawn:
        examples = Examples(examples.images, examples.labels, _Anew(tokens))
    batches = [np.array([0, 1, 2, 3]), np.array([5, 4])]
    first, second = BatchSource(examples, CPU, group_texts=True).batches(batches)
    assert (first.text_groups.sizes, first.text_groups.lengths) == ((2, 2), (8, 20))
    assert first.text_groups.places[0].tolist() == [0, 2, 3, 1]
    assert (second.text_groups.sizes, second.text_groups.lengths) == ((2,), (8,))
    assert next(BatchSource(examples, CPU).batches(batches)).text_groups is None


class _Anew:
    def __init__(self, tokens: np.ndarray) -> None:
        self.read, self.ids = tokens, np.arange(len(tokens))

    def tokens(self, rows: np.ndarray, epoch: int) -> np.ndarray:  # noqa: ARG002
        """The tokens of some rows."""
        return self.read[rows]


def demo_architecture() -> dict[str, Any]:
    """The one of the demo's pairdx_clip."""
    overlay = read_yaml(REPOSITORY / "config/demo.yaml")
    return complete(defaults(REPOSITORY), overlay)["systems"]["pairdx_clip"]["settings"][
        "architecture"
    ]


def own_clip(architecture: dict[str, Any]) -> Any:
    """A model of open_clip in CLIP's own form."""
    return open_clip.CLIP(**deepcopy(architecture))


def with_text_module(architecture: dict[str, Any], **text: Any) -> Any:
    """The same with the text encoder in a module of its own."""
    architecture = deepcopy(architecture)
    architecture["text_cfg"] |= text
    return CustomTextCLIP(**architecture)


@pytest.mark.parametrize(
    "build",
    [
        lambda _: own_clip(tiny.TINY_CLIP),
        lambda _: own_clip(demo_architecture()),
        lambda _: with_text_module(tiny.TINY_CLIP),
        lambda folder: tiny_clip.from_folder(tiny_clip.write_model_folder(folder / "f")).parts.clip,
    ],
    ids=["tiny", "demo", "text module", "bert"],
)
def test_features_and_gradients_are_those_of_the_padded_texts(build, tmp_path):
    """To rounding: nothing behind the token that ends a text is part of what is taken of it."""
    model = build(tmp_path).double().eval()
    assert reads_cut_texts(model)
    tokens = torch.zeros((4, model.context_length), dtype=torch.int64)
    for row, length in enumerate([3, 8, 4, tokens.shape[1]]):
        tokens[row, :length] = torch.arange(1, length + 1) % 7 + 1
        tokens[row, length - 1] = 8
    groups = text_groups(lengths_of(tokens.numpy()), tokens.shape[1])
    assert groups.tokens < tokens.numel()
    plain = features_and_gradients(model, tokens, None)
    cut = features_and_gradients(model, tokens, groups)
    for name, one in plain.items():
        torch.testing.assert_close(cut[name], one, rtol=1e-9, atol=1e-12, msg=name)


def features_and_gradients(
    model: Any, tokens: Tensor, groups: TextGroups | None
) -> dict[str, Tensor]:
    """What encoding gives, and the gradients of all that it rests on."""
    network = clip.ClipNetwork(model, torch.nn.Identity(), [])
    network.zero_grad(set_to_none=True)
    features = network.text_features(tokens, groups)
    weights = torch.linspace(-1, 1, features.numel()).view_as(features)
    (features * weights).sum().backward()
    named = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return {"features": features.detach()} | named


@pytest.mark.parametrize("text", [{"no_causal_mask": True}, {"pool_type": "last"}])
def test_encoders_that_see_padding_read_whole_texts(text):
    """Attention to both sides, or the feature of the last place: padding is part of it."""
    assert not reads_cut_texts(with_text_module(tiny.TINY_CLIP, **text))


def test_a_bert_whose_padding_is_another_number_than_zero_reads_whole_texts(tmp_path):
    """Lengths count zeros: what it would take for padding is none, and what is none for tokens."""
    model = tiny_clip.from_folder(tiny_clip.write_model_folder(tmp_path / "f")).parts.clip
    assert reads_cut_texts(model)
    model.text.config.pad_token_id = 1
    assert not reads_cut_texts(model)


def losses(objective: str, *, grouped: bool, monkeypatch: Any) -> list[float]:
    """Losses of two epochs of tuning a tiny CLIP, by step sizes that do not amplify rounding."""
    with monkeypatch.context() as patch:
        if not grouped:
            patch.setattr("pairdx.models.clip.objectives.reads_cut_texts", lambda _: False)
        classifier = tiny_clip.build(
            objective=objective, epochs=2, batch_size=6, learning_rate=1e-4, augmentation=None
        )
        kind = {"contrastive": Contrastive, "prompts": Prompts}[objective]
        assert isinstance(clip._objective(classifier), kind)
        lengths = lengths_of(classifier.parts.tokenise(tiny.make_pairs(20).captions).numpy())
        assert lengths.min() <= STEP < classifier.settings["context_length"]
        rows = clip.fit(classifier, tiny.make_pairs(20), tiny.make_pairs(6), FitJob(1))
    return rows[["train_loss", "validation_loss"]].to_numpy().ravel().tolist()


@pytest.mark.parametrize("objective", ["contrastive", "prompts"])
def test_training_has_the_same_losses(objective, monkeypatch):
    """In float32, to a millionth."""
    plain = losses(objective, grouped=False, monkeypatch=monkeypatch)
    assert losses(objective, grouped=True, monkeypatch=monkeypatch) == pytest.approx(
        plain, rel=1e-6
    )


def test_predictions_are_made_of_whole_prompts():
    """Bit for bit as before: only training leaves padding out."""
    network = tiny_clip.build().network
    expected = network.text_features(network.prompts)
    assert torch.equal(network.prompt_features(network.prompts), expected)
