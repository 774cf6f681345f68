"""LoRA: adapters alone are trained, and a model without them is what remains."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import open_clip
import pytest
import torch
from torch import Tensor, nn

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, predict
from pairdx.models.clip import system as clip
from pairdx.models.clip.adapters import adapt
from pairdx.models.clip.system import ClipClassifier
from pairdx.models.registry import load_classifier
from pairdx.training.batches import BatchSource, Examples
from tiny_clip import build, from_folder, plain_open_clip, write_model_folder

LORA = {
    "rank": 3,
    "alpha": 6,
    "dropout": 0.0,
    "targets": ["in_proj_weight", "mlp.c_fc", "mlp.c_proj"],
    "train_logit_scale": True,
}
# A timm image encoder and a BERT, in which every layer is a linear one; with dropout.
BIOMEDCLIP_LORA = {
    **LORA,
    "dropout": 0.1,
    "targets": [
        *("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"),
        *("query", "key", "value", "output.dense", "intermediate.dense"),
    ],
}
# (in, out) of every adapted layer, by hand. Image encoder of width 32: query, key and value side by
# side, then the two layers of the perceptron, 4 times as wide; text encoder of width 16 likewise.
LAYERS = [(32, 96), (32, 128), (128, 32), (16, 48), (16, 64), (64, 16)]
# Of each of the 6 blocks of timm's test_vit, and of BERT's one.
BIOMEDCLIP_LAYERS = 6 * [(64, 192), (64, 64), (64, 192), (192, 64)] + 6 * [(16, 16)]
FAMILIES = ("open_clip", "biomedclip")

Make = Callable[..., ClipClassifier]


class KilledError(Exception):
    """Stands for whatever kills a job."""


@pytest.fixture(params=FAMILIES)
def make(request, tmp_path) -> Make:
    """Builds a model with PyTorch's packed attention, or one in BiomedCLIP's format."""
    if request.param == "open_clip":
        return lambda **changes: build(**({"lora": LORA} | changes))
    folder = write_model_folder(tmp_path / "biomedclip")
    return lambda **changes: from_folder(folder, **({"lora": BIOMEDCLIP_LORA} | changes))


def fit(classifier: ClipClassifier, job: FitJob | None = None) -> None:
    clip.fit(classifier, tiny.make_pairs(17), tiny.make_pairs(6, seed=1), job or FitJob(seed=1))


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def one_batch(classifier: ClipClassifier):
    pairs = tiny.make_pairs(9)
    tokens = classifier.parts.tokenise(pairs.captions).numpy()
    examples = Examples(pairs.images, pairs.labels, tokens)
    return next(BatchSource(examples, torch.device("cpu")).batches([np.arange(9)]))


def watch_training(monkeypatch, seen: dict) -> None:
    """Keep the adapted model's weights and predictions as they are just before merging."""
    inner = clip.fit_network

    def fit_network(network, *arguments):
        seen["before"] = copied(network)
        seen["trained"] = {n: p for n, p in network.named_parameters() if p.requires_grad}
        rows = inner(network, *arguments)
        seen["after"] = copied(network)
        with torch.inference_mode():
            batch = seen["batch"]
            seen["features"] = network.image_features(batch.images).clone()
            seen["texts"] = network.text_features(batch.texts).clone()
        return rows

    monkeypatch.setattr(clip, "fit_network", fit_network)


def test_training_starts_at_the_pretrained_model(make):
    """Bit for bit the frozen model: the second factor of every adapter starts at 0."""
    classifier = make()
    network, batch = classifier.network, one_batch(classifier)
    network.requires_grad_(False)
    before = network.image_features(batch.images), network.text_features(batch.texts)
    adapt(classifier.parts, classifier.settings["lora"], 1)
    with torch.no_grad():
        assert torch.equal(network.image_features(batch.images), before[0])
        assert torch.equal(network.text_features(batch.texts), before[1])


