"""Weights for open_clip, timm and torchvision: the lines of the model card give what we give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_clip
import tiny_clip_it
import tiny_models as tiny
from pairdx.deployment.export.library_weights import write_library_weights
from pairdx.images import decode
from pairdx.models.base import FitJob
from pairdx.models.clip import system as clip
from pairdx.models.fusion import system as fusion
from pairdx.models.library_weights import FEATURES, PICTURE, PROBABILITIES, LibraryWeights
from pairdx.squaring import fit_to_square

ORIENTATION = 0x112
CROPPED = {"size": 32, "squaring": "crop"}
ODD_CLASSES = ("`a` | *b*", '"quoted" {} \\ name', "---")


def picture(width: int = 57, height: int = 41) -> Image.Image:
    """A picture that no squaring leaves as it is."""
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def as_floats(shown: Image.Image) -> torch.Tensor:
    """The picture as a network reads it, before it is normalised: (1, 3, 32, 32)."""
    return torch.from_numpy(fit_to_square(shown, 32).copy()).permute(2, 0, 1)[None] / 255


def as_printed(
    written: LibraryWeights, folder: Path, monkeypatch: pytest.MonkeyPatch, shown: Image.Image
) -> np.ndarray:
    """What the printed lines give of a picture, run in the deployed folder."""
    shown.save(folder / PICTURE, exif=shown.getexif())
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    assert "pairdx" not in written.lines
    exec(compile(written.lines, "card", "exec"), names)  # noqa: S102
    return names[written.gives].numpy()


def moved(module: torch.nn.Module) -> None:
    """Give every weight and statistic another value, as training does: no default may hide."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(11)
        for tensor in module.state_dict().values():
            if tensor.dtype.is_floating_point and tensor.ndim:
                tensor += 0.05 * torch.rand_like(tensor)


@pytest.mark.parametrize("squaring", ["crop", "squash", "pad"])
def test_open_clip_loads_a_clip_and_gives_its_probabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, squaring: str
) -> None:
    system = tiny_clip.build(squaring=squaring)
    moved(system.network.clip)
    image = {"size": 32, "squaring": squaring}
    written = write_library_weights(system, "clip", tmp_path, image)
    assert written is not None
    assert (written.library, written.gives) == ("open_clip", PROBABILITIES)
    found = as_printed(written, tmp_path, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32, squaring)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_open_clip_builds_it_without_quick_gelu_where_it_was_trained_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong activation loads without complaint."""
    plain = {**tiny.TINY_CLIP, "quick_gelu": False}
    system = tiny_clip.build(architecture=plain, quick_gelu=False, temperature=0.03)
    written = write_library_weights(system, "clip", tmp_path, CROPPED)
    assert written is not None
    found = as_printed(written, tmp_path, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_the_text_encoder_of_a_model_folder_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tiny_clip.from_folder(tiny_clip.write_model_folder(tmp_path / "given"))
    target = tmp_path / "deployed"
    written = write_library_weights(system, "clip", target, CROPPED)
    assert written is not None
    (tmp_path / "given").rename(tmp_path / "gone")
    found = as_printed(written, target, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5
    texts = [one.read_text(encoding="utf-8") for one in (target / "weights").glob("*.json")]
    assert not [text for text in texts if str(tmp_path) in text]


def test_a_picture_that_lies_on_its_side_is_turned_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tiny_clip.build()
    written = write_library_weights(system, "clip", tmp_path, CROPPED)
    assert written is not None
    turned = picture()
    turned.getexif()[ORIENTATION] = 6
    found = as_printed(written, tmp_path, monkeypatch, turned)
    upright = decode((tmp_path / PICTURE).read_bytes())
    assert isinstance(upright, Image.Image)
    assert upright.size == picture().size[::-1]
    expected = system.probabilities(fit_to_square(upright, 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_names_of_classes_of_any_kind_are_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {label: label for label in ODD_CLASSES}
    system = tiny_clip.build(classes=ODD_CLASSES, class_names=names)
    written = write_library_weights(system, "clip", tmp_path, CROPPED)
    assert written is not None
    found = as_printed(written, tmp_path, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_several_labels_are_asked_about_from_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = {"positive": ["{}", "there is {}"], "negative": ["no {}"]}
    system = tiny_clip.build(several=True, finding_prompts=prompts)
    written = write_library_weights(system, "clip", tmp_path, CROPPED)
    assert written is not None
    found = as_printed(written, tmp_path, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_merged_adapters_are_in_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = {"rank": 3, "alpha": 6, "dropout": 0.0, "targets": ["mlp.c_fc"]}
    lora["train_logit_scale"] = True
    system = tiny_clip.build(lora=lora, epochs=1, objective="prompts")
    before = system.probabilities(fit_to_square(picture(), 32)[None], None)
    clip.fit(system, *tiny_clip_it.pairs(), FitJob(seed=1))
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(expected - before).max() > 1e-5
    written = write_library_weights(system, "clip", tmp_path, CROPPED)
    assert written is not None
    found = as_printed(written, tmp_path, monkeypatch, picture())
    assert np.abs(found - expected).max() < 1e-5


RESNET = {"library": "torchvision", "name": "resnet18", "weights": None, "arguments": {}}
TIMM_RESNET = {"library": "timm", "name": "test_resnet", "weights": None, "arguments": {}}


@pytest.mark.parametrize("backbone", [tiny_clip_it.TEST_VIT, TIMM_RESNET, RESNET])
@pytest.mark.parametrize("squaring", ["crop", "pad"])
def test_an_ordinary_classifier_is_loaded_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: dict[str, Any], squaring: str
) -> None:
    system = tiny_clip_it.build({}, backbone=backbone, **tiny_clip_it.UNIMODAL)
    moved(system.network)
    image = {"size": 32, "squaring": squaring}
    written = write_library_weights(system, "clip_it", tmp_path, image)
    assert written is not None
    assert (written.library, written.gives) == (backbone["library"], PROBABILITIES)
    found = as_printed(written, tmp_path, monkeypatch, picture())
    expected = system.probabilities(fit_to_square(picture(), 32, squaring)[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_images_are_resized_to_what_the_backbone_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tiny_clip_it.build({}, resize_to=32, **tiny_clip_it.UNIMODAL)
    image = {"size": 48, "squaring": "squash"}
    written = write_library_weights(system, "clip_it", tmp_path, image)
    assert written is not None
    found = as_printed(written, tmp_path, monkeypatch, picture(70, 90))
    expected = system.probabilities(fit_to_square(picture(70, 90), 48, "squash")[None], None)
    assert np.abs(found - expected).max() < 1e-5


def test_timm_prepares_images_as_they_were_packed(tmp_path: Path) -> None:
    """Its own transform, for who takes that in place of the card's lines."""
    import timm

    system = tiny_clip_it.build({}, **tiny_clip_it.UNIMODAL)
    write_library_weights(system, "clip_it", tmp_path, CROPPED)
    model = timm.create_model(f"local-dir:{tmp_path / 'weights'}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    with torch.inference_mode():
        found = model(transform(picture())[None]).softmax(dim=1).numpy()
    expected = system.probabilities(fit_to_square(picture(), 32)[None], None)
    assert np.abs(found - expected).max() < 1e-5
    assert model.pretrained_cfg["label_names"] == list(tiny.CLASSES)


def features_of(system: Any) -> np.ndarray:
    """What the backbone of a classifier makes of the picture."""
    with torch.inference_mode():
        return system.network.see(as_floats(picture())).image.numpy()


@pytest.mark.parametrize("backbone", [tiny_clip_it.TEST_VIT, RESNET])
def test_a_backbone_behind_a_text_branch_is_written_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: dict[str, Any]
) -> None:
    changes = {"pairing": None, "distillation_weight": 0.0}
    system = tiny_clip_it.build({}, backbone=backbone, **changes)
    moved(system.network)
    written = write_library_weights(system, "clip_it", tmp_path, CROPPED)
    assert written is not None
    assert written.gives == FEATURES
    assert "alone" in written.what
    found = as_printed(written, tmp_path, monkeypatch, picture())
    assert np.abs(found - features_of(system)).max() < 1e-4


