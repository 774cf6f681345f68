"""CLIP-IT as a system: what is trained by what, what is saved, and that texts are gone by then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tiny_clip_it as tiny
import tiny_models
from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.clip_it import system as clip_it
from pairdx.models.clip_it.collapse import OBSERVED, spread_of
from pairdx.models.exported import graph
from pairdx.models.registry import load_classifier
from pairdx.pairing.matches import read_matches, write_matches
from pairdx.training.batches import BatchSource, Examples

LIBRARY = Path(clip_it.__file__).parents[3]
ADAPTERS = {"trains": "adapters", "lora": tiny.LORA}
LEARNING_ENCODER = {"trains": "adapters", "lora": tiny.LORA, "detach": False}
INTO_IMAGE = {"text_branch": None, "fusion": "none", "distil_into": "image_embedding"}
AUGMENTED = {"augmentation": tiny_models.TRAINING["augmentation"]}
NEW_LAYERS = {"to_text", "classify"}


class KilledError(Exception):
    """Stands for whatever kills a job."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> dict[str, Path]:
    return tiny.write_bank(tmp_path_factory.mktemp("bank"), *tiny.pairs())


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def watch_training(monkeypatch, seen: dict) -> None:
    """Keep what is in training, its weights before, and its gradients after one batch."""
    inner = clip_it.fit_network

    def fit_network(module, objective, *arguments):
        seen["module"], seen["before"] = module, copied(module)
        module.train()
        objective(one_batch())[0].backward()
        grads = {name: each.grad for name, each in module.named_parameters()}
        seen["reached"] = {name for name, grad in grads.items() if grad is not None}
        seen["moved_by"] = {n for n, grad in grads.items() if grad is not None and grad.any()}
        module.zero_grad(set_to_none=True)
        rows = inner(module, objective, *arguments)
        seen["after"] = copied(module)
        with torch.inference_mode():
            seen["scores"] = module.network(one_batch().images).clone()
        return rows

    monkeypatch.setattr(clip_it, "fit_network", fit_network)


def one_batch():
    train, _ = tiny.pairs()
    positions = np.arange(9).reshape(-1, 1)
    examples = Examples(train.images, train.labels, np.concatenate([positions, positions[:8]]))
    return next(BatchSource(examples, torch.device("cpu")).batches([np.arange(9)]))


def test_a_weight_of_0_without_a_branch_is_the_unimodal_system_bit_for_bit(bank) -> None:
    """The same weights, losses and predictions, with adapters, their dropout and augmentation."""
    test, job = tiny_models.make_pairs(9, seed=2), {"epochs": 2, **ADAPTERS, **AUGMENTED}
    job["lora"] = {**tiny.LORA, "dropout": 0.2}
    unimodal = tiny.build({}, **tiny.UNIMODAL, **job)
    without_weight = tiny.build(bank, **INTO_IMAGE, distillation_weight=0.0, **job)
    rows = [tiny.fit(one) for one in (unimodal, without_weight)]
    assert same(copied(unimodal.network), copied(without_weight.network))
    assert rows[0]["validation_loss"].equals(rows[1]["validation_loss"])
    found, expected = (predict(one, test, 4) for one in (without_weight, unimodal))
    np.testing.assert_array_equal(found, expected)
    taught = tiny.build(bank, **INTO_IMAGE, **job)
    tiny.fit(taught)
    assert not same(copied(unimodal.network), copied(taught.network))


def test_added_layers_without_texts_are_those_with_texts_that_have_no_weight(bank) -> None:
    """The ablation of the modules alone; and the text changes what is learned where it has one."""
    systems = [
        tiny.build({}, pairing=None),
        tiny.build(bank, distillation_weight=0.0),
        tiny.build(bank),
    ]
    assert all(same(copied(systems[0].network), copied(one.network)) for one in systems)
    for one in systems:
        tiny.fit(one)
    without, weightless, taught = (copied(one.network) for one in systems)
    assert same(without, weightless)
    assert not torch.equal(without["to_text.weight"], taught["to_text.weight"])


