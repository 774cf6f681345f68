"""CLIP and BiomedCLIP from files in their real formats; what does not fit is refused."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

import files_as_saved
import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, predict
from pairdx.models.clip import system as clip
from pairdx.models.registry import load_classifier
from tiny_clip import build, from_folder, plain_open_clip, write_model_folder

# -------------------------------------------------------------------- weights from files


@pytest.mark.parametrize("form", ["safetensors", "pt", "wrapped"])
def test_open_clip_checkpoints_are_loaded(tmp_path, form):
    """As OpenAI's is handed on, as a state dict, and as a training checkpoint."""
    original = plain_open_clip()
    state = original.state_dict()
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "safetensors":
        files_as_saved.write_openai_safetensors(state, path)
    elif form == "pt":
        torch.save(state, path)
    else:
        wrapped = {f"module.{n}": t for n, t in state.items()}
        optimiser = torch.optim.AdamW(original.parameters()).state_dict()
        torch.save({"epoch": 3, "name": "run", "state_dict": wrapped, "optimizer": optimiser}, path)
    loaded = build(weights=path).parts.clip
    pixels = torch.rand(2, 3, 32, 32)
    tolerance = 2e-2 if form == "safetensors" else 0
    torch.testing.assert_close(
        loaded.encode_image(pixels), original.encode_image(pixels), rtol=tolerance, atol=tolerance
    )
    assert all(p.dtype == torch.float32 for p in loaded.parameters())


def test_an_untrained_system_saves_the_name_and_checksum_of_its_weights(tmp_path):
    """No copy of the weights is written; loading needs the same file again."""
    path = tmp_path / "weights.pt"
    torch.save(plain_open_clip().state_dict(), path)
    classifier = build(weights=path)
    folder = tmp_path / "saved"
    folder.mkdir()
    classifier.save(folder)
    assert [file.name for file in folder.iterdir()] == ["settings.json"]
    recorded = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    assert recorded["weights"]["file"] == "weights.pt"
    assert len(recorded["weights"]["sha256"]) == 64
    images = tiny.make_pairs(3).images
    loaded = load_classifier(folder, {"weights": path})
    np.testing.assert_array_equal(
        loaded.probabilities(images, None), classifier.probabilities(images, None)
    )
    torch.save(plain_open_clip(init_logit_scale=1.0).state_dict(), path)
    with pytest.raises(PairDxError, match="not the file"):
        load_classifier(folder, {"weights": path})


def test_random_weights_are_rebuilt_from_the_seed(tmp_path):
    """The demo's stand-ins write no weights either: the seed is enough."""
    classifier = build(seed=5)
    classifier.save(tmp_path)
    images = tiny.make_pairs(3).images
    expected = classifier.probabilities(images, None)
    np.testing.assert_array_equal(
        load_classifier(tmp_path, {}).probabilities(images, None), expected
    )
    assert not np.array_equal(build(seed=6).probabilities(images, None), expected)


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path):
    """Missing names and wrong shapes are listed, the first few of them."""
    state = plain_open_clip().state_dict()
    path = tmp_path / "weights.pt"
    torch.save({name: value for name, value in state.items() if name != "ln_final.weight"}, path)
    with pytest.raises(PairDxError, match=r"ln_final\.weight is missing"):
        build(weights=path)
    torch.save({**state, "positional_embedding": torch.zeros(77, 16)}, path)
    with pytest.raises(PairDxError, match=r"positional_embedding has the shape \(77, 16\)"):
        build(weights=path)