def test_a_network_with_another_head_in_its_library_is_written_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two heads, of image and teacher: ours is neither."""
    name = "deit_tiny_distilled_patch16_224"
    backbone = {**tiny_clip_it.TEST_VIT, "name": name}
    system = tiny_clip_it.build({}, backbone=backbone, **tiny_clip_it.UNIMODAL)
    written = write_library_weights(system, "clip_it", tmp_path, CROPPED)
    assert written is not None
    assert written.gives == FEATURES
    found = as_printed(written, tmp_path, monkeypatch, picture())
    assert np.abs(found - features_of(system)).max() < 1e-4


@pytest.mark.parametrize("encoder", ["resnet18", "resnet10"])
def test_torchvision_loads_the_image_encoder_of_pairdx_fusion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    vectors = tiny.write_word_vectors(tmp_path, tiny.make_pairs(6))
    system = fusion.build(
        tiny.settings(tiny.FUSION, image_encoder=encoder), tiny.CLASSES, vectors, 1
    )
    moved(system.network)
    written = write_library_weights(system, "fusion", tmp_path, CROPPED)
    assert written is not None
    assert (written.library, written.gives) == ("torchvision", FEATURES)
    found = as_printed(written, tmp_path, monkeypatch, picture())
    with torch.inference_mode():
        expected = system.network.images(system.network.normalise(as_floats(picture()))).numpy()
    assert np.abs(found - expected).max() < 1e-4


def test_a_system_that_is_no_librarys_leaves_no_folder(tmp_path: Path) -> None:
    vectors = tiny.write_word_vectors(tmp_path, tiny.make_pairs(6))
    settings = tiny.settings(tiny.FUSION, branches=["caption"], fusion=None)
    captions = fusion.build(settings, tiny.CLASSES, vectors, 1)
    assert write_library_weights(captions, "fusion", tmp_path, None) is None
    assert write_library_weights(object(), "linear", tmp_path, {"size": 32}) is None
    tower = {
        "library": "open_clip", "name": "tower",
        "encoder": {**tiny.PROBE["encoder"], "squaring": "crop"}, "arguments": {}, "weights": None,
    }  # fmt: skip
    system = tiny_clip_it.build({}, backbone=tower, **tiny_clip_it.UNIMODAL)
    assert write_library_weights(system, "clip_it", tmp_path, CROPPED) is None
    assert not (tmp_path / "weights").exists()
