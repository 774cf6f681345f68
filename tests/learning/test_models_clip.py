"""CLIP as a classifier: prompts, the two objectives, fine-tuning."""

from __future__ import annotations

import math

import numpy as np
import open_clip
import pytest
import torch

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, predict
from pairdx.models.clip import system as clip
from pairdx.models.clip.objectives import (
    ClassContrastive,
    Contrastive,
    contrastive_loss,
    repeated,
)
from pairdx.models.registry import load_classifier
from pairdx.training.batches import BatchSource, Examples
from tiny_clip import build, plain_open_clip


class KilledError(Exception):
    """Stands for whatever kills a job."""


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
    torch.testing.assert_close(contrastive_loss(images, texts, scale, repeated(distinct)), expected)


def test_repeated_captions_are_not_negatives():
    """Hand-computed: rows 0 and 2 share a caption, so neither stands in the other's denominator."""
    images, texts = unit_rows(3, 1), unit_rows(3, 2)
    tokens = torch.tensor([[7, 8], [7, 9], [7, 8]])
    similarities = (10 * images @ texts.T).double().numpy()
    allowed = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    exponentials = np.exp(similarities) * allowed
    towards_text = -np.log(np.diag(exponentials) / exponentials.sum(axis=1)).mean()
    towards_image = -np.log(np.diag(exponentials) / exponentials.sum(axis=0)).mean()
    found = contrastive_loss(images, texts, torch.tensor(10.0), repeated(tokens))
    assert float(found) == pytest.approx((towards_text + towards_image) / 2, rel=1e-5)


@pytest.mark.parametrize("spared", [True, False])
def test_class_contrastive_is_the_loss_over_images_and_their_class_prompts(spared):
    """By hand: cosines over 0.07, each image against the prompts of the batch, and the reverse.

    Images of one class share their text, which is a negative unless it is spared.
    """
    classifier = build(templates=["an image of {}", "a {} photo"])
    network = classifier.network
    pairs = tiny.make_pairs(5)
    labels = np.array([0, 1, 0, 2, 1])
    tokens = np.zeros((5, 0), dtype=np.int64)
    source = BatchSource(Examples(pairs.images, labels, tokens), torch.device("cpu"))
    batch = next(source.batches([np.arange(5)]))
    objective = ClassContrastive(network, temperature=0.07, ignore_duplicates=spared)
    network.train()
    with torch.no_grad():
        objective.prepare()
    loss, scores = objective(batch)
    first = build(templates=["an image of {}"]).network
    first.load_state_dict(network.state_dict(), strict=False)
    with torch.no_grad():
        texts = first.class_features()[labels].double().numpy()
        images = network.image_features(batch.images).double().numpy()
    exponentials = np.exp(images @ texts.T / 0.07)
    if spared:
        exponentials *= (labels[:, None] != labels) | np.eye(5, dtype=bool)
    towards_text = -np.log(np.diag(exponentials) / exponentials.sum(axis=1)).mean()
    towards_image = -np.log(np.diag(exponentials) / exponentials.sum(axis=0)).mean()
    assert loss.item() == pytest.approx((towards_text + towards_image) / 2, rel=1e-4)
    both = network.class_features().detach().double().numpy()
    assert scores.numpy() == pytest.approx(images @ both.T, abs=1e-5)
    loss.backward()
    assert network.clip.logit_scale.grad is None
    assert network.clip.token_embedding.weight.grad.abs().sum() > 0


def test_a_batch_of_one_repeated_caption_gives_a_finite_loss():
    """Nothing is left to tell apart: the loss is zero, not NaN."""
    images, texts = unit_rows(3, 1), unit_rows(3, 2)
    same = repeated(torch.ones(3, 4, dtype=torch.int64))
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


@pytest.mark.parametrize("objective", ["contrastive", "prompts", "class_contrastive"])
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
    classifier = build(objective="prompts", epochs=3)
    rows = clip.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["validation_loss"].iloc[-1] < tiny.LEARNED
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
    predicted = tiny.decided(predict(classifier, validation, 5))
    right = (predicted == validation.labels).mean()
    assert rows["validation_accuracy"].iloc[-1] == pytest.approx(right)


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
        losses.append(float(objective(next(source.batches([np.arange(6)])))[0].detach()))
    assert losses[0] < losses[1]


def test_a_system_without_an_objective_cannot_be_trained():
    """Zero-shot entries have no training settings."""
    with pytest.raises(PairDxError, match="objective"):
        clip.fit(build(objective=None), tiny.make_pairs(6), tiny.make_pairs(3), FitJob(seed=1))