def test_a_part_more_or_less_leaves_the_others_as_they_begin(bank) -> None:
    late, alone = (tiny.build(bank, **changes) for changes in ({}, {"fusion": "none"}))
    ours, other = copied(late.network), copied(alone.network)
    assert {name for name in ours if name not in other} == {
        f"classify.{layer}.{name}"
        for layer in ("text.0", "text.2", "fuse")
        for name in ("weight", "bias")
    }
    assert all(torch.equal(ours[name], other[name]) for name in other)
    assert not same(ours, copied(tiny.build(bank, seed=2).network))


def top(names: set[str]) -> set[str]:
    """The parts that names belong to; adapters by the network they are in."""
    return {
        ".".join(name.split(".")[:2]) + (" adapters" if ".lora_" in name else "") for name in names
    }


NEW = {"network.to_text", "network.classify"}


@pytest.mark.parametrize(
    ("changes", "trained"),
    [
        ({}, NEW),
        (ADAPTERS, {*NEW, "network.backbone adapters"}),
        ({"trains": "everything"}, {*NEW, "network.backbone"}),
        ({"fusion": "early"}, NEW),
        ({"fusion": "none"}, NEW),
        ({"softmax": "double", "word_dropout": 0.5}, NEW),
        (INTO_IMAGE, {"network.classify", "project.weight", "project.bias"}),
        ({**INTO_IMAGE, **ADAPTERS}, {"network.classify", "network.backbone adapters",
                                      "project.weight", "project.bias"}),
        ({"text_encoder": LEARNING_ENCODER}, {*NEW, "teacher.clip adapters"}),
        ({"text_encoder": LEARNING_ENCODER, "word_dropout": 0.5, **ADAPTERS},
         {*NEW, "teacher.clip adapters", "network.backbone adapters"}),
    ],
)  # fmt: skip
def test_gradients_reach_what_is_trained_and_nothing_else(bank, changes, trained, monkeypatch):
    """And what is not trained keeps every bit, features of the bank included."""
    classifier, seen = tiny.build(bank, **changes), {}
    watch_training(monkeypatch, seen)
    tiny.fit(classifier)
    assert top(seen["reached"]) == top(seen["moved_by"]) == trained
    unmoved = {n for n, was in seen["before"].items() if torch.equal(was, seen["after"][n])}
    assert top(set(seen["before"]) - unmoved) <= trained | batch_statistics(seen["module"])
    features = seen["module"].teacher.features
    assert torch.equal(features, torch.from_numpy(classifier.privileged.texts.features.texts))
    in_network = {name for name in seen["reached"] if name.startswith("network.")}
    sizes = {name: each.numel() for name, each in seen["module"].named_parameters()}
    if not any(".lora_" in name for name in in_network):  # merged by now
        assert classifier.trained_parameters == sum(sizes[name] for name in in_network)


def batch_statistics(module: nn.Module) -> set[str]:
    """What moves without gradients, where the whole backbone is trained."""
    return {"network.backbone"} if module.network.trains == "everything" else set()


def test_features_that_are_detached_teach_nothing_to_their_encoder(bank, monkeypatch) -> None:
    classifier, seen = tiny.build(bank, text_encoder={**LEARNING_ENCODER, "detach": True}), {}
    watch_training(monkeypatch, seen)
    tiny.fit(classifier)
    assert top(seen["reached"]) == NEW
    moved = {n for n, was in seen["before"].items() if not torch.equal(was, seen["after"][n])}
    assert top(moved) == NEW


def test_statistics_of_a_frozen_backbone_stay_under_adapters(bank) -> None:
    """Batch normalisation would otherwise move what is said to be frozen."""
    resnet = {"library": "timm", "name": "test_resnet", "weights": None, "arguments": {}}
    classifier = tiny.build(bank, backbone=resnet, **ADAPTERS)
    before = copied(classifier.network)
    tiny.fit(classifier)
    kept = {
        name
        for name, was in before.items()
        if torch.equal(was, classifier.network.state_dict()[name])
    }
    statistics = {
        name for name in before if "running_" in name or name.endswith("num_batches_tracked")
    }
    assert statistics
    assert statistics <= kept