def test_a_pickle_with_code_is_refused_and_not_executed(tmp_path):
    """Weights come from outside: a file that would run something is an error."""
    marker = tmp_path / "executed"

    class Trap:
        def __reduce__(self):
            return Path.touch, (marker,)

    torch.save({"logit_scale": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(PairDxError, match="not executed"):
        build(weights=tmp_path / "trap.pt")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.pt", None, "missing"),
        ("torn.safetensors", b"\x10\x00\x00", "not a whole safetensors file"),
        ("torn.pt", b"PK\x03\x04", "damaged"),
    ],
)
def test_missing_and_damaged_weights_are_named(tmp_path, name, content, message):
    """The error names the file."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PairDxError, match=rf"{message}[\s\S]*{name}"):
        build(weights=tmp_path / name)


# -------------------------------------------------------------------- architectures


def test_quick_gelu_must_agree_with_the_architecture(tmp_path):
    """OpenAI's weights load without complaint under plain GELU and lose accuracy: refused."""
    plain = {**tiny.TINY_CLIP, "quick_gelu": False}
    with pytest.raises(PairDxError, match="built without QuickGELU"):
        build(architecture=plain)
    with pytest.raises(PairDxError, match="built with QuickGELU"):
        build(quick_gelu=False)
    build().save(tmp_path)
    content = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    content["settings"]["architecture"]["quick_gelu"] = False
    (tmp_path / "settings.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PairDxError, match="QuickGELU"):
        load_classifier(tmp_path, {})


def saved(folder: Path) -> dict:
    """The content of settings.json; a fine-tuned CLIP lies in the folder."""
    classifier = build(epochs=1)
    clip.fit(classifier, tiny.make_pairs(9), tiny.make_pairs(3, seed=1), FitJob(seed=1))
    classifier.save(folder)
    return json.loads((folder / "settings.json").read_text(encoding="utf-8"))


def test_trained_weights_state_their_activation_and_refuse_another(tmp_path):
    """Even if all that settings.json says of QuickGELU is edited in the same way."""
    content = saved(tmp_path)
    load_classifier(tmp_path, {})
    content["quick_gelu"] = content["settings"]["quick_gelu"] = False
    content["settings"]["architecture"]["quick_gelu"] = False
    (tmp_path / "settings.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PairDxError, match=r"trained with QuickGELU[\s\S]*model\.safetensors"):
        load_classifier(tmp_path, {})
    plain = {**tiny.TINY_CLIP, "quick_gelu": False}
    with pytest.raises(PairDxError, match="trained with QuickGELU"):
        build(weights=tmp_path / "model.safetensors", architecture=plain, quick_gelu=False)


def test_trained_weights_refuse_an_architecture_of_the_same_shapes(tmp_path):
    """Two heads of 8 fit the weights of one head of 16, and would compute something else."""
    content = saved(tmp_path)
    content["settings"]["architecture"]["vision_cfg"]["head_width"] = 8
    (tmp_path / "settings.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PairDxError, match=r"vision_cfg\.head_width was 16, and here it is 8"):
        load_classifier(tmp_path, {})


def test_equal_weights_are_equal_files(tmp_path):
    """The header is written in a fixed order."""
    saved(tmp_path)
    loaded = load_classifier(tmp_path, {})
    for number in range(4):
        again = tmp_path / str(number)
        again.mkdir()
        loaded.save(again)
        written = [(folder / "model.safetensors").read_bytes() for folder in (tmp_path, again)]
        assert written[0] == written[1]


def test_a_damaged_header_is_an_error_and_a_strange_one_is_left_alone(tmp_path):
    """Only a header written here is compared; other tools write other things there."""
    path, state = tmp_path / "weights.safetensors", plain_open_clip().state_dict()
    save_file(state, path, {"format": "pt", "architecture": "clip"})
    build(weights=path)
    for damaged in ("{", "[]", "{}", '{"quick_gelu": true, "architecture": "clip"}'):
        save_file(state, path, {"pairdx.clip": damaged})
        with pytest.raises(PairDxError, match=r"damaged[\s\S]*weights\.safetensors"):
            build(weights=path)


def test_open_clips_vit_b_32_is_known_by_name_and_its_two_activations_told_apart():
    """The registry's name has QuickGELU; the one without the suffix has not."""
    assert open_clip.get_model_config("ViT-B-32-quickgelu")["quick_gelu"] is True
    assert not open_clip.get_model_config("ViT-B-32").get("quick_gelu", False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "ViT-Z-99"}, "no architecture 'ViT-Z-99'"),
        ({"architecture": "hf-hub:somebody/something"}, "no architecture"),
        ({"architecture": "ViT-B-16-SigLIP"}, "transformers library"),
        ({"architecture": None}, "no model folder"),
        ({"architecture": {**tiny.TINY_CLIP, "colour": 1}}, "cannot build"),
        ({"context_length": 77}, "12 tokens, not 77"),
        ({"class_names": {"chart": "chart"}}, "radiology"),
        ({"templates": ["a photo"]}, "template"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    """Wrong names, hubs, lengths and prompts are errors before anything is computed."""
    with pytest.raises(PairDxError, match=message):
        build(**change)


def test_a_vocabulary_smaller_than_the_tokenisers_is_refused():
    """Token numbers beyond the embedding would fail in the middle of training."""
    text = {**tiny.TINY_CLIP["text_cfg"], "vocab_size": 1000}
    with pytest.raises(PairDxError, match="49408"):
        build(architecture={**tiny.TINY_CLIP, "text_cfg": text})


# -------------------------------------------------------------------- a model folder


@pytest.fixture
def model_folder(tmp_path) -> Path:
    return write_model_folder(tmp_path / "biomedclip")


def test_a_model_folder_is_built_without_the_network(model_folder, monkeypatch):
    """Architecture, text encoder, tokeniser, normalisation and weights all come from the folder."""

    def no_network(*_):
        raise AssertionError("something was looked for on the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    classifier = from_folder(model_folder)
    stored = torch.load(model_folder / "open_clip_pytorch_model.bin", weights_only=True)
    loaded = classifier.parts.clip.state_dict()
    assert set(stored) - set(loaded) == {"text.transformer.embeddings.position_ids"}
    assert all(torch.equal(stored[name], loaded[name]) for name in loaded)
    assert classifier.parts.mean == [0.5, 0.4, 0.3]
    tokens = classifier.parts.tokenise(["a photo of a chart"])
    assert tokens.tolist() == [[2, 5, 6, 7, 5, 10, 3, 0, 0, 0]]
    assert classifier.truncated_share(["a photo", "of " * 9]) == 0.5
    probabilities = classifier.probabilities(tiny.make_pairs(3).images, None)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_model_folder_is_saved_by_name_and_can_be_fine_tuned(model_folder, tmp_path):
    """Untrained or trained, it comes back with the folder's architecture and tokeniser."""
    test = tiny.make_pairs(6, seed=2)
    classifier = from_folder(model_folder, epochs=1)
    for step in ("untrained", "trained"):
        if step == "trained":
            clip.fit(classifier, tiny.make_pairs(9), tiny.make_pairs(3, seed=1), FitJob(seed=1))
        saved = tmp_path / step
        saved.mkdir()
        classifier.save(saved)
        assert (saved / "model.safetensors").exists() is (step == "trained")
        loaded = load_classifier(saved, {"weights": model_folder})
        np.testing.assert_allclose(
            predict(loaded, test, 6), predict(classifier, test, 6), atol=1e-6
        )


@pytest.mark.parametrize(
    ("file", "keys", "value", "message"),
    [
        ("config.json", ["hidden_act"], "relu", "hidden_act"),
        ("open_clip_config.json", ["preprocess_cfg", "mean"], [0.5, 0.5, 0.5], "mean"),
    ],
)
def test_trained_weights_refuse_a_folder_that_was_edited(
    model_folder, tmp_path, file, keys, value, message
):
    """The folder may lie elsewhere, but its activation and normalisation must be the same."""
    classifier = from_folder(model_folder, epochs=1)
    clip.fit(classifier, tiny.make_pairs(9), tiny.make_pairs(3, seed=1), FitJob(seed=1))
    kept, moved = tmp_path / "saved", tmp_path / "moved"
    kept.mkdir()
    classifier.save(kept)
    model_folder.rename(moved)
    load_classifier(kept, {"weights": moved})
    content = json.loads((moved / file).read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    (moved / file).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PairDxError, match=message):
        load_classifier(kept, {"weights": moved})


def state_preprocessing(folder: Path, **changes: object) -> None:
    path = folder / "open_clip_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["preprocess_cfg"] = {**content["preprocess_cfg"], **changes}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        {"resize_mode": "squash"},
        {"resize_mode": "longest", "fill_color": 0},
        {"interpolation": "bilinear"},
        {"mode": "L"},
        {"size": 64},
        {"size": [32, 64]},
        {"mean": [0.5, 0.5]},
        {"mean": "imagenet"},
        {"std": [0.2, 0.2, 0]},
        {"std": [0.2, 0.2, float("nan")]},
    ],
    ids=str,
)
def test_a_folder_that_wants_other_images_than_the_packed_ones_is_refused(model_folder, change):
    """Squashed, say, as SigLIP's: centre crops would be fed to it without a word."""
    state_preprocessing(model_folder, **change)
    message = rf"{next(iter(change))}[\s\S]*open_clip_config\.json: preprocess_cfg"
    with pytest.raises(PairDxError, match=message):
        from_folder(model_folder)


@pytest.mark.parametrize(
    "change",
    [
        {"resize_mode": "shortest", "interpolation": "bicubic", "mode": "RGB", "fill_color": 0},
        {"resize_mode": None, "interpolation": None},
        {"size": 32, "interpolation": "random"},
        {"size": [3, 32, 32]},
        {"crop_pct": 0.9},
    ],
    ids=str,
)
def test_a_folder_that_wants_the_packed_images_is_built(model_folder, change):
    """Stated in full, as open_clip writes it today, or not at all, as BiomedCLIP's."""
    state_preprocessing(model_folder, **change)
    assert from_folder(model_folder).parts.mean == [0.5, 0.4, 0.3]


WAYS = {"crop": "shortest", "squash": "squash", "pad": "longest"}


@pytest.mark.parametrize("wanted", WAYS.values())
@pytest.mark.parametrize("squaring", WAYS)
def test_a_stated_way_of_squaring_must_be_that_of_the_packed_images(
    model_folder, caplog, squaring, wanted
):
    """The configuration decides how they are packed; the remedy names the key that fits."""
    state_preprocessing(model_folder, resize_mode=wanted, fill_color=128)
    if WAYS[squaring] == wanted:
        from_folder(model_folder, squaring=squaring)
        assert not caplog.messages
        return
    fitting = next(name for name, mode in WAYS.items() if mode == wanted)
    message = (
        rf"resize_mode: '{wanted}'[\s\S]*packed with '{WAYS[squaring]}'"
        rf"[\s\S]*squaring to {fitting}"
    )
    with pytest.raises(PairDxError, match=message):
        from_folder(model_folder, squaring=squaring)


@pytest.mark.parametrize("squaring", WAYS)
def test_a_folder_that_states_no_way_of_squaring_is_warned_of_unless_images_are_cropped(
    model_folder, caplog, squaring
):
    """Nothing stated is open_clip's own `shortest`."""
    from_folder(model_folder, squaring=squaring)
    warned = [said for said in caplog.messages if f"'{WAYS[squaring]}'" in said]
    assert len(warned) == (squaring != "crop")
    assert all("packing: squaring" in said and "'shortest'" in said for said in warned)


@pytest.mark.parametrize("colour", [{}, {"fill_color": 255}])
def test_another_colour_of_padding_is_warned_of(model_folder, caplog, colour):
    """open_clip pads with black where nothing is stated."""
    state_preprocessing(model_folder, resize_mode="longest", **colour)
    from_folder(model_folder, squaring="pad")
    assert any("[128, 128, 128]" in said for said in caplog.messages)


def test_mean_and_deviation_are_openais_where_none_are_stated_and_one_number_is_of_all(
    model_folder,
):
    state_preprocessing(model_folder, mean=None, std=0.5)
    parts = from_folder(model_folder).parts
    assert parts.mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    assert list(parts.std) == [0.5] * 3


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "open_clip_config.json"])
def test_a_model_folder_without_its_files_is_refused(model_folder, name):
    """The text encoder's configuration is a second download; what is missing is named."""
    (model_folder / name).unlink()
    with pytest.raises(PairDxError, match=name.replace(".", r"\.")):
        from_folder(model_folder)


def test_a_model_folder_without_weights_or_with_a_named_architecture_is_refused(model_folder):
    """A folder brings its own architecture, and its weights have one of open_clip's names."""
    with pytest.raises(PairDxError, match="architecture"):
        from_folder(model_folder, architecture=tiny.TINY_CLIP, quick_gelu=True)
    (model_folder / "open_clip_pytorch_model.bin").unlink()
    with pytest.raises(PairDxError, match="no weights"):
        from_folder(model_folder)
