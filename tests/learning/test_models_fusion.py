"""PairDxFusion: attention as the paper writes it, padding that never counts, files from outside."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from torchvision.models import ResNet18_Weights, resnet18

import tiny_models as tiny
from files_as_saved import torchvision_state
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.fusion import system as fusion
from pairdx.models.fusion.encoders import CaptionEncoder
from pairdx.models.fusion.images import image_encoder
from pairdx.models.fusion.modes import Concatenation
from pairdx.models.fusion.network import FusionNetwork
from pairdx.models.registry import family, load_classifier


class KilledError(Exception):
    """Stands for whatever kills a job."""


@pytest.fixture
def resources(tmp_path) -> dict[str, Path]:
    """Word vectors and vocabulary of the training captions."""
    return tiny.write_word_vectors(tmp_path, tiny.make_pairs(24))


def encoder(**changes) -> CaptionEncoder:
    """A caption encoder over 6 words of 5 numbers; rows 0 and 1 are padding and unknown words."""
    torch.manual_seed(0)
    vectors = torch.cat([torch.zeros(2, 5), torch.randn(6, 5)])
    return CaptionEncoder(
        vectors, **({"dimension": 4, "heads": 1, "pooling": "masked_mean"} | changes)
    )


# -------------------------------------------------------------------- the caption encoder


def test_attention_equals_the_papers_formula_computed_by_hand():
    """softmax(Q K^T / sqrt(d_k)) V over a caption's words, then their mean, in plain NumPy."""
    captions = encoder()
    ids = [3, 5, 2]
    words = captions.words.weight[ids].numpy()

    def project(layer: nn.Linear) -> np.ndarray:
        return words @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()

    query, key, value = project(captions.query), project(captions.key), project(captions.value)
    scores = query @ key.T / math.sqrt(4)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = (weights @ value).mean(axis=0)
    found = captions(torch.tensor([[*ids, 0, 0]]))[0].detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_several_heads_attend_separately():
    """Two heads of two numbers are two attentions on halves of Q, K and V, side by side."""
    captions = encoder(heads=2)
    ids = torch.tensor([[2, 4, 7]])
    words = captions.words(ids)
    halves = []
    for half in (slice(0, 2), slice(2, 4)):
        query, key, value = (
            project(words)[..., half] for project in (captions.query, captions.key, captions.value)
        )
        weights = (query @ key.transpose(1, 2) / math.sqrt(2)).softmax(dim=-1)
        halves.append((weights @ value).mean(dim=1))
    torch.testing.assert_close(captions(ids), torch.cat(halves, dim=1))


@pytest.mark.parametrize("pooling", ["masked_mean", "max"])
def test_padding_changes_nothing(pooling):
    """Neither more padding nor other numbers in the padding's vector change a caption's vector."""
    captions = encoder(pooling=pooling)
    short = torch.tensor([[3, 5, 0]])
    expected = captions(short)
    padded = torch.tensor([[3, 5, 0, 0, 0, 0, 0, 0]])
    torch.testing.assert_close(captions(padded), expected)
    with torch.no_grad():
        captions.words.weight[0] = 1000.0
    torch.testing.assert_close(captions(short), expected)


@pytest.mark.parametrize("pooling", ["masked_mean", "max"])
def test_a_caption_without_words_gives_zeros_and_finite_gradients(pooling):
    """All padding is zeros, not NaN, and leaves its neighbours in the batch and training alone."""
    captions = encoder(pooling=pooling)
    found = captions(torch.tensor([[0, 0, 0], [3, 5, 0]]))
    assert torch.equal(found[0], torch.zeros(4))
    torch.testing.assert_close(found[1:], captions(torch.tensor([[3, 5, 0]])))
    found.sum().backward()
    gradients = [p.grad for p in captions.parameters() if p.requires_grad]
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_unknown_words_count_as_words():
    """A word without a vector is a word all the same: it is not treated as padding."""
    captions = encoder()
    assert not torch.equal(captions(torch.tensor([[3, 1]])), captions(torch.tensor([[3, 0]])))


@pytest.mark.parametrize("change", [{"heads": 3}, {"pooling": "mean"}])
def test_impossible_caption_encoders_are_refused(change):
    """Heads must divide the dimension; the pooling must exist."""
    with pytest.raises(PairDxError):
        encoder(**change)


# -------------------------------------------------------------------- the whole network


def test_the_network_has_the_papers_shape():
    """ResNet-18's 512 numbers and 256 of the caption, two fully connected layers, C scores."""
    network = FusionNetwork(
        image_encoder("resnet18"), encoder(dimension=256), Concatenation(512 + 256), hidden=32,
        dropout=0.5, classes=6, normalise=nn.Identity(), freeze_images=False,
    )  # fmt: skip
    kinds = [type(layer) for layer in network.classify]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout, nn.Linear]
    assert network.classify[0].in_features == 768
    assert network(torch.rand(2, 3, 64, 64), torch.tensor([[2, 3], [4, 0]])).shape == (2, 6)