def test_merged_adapters_classify_as_the_adapters_did(bank, monkeypatch) -> None:
    """Merging changes only rounding, and training changed far more."""
    classifier, seen = tiny.build(bank, **ADAPTERS, epochs=3, learning_rate=0.01), {}
    images = one_batch().images
    untrained = classifier.network(images)
    watch_training(monkeypatch, seen)
    tiny.fit(classifier)
    merged = classifier.network(images)
    torch.testing.assert_close(merged, seen["scores"], rtol=0, atol=2e-5)
    assert (merged - untrained).abs().max() > 1e-2
    assert not [name for name in classifier.network.state_dict() if "lora" in name]


def test_the_saved_system_holds_no_text_encoder(bank, tmp_path) -> None:
    """Its names are those of backbone and new layers, and its size is that of its numbers."""
    classifier = tiny.build(bank, text_encoder=LEARNING_ENCODER, word_dropout=0.5)
    tiny.fit(classifier)
    classifier.save(tmp_path)
    names = set(clip_it.read_weights(tmp_path / "model.safetensors"))
    assert {name.split(".")[0] for name in names} == {"backbone", *NEW_LAYERS}
    backbone = sum(each.numel() for each in classifier.network.backbone.parameters())
    heads = (64 + 1) * 16 + (64 + 1) * 3 + (16 + 1) * 8 + (8 + 1) * 3 + (6 + 1) * 3
    assert classifier.parameters == backbone + heads
    numbers = 4 * classifier.parameters
    assert numbers < (tmp_path / "model.safetensors").stat().st_size < numbers + 40_000
    encoder = classifier.privileged.texts.features.encoder
    assert encoder["settings"]["architecture"]["text_cfg"]["vocab_size"] * 16 * 4 > 2 * numbers
    content = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert content["trained_parameters"] == classifier.trained_parameters == heads
    assert set(content["sources"]) == {"matches", "texts", "text_features"}


PREDICTING = """
import json, sys
from pathlib import Path
import numpy as np
from pairdx.models.registry import load_classifier
folder = Path(sys.argv[1])
classifier = load_classifier(folder / "saved", {})
found = classifier.probabilities(np.load(folder / "images.npy"), classifier.tokenise(["a", "b"]))
np.save(folder / "found.npy", found)
heavy = {"open_clip", "peft", "transformers", "kornia"} & set(sys.modules)
print(json.dumps([sorted(heavy), [n for n in sys.modules if n.startswith("pairdx.pairing")]]))
"""


def test_it_predicts_where_there_is_no_text_and_no_text_encoder(tmp_path) -> None:
    """In a process of its own, after all files of texts are gone."""
    files = tiny.write_bank(tmp_path, *tiny.pairs())
    shufflenet = "shufflenet_v2_x0_5"
    backbone = {"library": "torchvision", "name": shufflenet, "weights": None, "arguments": {}}
    classifier = tiny.build(files, backbone=backbone)
    tiny.fit(classifier)
    (tmp_path / "saved").mkdir()
    classifier.save(tmp_path / "saved")
    for path in files.values():
        path.unlink()
    images = tiny_models.make_pairs(2, seed=3).images
    np.save(tmp_path / "images.npy", images)
    command = [sys.executable, "-c", PREDICTING, str(tmp_path)]
    answer = subprocess.run(
        command, check=True, capture_output=True, env={"PYTHONPATH": str(LIBRARY)}, encoding="utf-8"
    )
    assert json.loads(answer.stdout.splitlines()[-1]) == [[], []]
    expected = classifier.probabilities(images, None)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"word_dropout": 0.5, **AUGMENTED},
        {"text_encoder": LEARNING_ENCODER, "word_dropout": 0.5, **ADAPTERS, "keep_epoch": "best"},
    ],
)
def test_an_interrupted_training_ends_with_the_same_weights(bank, tmp_path, changes) -> None:
    """The encoder's adapters and the words that are left out are part of what is taken up."""

    def trained(job: FitJob):
        classifier = tiny.build(bank, epochs=2, **changes)
        rows = tiny.fit(classifier, job)
        return copied(classifier.network), classifier.observed, rows

    def kill(_) -> None:
        raise KilledError

    state = tmp_path / "state"
    undisturbed = trained(FitJob(seed=1))
    with pytest.raises(KilledError):
        trained(FitJob(seed=1, state_folder=state, after_epoch=kill))
    kept = torch.load(next(state.glob("*.pt")), weights_only=True)["module"]
    of_text = [name for name in kept if name.startswith("teacher.")]
    assert all(".lora_" in name for name in of_text)  # a frozen encoder is built again
    assert bool(of_text) == ("text_encoder" in changes)
    resumed = trained(FitJob(seed=1, state_folder=state))
    assert same(undisturbed[0], resumed[0])
    assert undisturbed[1] == resumed[1]
    columns = ["validation_loss", "predicted_text_spread", "real_text_spread"]
    assert undisturbed[2][columns].equals(resumed[2][columns])


