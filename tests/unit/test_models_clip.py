"""CLIP and BiomedCLIP: real-format files, prompts, the two objectives, refusals."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from pathlib import Path

import numpy as np
import open_clip
import pytest
import tiny_models as tiny
import torch
from open_clip.model import CustomTextCLIP
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig

from pairdx.errors import PairDxError
from pairdx.models import clip
from pairdx.models.base import FitJob, predict
from pairdx.models.clip_objectives import Contrastive, contrastive_loss
from pairdx.models.registry import load_classifier
from pairdx.training.batches import BatchSource, Examples


class KilledError(Exception):
    """Stands for whatever kills a job."""


def build(seed: int = 1, weights: Path | None = None, **changes) -> clip.ClipClassifier:
    """A tiny CLIP, random or with the given weights."""
    changes = {"weights": None if weights is None else "given"} | changes
    resources = {} if weights is None else {"weights": weights}
    return clip.build(tiny.settings(tiny.CLIP, **changes), tiny.CLASSES, resources, seed)


def plain_open_clip(**changes) -> open_clip.CLIP:
    """The same architecture, built by open_clip itself from other random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(99)
        return open_clip.CLIP(**deepcopy(tiny.TINY_CLIP | changes)).eval()


# -------------------------------------------------------------------- prediction by prompts


def test_class_features_equal_open_clips_zero_shot_classifier():
    """Each template's features normalised, averaged over templates, normalised again."""
    classifier = build()
    expected = open_clip.build_zero_shot_classifier(
        classifier.parts.clip,
        open_clip.tokenizer.SimpleTokenizer(context_length=12),
        classnames=tiny.CLASSES,
        templates=tiny.CLIP["templates"],
    ).T
    torch.testing.assert_close(classifier.class_features(), expected)


def test_probabilities_are_the_papers_formula():
    """softmax(cosine similarity / temperature), images normalised as CLIP's own preprocessing."""
    classifier = build(temperature=0.05)
    images = tiny.make_pairs(4).images
    mean, std = np.array(open_clip.OPENAI_DATASET_MEAN), np.array(open_clip.OPENAI_DATASET_STD)
    pixels = torch.from_numpy(((images / 255 - mean) / std).transpose(0, 3, 1, 2)).float()
    with torch.no_grad():
        features = classifier.parts.clip.encode_image(pixels)
        features = features / features.norm(dim=1, keepdim=True)
        expected = (features @ classifier.class_features().T / 0.05).softmax(dim=1)
    found = classifier.probabilities(images, classifier.tokenise(["unread"] * 4))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_temperature_null_is_the_one_the_weights_learned():
    """1 / exp(logit_scale); a freshly built CLIP has 0.07. It never changes the winner."""
    images = tiny.make_pairs(6).images
    learned = build().probabilities(images, None)
    np.testing.assert_allclose(
        learned, build(temperature=0.07).probabilities(images, None), rtol=1e-4
    )
    sharp = build(temperature=0.001).probabilities(images, None)
    assert (sharp.argmax(axis=1) == learned.argmax(axis=1)).all()


def test_truncated_share_counts_captions_that_lose_tokens():
    """10 tokens fit between start and end of text; 11 do not."""
    fits, too_long = " ".join(["scan"] * 10), " ".join(["scan"] * 11)
    assert build().truncated_share([fits, too_long, "scan", too_long]) == 0.5


def test_images_of_another_size_are_refused():
    """The packed size must be the architecture's."""
    with pytest.raises(PairDxError, match="48 pixels wide, and the model reads 32"):
        build().probabilities(tiny.make_pairs(2, size=48).images, None)


# -------------------------------------------------------------------- the contrastive loss


def unit_rows(count: int, seed: int) -> torch.Tensor:
    features = torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(features, dim=1)


def test_the_loss_equals_open_clips_when_no_caption_repeats():
    """Masking repeated captions changes nothing where there are none."""
    images, texts, scale = unit_rows(6, 1), unit_rows(6, 2), torch.tensor(14.3)
    expected = open_clip.ClipLoss()(images, texts, scale)
    torch.testing.assert_close(contrastive_loss(images, texts, scale), expected)
    distinct = torch.arange(12).view(6, 2)
    torch.testing.assert_close(contrastive_loss(images, texts, scale, distinct), expected)


