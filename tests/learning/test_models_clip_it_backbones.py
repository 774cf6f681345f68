"""Backbones by name, of three libraries: their features, sizes, weights, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import yaml
from safetensors.torch import save_file
from torchvision import models

import tiny_clip
import tiny_clip_it as tiny
import tiny_models
from pairdx.errors import PairDxError
from pairdx.models.adapters import adapt_layers, merge_adapters
from pairdx.models.base import predict
from pairdx.models.clip.weights import save_clip_weights
from pairdx.models.clip_it.backbones import build_backbone
from pairdx.models.frozen_encoder import load_encoder
from pairdx.models.registry import load_classifier
from pairdx.models.text_features import TextFeatures, write_text_features
from pairdx.training.randomness import seeded

ADAPTERS = {"trains": "adapters", "lora": tiny.LORA}
TOWER = {"library": "open_clip", "name": "tiny", "weights": None, "arguments": {},
         "encoder": tiny.ENCODER}  # fmt: skip


def of(library: str, name: str, weights: str | None = None, **arguments) -> dict:
    return {"library": library, "name": name, "weights": weights, "arguments": arguments}


# Networks of one library with layers that are not what they seem.
SMALL = {
    "beit_base_patch16_224": {"depth": 1, "embed_dim": 32, "num_heads": 2, "img_size": 32},
    "test_nfnet": {},
    "tf_efficientnet_lite0": {},
}
BEIT = of("timm", "beit_base_patch16_224", **SMALL["beit_base_patch16_224"])


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> dict[str, Path]:
    return tiny.write_bank(tmp_path_factory.mktemp("bank"), *tiny.pairs())


@pytest.mark.parametrize(
    ("backbone", "changes"),
    [
        (of("timm", "test_vit", img_size=32), ADAPTERS),
        (of("timm", "test_resnet"), {"trains": "everything", "channels_last": True}),
        (of("torchvision", "shufflenet_v2_x0_5"), ADAPTERS),
        (TOWER, ADAPTERS),
        (TOWER, {"text_encoder": {"trains": "adapters", "lora": tiny.LORA, "detach": False}}),
    ],
)
def test_a_backbone_of_each_library_trains_is_saved_and_classifies_the_same(
    bank, tmp_path, backbone, changes
) -> None:
    classifier, test = tiny.build(bank, backbone=backbone, **changes), tiny_models.make_pairs(5)
    before = predict(classifier, test, 4)
    tiny.fit(classifier)
    classifier.save(tmp_path)
    loaded = load_classifier(tmp_path, {})
    found = predict(loaded, test, 4)
    np.testing.assert_array_equal(found, predict(classifier, test, 4))
    assert np.abs(found - before).max() > 1e-3
    assert loaded.parameters == classifier.parameters
    assert loaded.trained_parameters == classifier.trained_parameters > 0


@pytest.mark.parametrize(
    ("library", "name", "arguments", "dimension", "side", "mean"),
    [
        ("timm", "test_vit", {}, 64, 160, 0.5),
        ("timm", "test_vit", {"dynamic_img_size": True}, 64, None, 0.5),
        ("timm", "test_vit", {"dynamic_img_size": True, "patch_size": 10}, 64, None, 0.5),
        ("timm", "test_vit.r160_in1k", {"img_size": 32}, 64, 32, 0.5),
        ("timm", "test_vit", {"img_size": [32, 32]}, 64, 32, 0.5),
        ("timm", "test_resnet", {}, 96, None, 0.5),
        ("timm", "test_vit", {"pretrained_cfg_overlay": {"mean": [0.4] * 3}}, 64, 160, 0.4),
        ("torchvision", "resnet18", {}, 512, None, 0.485),
        ("torchvision", "mobilenet_v3_small", {}, 1024, None, 0.485),
        ("torchvision", "squeezenet1_1", {}, None, None, None),
    ],
)
def test_dimension_size_and_mean_are_the_networks_own(
    library, name, arguments, dimension, side, mean
) -> None:
    settings = of(library, name, **arguments)
    if dimension is None:
        with pytest.raises(PairDxError, match="not one linear layer"):
            build_backbone(settings, None, 1)
        return
    made = build_backbone(settings, None, 1)
    assert (made.facts.dimension, made.facts.side) == (dimension, side)
    assert made.facts.mean[0] == pytest.approx(mean)
    assert not any(name.startswith(("fc.", "head.")) for name in made.network.state_dict())


def test_every_backbone_of_the_configuration_can_be_built() -> None:
    """With one block each. Image towers are described by feature_extractors instead."""
    path = Path(__file__).parents[2] / "config/clip_it.yaml"
    systems = yaml.safe_load(path.read_text(encoding="utf-8"))["systems"].values()
    all_of_them = [one["settings"].get("backbone") for one in systems if "settings" in one]
    found = {one["name"]: one for one in all_of_them if one and one["library"] != "open_clip"}
    made = {
        name: build_backbone(of(one["library"], name, **one["arguments"], depth=1), None, 1).facts
        for name, one in found.items()
    }
    sides = {name: (facts.dimension, facts.side) for name, facts in made.items()}
    assert sides == {
        "vit_small_patch16_224": (384, 224),
        "vit_small_patch8_224": (384, 224),
        "vit_base_patch16_224": (768, 224),
        "vit_base_patch8_224": (768, 224),
        "vit_large_patch14_reg4_dinov2": (1024, None),
        "vit_large_patch16_224": (1024, None),
    }


def test_an_image_tower_sees_what_its_model_sees() -> None:
    """Features, size and normalisation are those of the whole open_clip model."""
    whole = tiny_clip.build(5)
    tower = build_backbone(TOWER, None, 5)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = whole.parts.clip.encode_image(images)
        torch.testing.assert_close(tower.network(images), expected)
    assert tower.facts.mean == list(whole.parts.mean)
    assert tower.facts.side == 32


def saved_with_a_head(library: str, folder: Path, classes: int = 7) -> tuple[Path, torch.nn.Module]:
    """Write the weights of a classifier of other classes, as its library saves them."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        if library == "timm":
            made = timm.create_model("test_vit", num_classes=classes, img_size=32)
            save_file(made.state_dict(), folder / "model.safetensors")
            return folder / "model.safetensors", made.eval()
        made = models.get_model("shufflenet_v2_x0_5", weights=None, num_classes=classes)
    torch.save({"state_dict": made.state_dict()}, folder / "model.pth")
    return folder / "model.pth", made.eval()


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_weights_of_a_classifier_of_other_classes_are_taken_without_it(library, tmp_path) -> None:
    path, original = saved_with_a_head(library, tmp_path)
    name = {"timm": "test_vit", "torchvision": "shufflenet_v2_x0_5"}[library]
    arguments = {"timm": {"img_size": 32}, "torchvision": {}}[library]
    made = build_backbone(of(library, name, "given", **arguments), path, 1)
    own, given = made.network.state_dict(), original.state_dict()
    assert all(torch.equal(own[key], given[key]) for key in own)
    assert {key.split(".")[0] for key in given.keys() - own.keys()} <= {"head", "fc"}