def test_words_left_out_change_what_is_learned_by_the_seed_alone(bank) -> None:
    def trained(seed: int, **changes) -> dict[str, Tensor]:
        classifier = tiny.build(bank, **changes)
        tiny.fit(classifier, FitJob(seed=seed))
        return copied(classifier.network)

    # Of three words, one.
    dropped = trained(1, word_dropout=0.5)
    assert same(dropped, trained(1, word_dropout=0.5))
    assert not same(dropped, trained(1))


def test_an_encoder_that_runs_gives_the_features_of_the_bank(bank) -> None:
    """Where nothing is left out and nothing is trained yet, both are the same texts."""
    from pairdx.models.clip_it.teacher import EncodingTeacher, make_teacher

    classifier = tiny.build(bank)
    texts = classifier.privileged.texts
    settings = tiny.settings(text_encoder=LEARNING_ENCODER)
    teacher = make_teacher(settings, texts, bank, 1)
    assert isinstance(teacher, EncodingTeacher)
    positions = torch.tensor([3, 0, 7])
    found = teacher.train()(positions)
    expected = torch.from_numpy(texts.features.texts)[positions]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_what_is_known_of_the_bank_moves_with_the_device_and_is_neither_sent_nor_saved(bank):
    """Buffers are sent to every process in every step; parameters are trained."""
    from pairdx.models.clip_it.teacher import make_teacher

    texts, settings = tiny.build(bank).privileged.texts, tiny.settings(word_dropout=0.5)
    for own, held in ((tiny.settings(), ["features"]), (settings, ["features", "tokens"])):
        teacher = make_teacher(own, texts, bank, 1)
        bank_of = {name: getattr(teacher, name) for name in held}
        known = {each.data_ptr() for each in bank_of.values()}
        sent_or_saved = (*teacher.buffers(), *teacher.parameters(), *teacher.state_dict().values())
        assert known.isdisjoint(each.data_ptr() for each in sent_or_saved)
        moved = nn.ModuleList([teacher]).to("meta")[0]
        assert all(getattr(moved, name).device.type == "meta" for name in held)
        assert [getattr(moved, name).shape for name in held] == [x.shape for x in bank_of.values()]


def test_training_shows_what_predicted_texts_come_to(bank) -> None:
    """Columns behind the usual ones, which a system without texts lacks."""
    classifier = tiny.build(bank, epochs=2)
    rows = tiny.fit(classifier)
    names = list(OBSERVED)
    assert list(rows.columns[-4:]) == names
    assert classifier.observed["bank_text_spread"] > 0
    assert "warning" not in classifier.observed
    assert {name: classifier.observed[name] for name in names} == rows[names].iloc[-1].to_dict()
    unimodal = tiny.build({}, **tiny.UNIMODAL)
    assert list(tiny.fit(unimodal).columns) == list(rows.columns[:-4])
    assert unimodal.observed == {}


def test_collapse_is_measured_by_all_texts_of_the_bank(tmp_path) -> None:
    """Not by those that pairs have: where that is one and the same text, its spread is 0."""
    bank = tiny.write_bank(tmp_path, *tiny.pairs())
    matches = read_matches(bank["matches"])
    write_matches(bank["matches"], matches.assign(text_id=tiny.TEXT_IDS[0]))
    classifier = tiny.build(bank)
    tiny.fit(classifier)
    of_bank = torch.from_numpy(classifier.privileged.texts.features.texts)
    assert classifier.observed["bank_text_spread"] == pytest.approx(spread_of(of_bank))
    assert classifier.observed["real_text_spread"] == pytest.approx(0, abs=1e-6)