def test_repeated_captions_are_not_negatives():
    """Hand-computed: rows 0 and 2 share a caption, so neither stands in the other's denominator."""
    images, texts = unit_rows(3, 1), unit_rows(3, 2)
    tokens = torch.tensor([[7, 8], [7, 9], [7, 8]])
    similarities = (10 * images @ texts.T).double().numpy()
    allowed = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    exponentials = np.exp(similarities) * allowed
    towards_text = -np.log(np.diag(exponentials) / exponentials.sum(axis=1)).mean()
    towards_image = -np.log(np.diag(exponentials) / exponentials.sum(axis=0)).mean()
    found = contrastive_loss(images, texts, torch.tensor(10.0), tokens)
    assert float(found) == pytest.approx((towards_text + towards_image) / 2, rel=1e-5)


def test_a_batch_of_one_repeated_caption_gives_a_finite_loss():
    """Nothing is left to tell apart: the loss is zero, not NaN."""
    images, texts = unit_rows(3, 1), unit_rows(3, 2)
    same = torch.ones(3, 4, dtype=torch.int64)
    assert float(contrastive_loss(images, texts, torch.tensor(10.0), same)) == pytest.approx(0)


def test_the_temperature_is_kept_in_clips_range():
    """After a step, logit_scale lies between 0 and ln 100."""
    network = build().network
    objective = Contrastive(network, ignore_duplicate_captions=True)
    for wild, tame in ((9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)):
        with torch.no_grad():
            network.clip.logit_scale.fill_(wild)
            objective.after_step()
        assert network.clip.logit_scale.item() == pytest.approx(tame)


# -------------------------------------------------------------------- fine-tuning


@pytest.mark.parametrize("objective", ["contrastive", "prompts"])
def test_fine_tuning_moves_every_parameter_of_both_encoders(objective):
    """All weights are trained, the text encoder's and the temperature included."""
    classifier = build(objective=objective, epochs=1)
    before = {name: p.detach().clone() for name, p in classifier.parts.clip.named_parameters()}
    clip.fit(classifier, tiny.make_pairs(17), tiny.make_pairs(6, seed=1), FitJob(seed=1))
    unmoved = [
        name for name, p in classifier.parts.clip.named_parameters() if torch.equal(p, before[name])
    ]
    assert unmoved == []


def test_training_on_prompts_learns_and_a_saved_model_predicts_the_same(tmp_path):
    """Weights and settings are enough; the weights file is an open_clip state dict."""
    classifier = build(objective="prompts", epochs=8)
    rows = clip.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["validation_accuracy"].iloc[-1] > 0.8
    test = tiny.make_pairs(9, seed=2)
    classifier.save(tmp_path)
    loaded = load_classifier(tmp_path, {})
    np.testing.assert_array_equal(predict(loaded, test, 4), predict(classifier, test, 4))
    open_clip.load_checkpoint(plain_open_clip(), str(tmp_path / "model.safetensors"))


def test_contrastive_training_aligns_images_with_their_captions():
    """The loss falls, and training accuracy is measured through the class prompts."""
    classifier = build(epochs=6)
    rows = clip.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0]
    assert rows["train_accuracy"].between(0, 1).all()


def test_reported_accuracy_is_that_of_the_predictions():
    """The last validation accuracy equals what the finished model predicts."""
    classifier = build(epochs=2)
    validation = tiny.make_pairs(12, seed=1)
    rows = clip.fit(classifier, tiny.make_pairs(17), validation, FitJob(seed=1))
    predicted = predict(classifier, validation, 5).argmax(axis=1)
    assert rows["validation_accuracy"].iloc[-1] == (predicted == validation.labels).mean()