def test_a_frozen_image_encoder_does_not_move(resources):
    """Frozen, neither its weights nor its batch statistics change, and the rest still trains."""
    settings = tiny.settings(tiny.FUSION, freeze_image_encoder=True, epochs=1)
    classifier = fusion.build(settings, tiny.CLASSES, resources, 1)
    images = {k: v.clone() for k, v in classifier.network.images.state_dict().items()}
    rest = classifier.network.classify[0].weight.clone()
    frozen = sum(p.numel() for p in classifier.network.images.parameters())
    words = classifier.network.captions.words.weight.numel()
    assert classifier.trained_parameters == classifier.parameters - frozen - words
    fusion.fit(classifier, tiny.make_pairs(12), tiny.make_pairs(6, seed=1), FitJob(seed=1))
    after = classifier.network.images.state_dict()
    assert all(torch.equal(images[name], after[name]) for name in images)
    assert not torch.equal(rest, classifier.network.classify[0].weight)


def test_images_are_normalised_with_imagenets_mean(resources):
    """An image of ImageNet's mean colour reaches the encoder as zeros."""
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
    mean = torch.tensor(ResNet18_Weights.IMAGENET1K_V1.transforms().mean).view(1, 3, 1, 1)
    assert mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert classifier.network.normalise(mean.expand(1, 3, 2, 2)).abs().max() < 1e-6


# -------------------------------------------------------------------- training and files


def test_training_learns_and_a_saved_model_predicts_the_same(tmp_path, resources):
    """It learns the tiny task; loaded from its own folder alone, it predicts the same numbers."""
    settings = tiny.settings(tiny.FUSION, epochs=4)
    classifier = fusion.build(settings, tiny.CLASSES, resources, 1)
    test = tiny.make_pairs(12, seed=2)
    rows = fusion.fit(classifier, tiny.make_pairs(36), tiny.make_pairs(12, seed=1), FitJob(seed=1))
    assert rows["validation_loss"].iloc[-1] < tiny.LEARNED
    before = predict(classifier, test, 5)
    assert before.dtype == np.float32
    np.testing.assert_allclose(before.sum(axis=1), 1, atol=1e-5)
    folder = tmp_path / "saved"
    folder.mkdir()
    classifier.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "settings.json"]
    for path in resources.values():
        path.unlink()
    loaded = load_classifier(folder, {})
    assert loaded.parameters == classifier.parameters
    np.testing.assert_array_equal(predict(loaded, test, 5), before)


def test_the_batch_that_a_pair_is_in_does_not_change_its_prediction(resources):
    """Prediction is per pair: alone or together, the numbers agree."""
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
    pairs = tiny.make_pairs(6)
    np.testing.assert_allclose(
        predict(classifier, pairs, 1), predict(classifier, pairs, 6), atol=1e-5
    )


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, resources):
    """Killed after the first epoch and run again, with dropout and augmentation: same weights."""

    def trained(job: FitJob) -> dict[str, torch.Tensor]:
        classifier = fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
        fusion.fit(classifier, tiny.make_pairs(17), tiny.make_pairs(6, seed=1), job)
        return classifier.network.state_dict()

    def kill(_) -> None:
        raise KilledError

    undisturbed = trained(FitJob(seed=1))
    with pytest.raises(KilledError):
        trained(FitJob(seed=1, state_folder=tmp_path / "state", after_epoch=kill))
    resumed = trained(FitJob(seed=1, state_folder=tmp_path / "state"))
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_a_state_fits_only_the_frozen_parameters_that_it_was_made_with(tmp_path, resources, caplog):
    """It holds none of them: word vectors, and here the image encoder, which the seed decides."""
    settings = tiny.settings(tiny.FUSION, epochs=2, freeze_image_encoder=True)

    def trained(seed: int, job: FitJob):
        classifier = fusion.build(settings, tiny.CLASSES, resources, seed)
        fusion.fit(classifier, tiny.make_pairs(17), tiny.make_pairs(6, seed=1), job)
        return classifier.network.state_dict()

    def kill(_) -> None:
        raise KilledError

    state = tmp_path / "state"
    with pytest.raises(KilledError):
        trained(1, FitJob(seed=1, state_folder=state, after_epoch=kill))
    kept = torch.load(next(state.glob("*.pt")), weights_only=True)["module"]
    assert "captions.words.weight" not in kept
    frozen = [name for name in kept if name.startswith("images.")]
    assert frozen  # statistics
    assert not [name for name in frozen if name.endswith(("weight", "bias"))]
    undisturbed, resumed = trained(1, FitJob(seed=1)), trained(1, FitJob(1, state_folder=state))
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
    other, again = trained(2, FitJob(seed=1)), trained(2, FitJob(1, state_folder=state))
    assert "is left unused: it has other settings" in caplog.text
    assert all(torch.equal(other[name], again[name]) for name in other)