def test_weights_of_an_image_tower_are_those_of_its_model(tmp_path) -> None:
    whole, path = tiny_clip.build(8).parts, tmp_path / "clip.safetensors"
    save_clip_weights(whole, path)
    encoder = {**tiny.ENCODER, "weights": "given"}
    made = build_backbone({**TOWER, "encoder": encoder}, path, 1)
    expected = whole.clip.visual.state_dict()
    assert all(torch.equal(made.network.state_dict()[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (of("timm", "test_vitt"), r"timm has no network 'test_vitt'; did you mean test_vit"),
        (of("torchvision", "resnet81"), r"torchvision has no network .*did you mean resnet"),
        (of("timm", "hf-hub:somebody/some-vit"), "timm has no network"),
        (of("timm", "test_vit.no_such_tag"), "timm cannot build"),
        (of("timm", "test_vit", imgsize=3), "timm cannot build test_vit"),
        (of("timm", "test_vit", pretrained=True), "pretrained is not for settings"),
        (of("torchvision", "resnet18", num_classes=2), "num_classes is not for settings"),
        (of("timm", "test_vit", global_pool=""), "one row of features"),
        (of("timm", "test_vit", img_size=[32, 48]), r"square, and img_size is \[32, 48\]"),
        (of("timm", "test_vit", img_size="32"), "square, and img_size is '32'"),
        (of("timm", "test_vit", in_chans=1), "does not read an image of 160 pixels"),
        (
            of("timm", "test_vit", dynamic_img_size=True, patch_size=9, img_size=64),
            "does not read an image of 64 pixels: .*divisible by patch size",
        ),
    ],
)
def test_what_no_library_has_is_refused_with_what_may_be_meant(backbone, message) -> None:
    with pytest.raises(PairDxError, match=message):
        build_backbone(backbone, None, 1)


def test_weights_of_another_network_are_refused(tmp_path) -> None:
    path, _ = saved_with_a_head("timm", tmp_path)
    with pytest.raises(PairDxError, match=r"do not fit the architecture: \w+.* is missing"):
        build_backbone(of("timm", "test_resnet", "given"), path, 1)
    with pytest.raises(PairDxError, match="instead of"):
        build_backbone(of("timm", "test_vit", "given", img_size=64), path, 1)
    with pytest.raises(PairDxError, match="a state dict is needed"):
        build_backbone(of("timm", "test_vit", "given"), tmp_path, 1)
    code = tmp_path / "code.pth"
    torch.save(torch.nn.Linear(1, 1), code)
    with pytest.raises(PairDxError, match="it was not executed"):
        build_backbone(of("torchvision", "resnet18", "given"), code, 1)


def test_images_of_another_size_are_refused_unless_they_are_resized(bank) -> None:
    small = tiny_models.make_pairs(17, size=24), tiny_models.make_pairs(6, size=24, seed=1)
    classifier = tiny.build(bank)
    with pytest.raises(PairDxError, match="reads images of 32 pixels, and is given 24"):
        predict(classifier, small[1], 4)
    resized = tiny.build(bank, resize_to=32)
    assert predict(resized, small[1], 4).shape == (6, 3)
    with pytest.raises(PairDxError, match="and is given 16"):
        predict(tiny.build(bank, resize_to=16), small[1], 4)


@pytest.mark.parametrize(
    ("backbone", "targets", "message"),
    [
        (of("timm", "test_vit", img_size=32), ["mlp.fc3"], "the backbone has no layer 'mlp.fc3'"),
        (of("timm", "test_resnet"), ["embedding"], "the backbone has no layer 'embedding'"),
        (of("torchvision", "shufflenet_v2_x0_5"), ["branch1.0"], "a Conv2d, works in groups"),
        (of("timm", "test_nfnet"), ["conv2"], "a ScaledStdConv2d, is changed before it is used"),
        (BEIT, ["attn.qkv"], "a Linear, is used without a call"),
    ],
)
def test_adapters_that_could_not_be_are_refused(bank, backbone, targets, message) -> None:
    lora = {**tiny.LORA, "targets": targets}
    with pytest.raises(PairDxError, match=message):
        tiny.fit(tiny.build(bank, backbone=backbone, trains="adapters", lora=lora))


@pytest.mark.parametrize(
    ("name", "passed_over"),
    [
        ("test_nfnet", "convolution layer.* is changed before it is used"),
        ("tf_efficientnet_lite0", "convolution layer.* works in groups"),
        ("beit_base_patch16_224", "1 linear layer.*blocks.0.attn.qkv: .*without a call"),
    ],
)
def test_every_adapter_of_a_kind_of_layer_learns_and_is_merged(name, passed_over, caplog) -> None:
    """Others are passed over: standardised weights, such as are read without a call of a layer.

    Convolutions that pad as TensorFlow does are adapted, by convolutions that pad so.
    """
    network = build_backbone({**BEIT, "name": name, "arguments": SMALL[name]}, None, 1).network
    images = torch.rand(2, 3, 32, 32)
    adapted = adapt_layers(network, tiny.LORA, 1, encode=lambda: network(images))
    assert re.search(passed_over, caplog.text)
    factors = [each for each in network.parameters() if each.requires_grad]
    with seeded(torch.device("cpu"), "factors", 1), torch.no_grad():
        for each in factors:
            each += 0.05 * torch.randn(each.shape)
    before = network(images)
    before.square().sum().backward()
    assert all(each.grad is not None for each in factors)
    merge_adapters(adapted)
    torch.testing.assert_close(network(images), before, rtol=1e-4, atol=1e-4)


def test_a_layer_whose_weight_is_made_of_others_is_passed_over(caplog) -> None:
    """And a layer that nothing calls; statistics of batches and modes stay as they were."""
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4),
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(4, 4)),
        torch.nn.BatchNorm1d(4).eval(),
    )
    network[0].idle = torch.nn.Linear(3, 3)
    was = {name: value.clone() for name, value in network.state_dict().items()}
    adapt_layers(network, tiny.LORA, 1, encode=lambda: network(torch.ones(2, 3)))
    adapted = [name for name, each in network.named_parameters() if each.requires_grad]
    assert adapted == ["0.lora_A.lora.weight", "0.lora_B.lora.weight"]
    assert "such as 1: the weight of each is changed" in caplog.text
    assert "such as 0.idle: the weight of each is used without a call" in caplog.text
    now = {name.replace("base_layer.", ""): each for name, each in network.state_dict().items()}
    assert all(torch.equal(value, now[name]) for name, value in was.items())
    assert [network.training, network[2].training] == [True, False]