def test_an_interrupted_fine_tuning_ends_with_the_same_weights(tmp_path):
    """Killed after the first epoch and run again: the same weights, bit for bit."""

    def trained(job: FitJob) -> dict[str, torch.Tensor]:
        classifier = build(epochs=2)
        clip.fit(classifier, tiny.make_pairs(17), tiny.make_pairs(6, seed=1), job)
        return classifier.parts.clip.state_dict()

    def kill(_) -> None:
        raise KilledError

    undisturbed = trained(FitJob(seed=1))
    with pytest.raises(KilledError):
        trained(FitJob(seed=1, state_folder=tmp_path, after_epoch=kill))
    resumed = trained(FitJob(seed=1, state_folder=tmp_path))
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_duplicate_captions_are_ignored_only_if_asked_for():
    """The setting reaches the loss: with repeated captions the two losses differ."""
    network = build().network
    pairs = tiny.make_pairs(6)
    texts = build().parts.tokenise(["axial ct"] * 3 + ["polyp"] * 3).numpy()
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), torch.device("cpu"))
    losses = []
    for ignored in (True, False):
        objective = Contrastive(network, ignore_duplicate_captions=ignored)
        objective.prepare()
        losses.append(float(objective(source.batch(np.arange(6)))[0].detach()))
    assert losses[0] < losses[1]


def test_a_system_without_an_objective_cannot_be_trained():
    """Zero-shot entries have no training settings."""
    with pytest.raises(PairDxError, match="objective"):
        clip.fit(build(objective=None), tiny.make_pairs(6), tiny.make_pairs(3), FitJob(seed=1))


# -------------------------------------------------------------------- weights from files


@pytest.mark.parametrize("form", ["safetensors", "pt", "wrapped"])
def test_open_clip_checkpoints_are_loaded(tmp_path, form):
    """As safetensors, as a state dict, and as a training checkpoint with `module.` before names."""
    original = plain_open_clip()
    state = original.state_dict()
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "safetensors":
        save_file({name: tensor.half() for name, tensor in state.items()}, path)
    elif form == "pt":
        torch.save(state, path)
    else:
        torch.save({"epoch": 3, "state_dict": {f"module.{n}": t for n, t in state.items()}}, path)
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
    recorded = json.loads((folder / "settings.json").read_text())
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
    content = json.loads((tmp_path / "settings.json").read_text())
    content["settings"]["architecture"]["quick_gelu"] = False
    (tmp_path / "settings.json").write_text(json.dumps(content))
    with pytest.raises(PairDxError, match="QuickGELU"):
        load_classifier(tmp_path, {})


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
    """A folder in BiomedCLIP's format: a timm image encoder, a BERT text encoder, all tiny."""
    folder = tmp_path / "biomedclip"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "photo", "of"]
    words += [*tiny.CLASSES, "image", "axial", "ct"]
    tokeniser = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokeniser.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "pad_token": "[PAD]"}
        )
    )
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=20,
    ).save_pretrained(folder)  # fmt: skip
    config = {
        "embed_dim": 16,
        "vision_cfg": {
            "timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "",
            "timm_proj": "linear", "image_size": 32,
        },
        "text_cfg": {
            "hf_model_name": "somebody/some-bert", "hf_tokenizer_name": "somebody/some-bert",
            "hf_proj_type": "mlp", "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 10,
        },
    }  # fmt: skip
    preprocessing = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing})
    )
    text = {**config["text_cfg"], "hf_model_name": str(folder), "hf_model_pretrained": False}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        original = CustomTextCLIP(16, config["vision_cfg"], text)
    torch.save(original.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def from_folder(folder: Path, **changes) -> clip.ClipClassifier:
    own = {"architecture": None, "quick_gelu": False, "context_length": 10}
    return build(weights=folder, **(own | changes))


def test_a_model_folder_is_built_without_the_network(model_folder):
    """Architecture, text encoder, tokeniser, normalisation and weights all come from the folder."""
    classifier = from_folder(model_folder)
    stored = torch.load(model_folder / "open_clip_pytorch_model.bin", weights_only=True)
    loaded = classifier.parts.clip.state_dict()
    assert all(torch.equal(stored[name], loaded[name]) for name in stored)
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