@pytest.mark.parametrize("objective", ["contrastive", "prompts"])
def test_only_adapters_and_the_temperature_move(make, objective, monkeypatch):
    """Every trained parameter changes; every weight of the base keeps each of its bits."""
    classifier, seen = make(objective=objective, epochs=2), {}
    seen["batch"] = one_batch(classifier)
    watch_training(monkeypatch, seen)
    fit(classifier)
    moved = {n for n, value in seen["after"].items() if not torch.equal(value, seen["before"][n])}
    assert moved == set(seen["trained"])
    adapters = {name for name in moved if ".lora_A." in name or ".lora_B." in name}
    assert moved - adapters == {"clip.logit_scale"}


def test_the_temperature_is_frozen_on_demand(make):
    """With train_logit_scale: false nothing but adapters is trained."""
    kept = make()
    lora = {**kept.settings["lora"], "train_logit_scale": False}
    classifier = make(epochs=1, lora=lora)
    before = copied(classifier.parts.clip)["logit_scale"]
    fit(classifier)
    fit(kept)
    assert torch.equal(classifier.parts.clip.logit_scale, before)
    assert classifier.trained_parameters == kept.trained_parameters - 1


def test_trained_parameters_are_counted_by_hand(make):
    """Rank x (in + out) of every adapted layer, and 1; the deployed model does not grow."""
    classifier = make(epochs=1)
    whole = classifier.parameters
    layers = LAYERS if classifier.settings["lora"] == LORA else BIOMEDCLIP_LAYERS
    assert classifier.trained_parameters == 0
    fit(classifier)
    assert classifier.trained_parameters == sum(3 * (i + o) for i, o in layers) + 1
    assert classifier.parameters == whole


@pytest.mark.parametrize(
    ("targets", "layers"),
    [(["in_proj_weight"], [(32, 96), (16, 48)]), (["c_proj"], [(128, 32), (64, 16)])],
)
def test_targets_choose_the_layers(targets, layers):
    """Packed projections alone, or linear layers alone, in both encoders."""
    classifier = build(lora={**LORA, "targets": targets, "train_logit_scale": False}, epochs=1)
    before = copied(classifier.parts.clip)
    fit(classifier)
    assert classifier.trained_parameters == sum(3 * (i + o) for i, o in layers)
    after = classifier.parts.clip.state_dict()
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    assert len(moved) == len(layers)
    assert all(targets[0] in name for name in moved)


def test_without_lora_all_parameters_are_trained(make):
    """Null is the paper's PairDxCLIP."""
    classifier = make(lora=None, epochs=1)
    fit(classifier)
    assert classifier.trained_parameters == classifier.parameters


def test_merged_features_equal_unmerged_ones(make, monkeypatch):
    """Merging changes only rounding, and what training did is far larger than that."""
    classifier, seen = make(epochs=2), {}
    seen["batch"] = batch = one_batch(classifier)
    with torch.inference_mode():
        untrained = classifier.network.image_features(batch.images).clone()
    watch_training(monkeypatch, seen)
    fit(classifier)
    with torch.inference_mode():
        images = classifier.network.image_features(batch.images)
        texts = classifier.network.text_features(batch.texts)
    torch.testing.assert_close(images, seen["features"], rtol=0, atol=1e-5)
    torch.testing.assert_close(texts, seen["texts"], rtol=0, atol=1e-5)
    assert (images - untrained).abs().max() > 1e-3


def test_the_merged_weights_are_the_base_and_the_scaled_product(monkeypatch):
    """W + alpha / rank x B A, by hand, for the packed projection and for a linear layer."""
    classifier, seen = build(lora=LORA, epochs=1), {}
    seen["batch"] = one_batch(classifier)
    watch_training(monkeypatch, seen)
    fit(classifier)
    merged, after = copied(classifier.parts.clip), seen["after"]
    block = "visual.transformer.resblocks.0"
    for layer, weight in ((f"{block}.attn", "in_proj_weight"), (f"{block}.mlp.c_fc", "weight")):
        first, second = (
            after[f"clip.{layer}.lora_{factor}.lora.weight"].double().numpy() for factor in "AB"
        )
        base = after[f"clip.{layer}.base_layer.{weight}"].double().numpy()
        expected = base + 6 / 3 * second @ first
        np.testing.assert_allclose(merged[f"{layer}.{weight}"].numpy(), expected, atol=1e-6)