def test_kinds_of_layers_name_all_of_a_kind(bank) -> None:
    """Four linear layers of each of six blocks, and the convolution that makes patches, by hand."""
    linear = 6 * [(64, 192), (64, 64), (64, 192), (192, 64)]
    counts = {}
    for targets in (["linear"], ["convolution"], ["linear", "embedding", "convolution"], ["qkv"]):
        lora = {**tiny.LORA, "targets": targets}
        changes = {"trains": "adapters", "lora": lora, **tiny.UNIMODAL}
        classifier = tiny.build(bank, **changes)
        tiny.fit(classifier)
        counts[" ".join(targets)] = classifier.trained_parameters - 65 * 3
    assert counts["linear"] == 2 * sum(a + b for a, b in linear)
    assert counts["convolution"] == 2 * (3 * 16 * 16 + 64)
    assert counts["linear embedding convolution"] == counts["linear"] + counts["convolution"]
    assert counts["qkv"] == 2 * 6 * (64 + 192)


def test_both_encoders_of_a_model_folder_are_trained_and_the_saved_one_needs_no_folder(
    tmp_path,
) -> None:
    """In BiomedCLIP's format: an image tower of timm, and a BERT that runs in training."""
    folder = tiny_clip.write_model_folder(tmp_path / "folder")
    own = {"architecture": None, "quick_gelu": False, "context_length": 10, "weights": "given"}
    described = {**own, "squaring": "crop"}
    encoder = load_encoder(described, {"weights": folder}, 0)
    features = encoder.caption_features(encoder.tokenise(tiny.TEXTS))
    found = TextFeatures(tuple(tiny.TEXT_IDS), features, encoder.identity(), 0.0, 0.0, "cpu")
    files = {**tiny.write_bank(tmp_path, *tiny.pairs()), "text_encoder": folder, "weights": folder}
    write_text_features(files["text_features"], found)
    learning = {"trains": "adapters", "lora": tiny.LORA, "detach": False}
    classifier = tiny.build(
        files,
        backbone={**TOWER, "encoder": described},
        pairing={**tiny.PAIRING, "encoder": described},
        text_encoder=learning,
        **ADAPTERS,
    )
    tiny.fit(classifier)
    assert classifier.observed["real_text_spread"] != classifier.observed["bank_text_spread"]
    classifier.save(tmp_path)
    shutil.rmtree(folder)
    test = tiny_models.make_pairs(3)
    loaded = load_classifier(tmp_path, {})
    np.testing.assert_array_equal(predict(loaded, test, 4), predict(classifier, test, 4))