def test_collapse_is_told_where_all_images_are_the_same(bank) -> None:
    train, validation = (
        Pairs(pairs.table, np.full_like(np.asarray(pairs.images), 99), pairs.classes)
        for pairs in tiny.pairs()
    )
    classifier = tiny.build(bank)
    rows = clip_it.fit(classifier, train, validation, FitJob(seed=1))
    assert rows["predicted_text_spread"].iloc[-1] < 1e-6
    assert "nearly the same for all images" in classifier.observed["warning"]


def test_it_learns_by_its_texts(bank) -> None:
    """Predicted texts come nearer to the real ones, and the classes are learned."""
    classifier = tiny.build(bank, trains="everything", epochs=8, learning_rate=0.001, **AUGMENTED)
    rows = clip_it.fit(classifier, *tiny.pairs(), FitJob(seed=1))
    assert rows["distillation_loss"].iloc[-1] < 0.7 * rows["distillation_loss"].iloc[0]
    accuracy = predict(classifier, tiny.pairs()[1], 6).argmax(axis=1) == tiny.pairs()[1].labels
    assert accuracy.mean() > 0.9


def test_scores_are_what_probabilities_are_the_softmax_of(bank, tmp_path) -> None:
    """In the module that is exported, too."""
    classifier = tiny.build(bank, softmax="double", resize_to=32, channels_last=True)
    pairs = tiny_models.make_pairs(3, seed=4, size=24)
    exported = graph("clip_it", classifier)(torch.from_numpy(pairs.images)).detach()
    np.testing.assert_allclose(exported, classifier.probabilities(pairs.images, None), atol=1e-6)
    scores = torch.from_numpy(classifier.answers(pairs.images, None).scores).softmax(dim=1)
    np.testing.assert_allclose(scores, classifier.probabilities(pairs.images, None), atol=1e-6)
    classifier.save(tmp_path)
    loaded = load_classifier(tmp_path, {})
    np.testing.assert_array_equal(predict(loaded, pairs, 2), predict(classifier, pairs, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pairs": 0}, "do not fit each other: 6 of 6 find no partner"),
        ({"pairs": 1}, "do not fit each other: 17 of 17"),
        ({"dimension": 24}, "features of texts are 24 numbers.*predicts 16"),
    ],
)
def test_texts_of_other_pairs_or_of_another_encoder_are_refused(tmp_path, given, message) -> None:
    train, validation = tiny.pairs()
    paired = [(train, validation), (train,), (validation,)]
    which = {None: 0, 0: 1, 1: 2}[given.get("pairs")]
    files = tiny.write_bank(tmp_path, *paired[which], dimension=given.get("dimension"))
    with pytest.raises(PairDxError, match=message):
        tiny.fit(tiny.build(files))


def test_files_of_texts_that_do_not_belong_together_are_refused(tmp_path) -> None:
    files = tiny.write_bank(tmp_path, *tiny.pairs())
    with pytest.raises(PairDxError, match="needs the file 'matches'"):
        tiny.build({})
    other = {**tiny.PAIRING, "encoder": {**tiny.ENCODER, "context_length": 11}}
    dropping = {"word_dropout": 0.5}
    with pytest.raises(PairDxError, match="made by another encoder"):
        tiny.fit(tiny.build(files, pairing=other, **dropping))
    weights = {**tiny.PAIRING, "encoder": {**tiny.ENCODER, "weights": "quiltnet"}}
    with pytest.raises(PairDxError, match="needs the file 'text_encoder'"):
        tiny.fit(tiny.build(files, pairing=weights, **dropping))
    with pytest.raises(PairDxError, match="nothing says which"):
        tiny.fit(tiny.build(files, trains="adapters"))
    files["text_features"].write_bytes(files["text_features"].read_bytes()[:-9])
    with pytest.raises(PairDxError):
        tiny.build(files)