def test_a_saved_model_is_an_ordinary_open_clip_model_that_predicts_the_same(tmp_path):
    """The weights file loads without peft, and equal predictions need no adapters."""
    classifier = build(lora=LORA, epochs=2)
    fit(classifier)
    folder, test = tmp_path / "saved", tiny.make_pairs(9, seed=2)
    folder.mkdir()
    classifier.save(folder)
    loaded = load_classifier(folder, {})
    np.testing.assert_array_equal(predict(loaded, test, 4), predict(classifier, test, 4))
    assert loaded.parameters == classifier.parameters
    assert loaded.trained_parameters == classifier.trained_parameters
    open_clip.load_checkpoint(plain_open_clip(), str(folder / "model.safetensors"))


def test_lora_learns():
    """From random weights, class prompts are learned through the adapters alone."""
    classifier = build(lora={**LORA, "rank": 8, "alpha": 16}, objective="prompts", epochs=6)
    rows = clip.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["validation_loss"].iloc[-1] < tiny.LEARNED


def test_mixed_precision_trains_the_same_adapters_in_float32(make):
    """Under bfloat16 the stored weights stay float32, and so does what is merged."""
    classifier = make(epochs=1, precision="bfloat16")
    before = copied(classifier.parts.clip)
    fit(classifier)
    after = classifier.parts.clip.state_dict()
    assert all(tensor.dtype == before[name].dtype for name, tensor in after.items())
    assert any(not torch.equal(tensor, before[name]) for name, tensor in after.items())


def test_the_seed_decides_the_adapters(make):
    """Equal seeds give equal weights; another seed gives others, from the same base."""

    def trained(seed: int) -> dict[str, Tensor]:
        classifier = make(epochs=1)
        fit(classifier, FitJob(seed=seed))
        return copied(classifier.parts.clip)

    first, again, other = trained(1), trained(1), trained(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_an_interrupted_training_ends_with_the_same_weights(make, tmp_path):
    """Killed after the first epoch and run again: the same merged weights, bit for bit."""

    def trained(job: FitJob) -> dict[str, Tensor]:
        classifier = make(epochs=2)
        fit(classifier, job)
        return copied(classifier.parts.clip)

    def kill(_) -> None:
        raise KilledError

    state = tmp_path / "state"
    undisturbed = trained(FitJob(seed=1))
    with pytest.raises(KilledError):
        trained(FitJob(seed=1, state_folder=state, after_epoch=kill))
    kept = torch.load(next(state.glob("*.pt")), weights_only=True)["module"]
    # Neither the weights below the adapters nor any other frozen one.
    assert all(".lora_" in name or name.endswith("logit_scale") for name in kept)
    assert any(".lora_A." in name for name in kept)
    resumed = trained(FitJob(seed=1, state_folder=state))
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_the_settings_name_the_adapters(tmp_path):
    """A reader of settings.json sees how the model was trained and how much of it."""
    classifier = build(lora=LORA, epochs=1)
    fit(classifier)
    classifier.save(tmp_path)
    content = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert content["settings"]["lora"] == LORA
    assert content["trained_parameters"] == 3 * sum(i + o for i, o in LAYERS) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": ["mlp.c_fc", "fc_c"]}, r"neither encoder has a layer 'fc_c'[\s\S]*mlp\.c_fc"),
        ({"targets": ["out_proj"]}, "would learn nothing"),
        ({"targets": ["attn"]}, "MultiheadAttention"),
        ({"targets": ["conv1"]}, "Conv2d"),
        ({"dropout": 0.2}, "in_proj_weight has no inputs"),
    ],
)
def test_adapters_that_could_not_work_are_refused(changes, message):
    """Unknown names, layers whose adapter would be ignored, dropout where there is none."""
    with pytest.raises(PairDxError, match=message):
        fit(build(lora={**LORA, **changes}))