def test_the_seed_decides_the_weights(resources):
    """Same seed, same initial weights; another seed, others."""
    first, same, other = (
        fusion.build(tiny.FUSION, tiny.CLASSES, resources, seed).network.classify[0].weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_imagenet_weights_are_loaded_without_their_last_layer(tmp_path, resources):
    """The file as torchvision's is: everything but `fc` arrives in the image encoder."""
    with torch.random.fork_rng():
        torch.manual_seed(42)
        original = torchvision_state(resnet18(weights=None))
    torch.save(original, tmp_path / "resnet18.pth")
    settings = tiny.settings(tiny.FUSION, image_encoder="resnet18", weights="resnet18")
    classifier = fusion.build(
        settings, tiny.CLASSES, {**resources, "weights": tmp_path / "resnet18.pth"}, 1
    )
    loaded = classifier.network.images.state_dict()
    assert set(original) - set(loaded) == {"fc.weight", "fc.bias"}
    counts = set(loaded) - set(original)
    assert len(counts) == 20
    assert all(not loaded[name] for name in counts)
    assert all(torch.equal(original[name], loaded[name]) for name in set(loaded) - counts)
    assert classifier.sources["weights"]["file"] == "resnet18.pth"


def test_weights_of_another_architecture_are_refused_by_name(tmp_path, resources):
    """ResNet-18's weights do not fit ResNet-10; the error names the first strangers."""
    torch.save(torchvision_state(resnet18(weights=None)), tmp_path / "resnet18.pth")
    settings = tiny.settings(tiny.FUSION, weights="resnet18")
    with pytest.raises(PairDxError, match=r"layer1\.1\.conv1\.weight is unknown.*more"):
        fusion.build(settings, tiny.CLASSES, {**resources, "weights": tmp_path / "resnet18.pth"}, 1)


def test_a_pickle_with_code_is_refused_and_not_executed(tmp_path, resources):
    """Weights come from outside: a file that would run something is an error."""
    marker = tmp_path / "executed"

    class Trap:
        def __reduce__(self):
            return Path.touch, (marker,)

    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    settings = tiny.settings(tiny.FUSION, weights="resnet18")
    with pytest.raises(PairDxError, match="not executed"):
        fusion.build(settings, tiny.CLASSES, {**resources, "weights": tmp_path / "trap.pth"}, 1)
    assert not marker.exists()


def test_word_vectors_must_fit_the_vocabulary(tmp_path, resources):
    """A matrix with too few rows would silently give words the wrong vectors."""
    save_file({"vectors": np.zeros((3, 4), dtype=np.float32)}, tmp_path / "short.safetensors")
    with pytest.raises(PairDxError, match="do not fit a vocabulary"):
        fusion.build(
            tiny.FUSION,
            tiny.CLASSES,
            {**resources, "word_vectors": tmp_path / "short.safetensors"},
            1,
        )
    with pytest.raises(PairDxError, match="vocabulary"):
        fusion.build(tiny.FUSION, tiny.CLASSES, {"word_vectors": resources["word_vectors"]}, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_word_vectors_that_are_not_numbers_are_refused(resources, value):
    """Before any training, which would fail and blame its learning rate."""
    vectors = load_file(resources["word_vectors"])["vectors"]
    vectors[3, 2] = value
    save_file({"vectors": vectors}, resources["word_vectors"])
    with pytest.raises(PairDxError, match=r"not numbers: vectors[\s\S]*word_vectors") as caught:
        fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
    assert "learning_rate" not in str(caught.value)


def test_words_without_a_vector_are_read_and_named_as_their_parts(resources):
    """What is explained are the words that are numbered, those beyond the last included."""
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, resources, 1)
    caption = "Axial/CT-scan zzz mass; colon-polyp"
    assert classifier.words(caption) == "axial ct scan zzz mass colon polyp".split()  # noqa: SIM905
    ids = classifier.tokenise([caption, "axial ct scan zzz mass colon"])
    assert ids[0].tolist() == ids[1].tolist()
    assert (ids[0] == 1).tolist() == [False, False, False, True, False, False]


def test_images_of_another_size_than_in_training_are_refused(resources):
    """A ResNet takes any size; a size it was not trained on would quietly cost accuracy."""
    classifier = fusion.build(tiny.settings(tiny.FUSION, epochs=1), tiny.CLASSES, resources, 1)
    fusion.fit(classifier, tiny.make_pairs(6), tiny.make_pairs(3, seed=1), FitJob(seed=1))
    with pytest.raises(PairDxError, match="48"):
        predict(classifier, tiny.make_pairs(2, size=48), 2)


# -------------------------------------------------------------------- pairs and the registry


def test_pairs_refuse_images_and_labels_that_do_not_fit():
    """A table and its images must have the same rows, and labels must be classes."""
    pairs = tiny.make_pairs(4)
    with pytest.raises(PairDxError, match="do not fit 4 pairs"):
        Pairs(pairs.table, pairs.images[:3], tiny.CLASSES)
    with pytest.raises(PairDxError, match="chart"):
        Pairs(pairs.table, pairs.images, ("radiology", "endoscopy"))
    assert pairs.labels.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("name", ["transformer", "base", "../fusion", "Fusion"])
def test_only_families_can_be_asked_for(name):
    """The registry imports families of this package and nothing else."""
    with pytest.raises(PairDxError, match="family"):
        family(name)
    assert family("fusion") is fusion
