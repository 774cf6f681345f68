"""The training loop: repeatable, resumable, honest about what it cannot do."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pairdx.errors import PairDxError
from pairdx.training.batches import BatchSource, Examples, as_float_images
from pairdx.training.checkpoint import StateFolder, remove_state, settings_hash
from pairdx.training.history import COLUMNS
from pairdx.training.loop import Objective, train
from pairdx.training.optimisation import make_optimiser, make_schedule
from pairdx.training.passport import git_state, passport
from pairdx.training.randomness import epoch_order, mixed_seed, seeded
from pairdx.training.settings import TrainingSettings

CPU = torch.device("cpu")
SETTINGS = TrainingSettings(
    epochs=4,
    batch_size=5,
    learning_rate=0.01,
    weight_decay=0.01,
    schedule="one_cycle",
    max_grad_norm=1.0,
    augmentation={"flip": 0.5, "brightness": 0.2},
)


class KilledError(Exception):
    """Stands for whatever kills a job."""


class CrossEntropy(Objective):
    """The objective of the tests: cross-entropy of what the module makes of the images."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, batch):
        """Loss and scores of a batch."""
        scores = self.module(batch.images)
        return F.cross_entropy(scores, batch.labels), scores


def make_module() -> nn.Module:
    """Convolution, batch normalisation and dropout: everything that carries state or randomness."""
    with seeded(CPU, "module"):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(4 * 6 * 6, 2),
        )  # fmt: skip


def make_examples(count: int) -> Examples:
    """Dark images are of class 0, bright ones of class 1."""
    generator = np.random.default_rng(count)
    labels = np.arange(count) % 2
    images = generator.integers(0, 120, (count, 8, 8, 3)) + 120 * labels[:, None, None, None]
    return Examples(images.astype(np.uint8), labels, np.zeros((count, 0), dtype=np.int64))


def run(module=None, *, count=17, settings=SETTINGS, seed=1, **options):
    """Train on ``count`` examples; returns the module and the rows."""
    module = make_module() if module is None else module
    rows = train(
        module,
        CrossEntropy(module),
        make_examples(count),
        make_examples(6),
        settings,
        seed=seed,
        device="cpu",
        **options,
    )
    return module, rows


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def stop_after(epoch: int):
    """A callback that kills the job when the state after ``epoch`` is in place."""

    def callback(row):
        if row["epoch"] == epoch:
            raise KilledError

    return callback


# -------------------------------------------------------------------- what training does


def test_training_learns_and_reports_every_epoch():
    """The rows have training.csv's columns, one per epoch, and the loss falls."""
    _, rows = run(
        settings=TrainingSettings(epochs=8, batch_size=8, learning_rate=0.01, weight_decay=0)
    )
    assert list(rows.columns) == COLUMNS
    assert rows["epoch"].tolist() == list(range(1, 9))
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0]
    assert rows["validation_accuracy"].iloc[-1] == 1.0
    assert (rows["seconds"] >= rows["data_seconds"]).all()
    assert (rows["samples_per_second"] > 0).all()


def test_same_seed_same_weights_and_another_seed_other_weights():
    """Training is a function of its arguments, whatever the global generators hold."""
    torch.manual_seed(11)
    first, rows = run()
    torch.manual_seed(22)
    second, again = run()
    assert same_weights(first, second)
    assert rows["train_loss"].tolist() == again["train_loss"].tolist()
    assert not same_weights(first, run(seed=2)[0])


def test_training_leaves_global_randomness_and_switches_alone():
    """Determinism and threads are set for the training only."""
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    run(threads=1)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_every_epoch_visits_every_example_once_in_its_own_order():
    """Orders are permutations, differ between epochs and seeds, and repeat."""
    first, second = epoch_order(50, 1, 1), epoch_order(50, 1, 2)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist() != epoch_order(50, 2, 2).tolist()
    assert first.tolist() == epoch_order(50, 1, 1).tolist()


def test_mixed_seeds_do_not_collide():
    """Neighbouring (seed, epoch, step) triples give different seeds, (1, 23) and (12, 3) too."""
    triples = [(s, e, t) for s in range(5) for e in range(20) for t in range(20)]
    assert len({mixed_seed(*triple) for triple in triples}) == len(triples)
    assert mixed_seed(1, 23) != mixed_seed(12, 3)


@pytest.mark.parametrize(("count", "used"), [(16, 15), (17, 17), (15, 15), (2, 2)])
def test_a_last_batch_of_one_example_is_dropped_and_no_other(count, used):
    """Batch normalisation cannot train on one example; an incomplete batch of two is used."""
    sizes = []

    class Counting(CrossEntropy):
        def __call__(self, batch):
            if self.module.training:
                sizes.append(len(batch.labels))
            return super().__call__(batch)

    module = make_module()
    settings = TrainingSettings(epochs=1, batch_size=5, learning_rate=0.01, weight_decay=0)
    train(
        module,
        Counting(module),
        make_examples(count),
        make_examples(6),
        settings,
        seed=1,
        device="cpu",
    )
    assert sum(sizes) == used
    assert min(sizes) >= 2


def test_gradients_are_clipped_to_the_norm():
    """With a tiny norm, plain AdamW moves on, but the gradients it sees have that norm."""
    norms = []

    class Watching(CrossEntropy):
        def after_step(self):
            gradients = [p.grad for p in self.module.parameters()]
            norms.append(math.sqrt(sum(float(g.pow(2).sum()) for g in gradients)))

    module = make_module()
    settings = TrainingSettings(
        epochs=1, batch_size=5, learning_rate=0.01, weight_decay=0, max_grad_norm=0.01
    )
    train(
        module,
        Watching(module),
        make_examples(10),
        make_examples(4),
        settings,
        seed=1,
        device="cpu",
    )
    assert max(norms) <= 0.01 * 1.001


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_almost_nothing():
    """The peak is the setting; the schedule lasts exactly as many steps as the training."""
    settings = TrainingSettings(
        epochs=5, batch_size=2, learning_rate=0.1, weight_decay=0, schedule="one_cycle"
    )
    optimiser = make_optimiser(nn.Linear(2, 2), settings)
    schedule = make_schedule(optimiser, settings, steps_per_epoch=4)
    rates = []
    for _ in range(20):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert max(rates) == pytest.approx(0.1, rel=0.05)
    assert rates[0] == pytest.approx(0.1 / 25)
    assert rates[-1] < 1e-4


def test_constant_schedule_keeps_the_learning_rate():
    """Without a schedule the reported learning rate is the setting in every epoch."""
    settings = TrainingSettings(epochs=2, batch_size=5, learning_rate=0.02, weight_decay=0)
    assert run(settings=settings)[1]["learning_rate"].tolist() == [0.02, 0.02]


def test_weight_decay_on_matrices_spares_biases_and_norms():
    """Only parameters of two and more dimensions are decayed; all parameters are trained."""
    settings = TrainingSettings(
        epochs=1, batch_size=2, learning_rate=0.1, weight_decay=0.3, weight_decay_on="matrices"
    )
    module = make_module()
    module[0].bias.requires_grad_(requires_grad=False)
    decayed, spared = make_optimiser(module, settings).param_groups
    assert {p.ndim for p in decayed["params"]} == {2, 4}
    assert decayed["weight_decay"] == 0.3
    assert {p.ndim for p in spared["params"]} == {1}
    assert spared["weight_decay"] == 0.0
    assert len(decayed["params"]) + len(spared["params"]) == len(list(module.parameters())) - 1


def test_bfloat16_and_channels_last_train_as_well():
    """Mixed precision keeps float32 weights; the memory layout is only a layout."""
    settings = TrainingSettings(
        epochs=6, batch_size=8, learning_rate=0.01, weight_decay=0,
        precision="bfloat16", channels_last=True,
    )  # fmt: skip
    module, rows = run(settings=settings)
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert rows["validation_accuracy"].iloc[-1] == 1.0


def test_batches_are_the_rows_asked_for_scaled_to_one():
    """A batch holds the images, labels and texts of its rows, in the order asked for."""
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    texts = np.arange(8).reshape(4, 2)
    source = BatchSource(Examples(images, np.array([5, 6, 7, 8]), texts), CPU)
    batch = source.batch(np.array([2, 0]))
    assert batch.labels.tolist() == [7, 5]
    assert batch.texts.tolist() == [[4, 5], [0, 1]]
    assert torch.equal(batch.images[0, :, 1, 0], torch.from_numpy(images[2, 1, 0]) / 255)
    last = as_float_images(torch.from_numpy(images), channels_last=True)
    assert last.is_contiguous(memory_format=torch.channels_last)


# -------------------------------------------------------------------- what training refuses


def test_a_loss_that_is_not_finite_stops_training_and_names_the_place():
    """A diverged training is an error with epoch, step and a remedy, not a file of NaNs."""

    class Exploding(CrossEntropy):
        def __call__(self, batch):
            loss, scores = super().__call__(batch)
            return loss * math.inf, scores

    module = make_module()
    with pytest.raises(PairDxError, match=r"epoch 1, step 1[\s\S]*learning_rate"):
        train(
            module,
            Exploding(module),
            make_examples(6),
            make_examples(4),
            SETTINGS,
            seed=1,
            device="cpu",
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_an_error():
    """There is no silent fall-back to the CPU."""
    module = make_module()
    with pytest.raises(PairDxError, match="GPU"):
        train(
            module,
            CrossEntropy(module),
            make_examples(6),
            make_examples(4),
            SETTINGS,
            seed=1,
            device="cuda",
        )


@pytest.mark.parametrize(
    "change",
    [{"batch_size": 1}, {"epochs": 0}, {"schedule": "cosine"}, {"precision": "float16"},
     {"learning_rate": 0}, {"max_grad_norm": 0}, {"weight_decay_on": "biases"}],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(change):
    """Every value is checked before anything is computed, and the error names the key."""
    base = {"epochs": 1, "batch_size": 4, "learning_rate": 0.1, "weight_decay": 0}
    with pytest.raises(PairDxError, match=next(iter(change))):
        TrainingSettings.from_mapping(base | change)


def test_missing_settings_are_named_and_foreign_ones_ignored():
    """The loop takes its own keys out of a model's settings."""
    full = {"epochs": 1, "batch_size": 4, "learning_rate": 0.1, "weight_decay": 0, "hidden": 3}
    assert TrainingSettings.from_mapping(full).epochs == 1
    with pytest.raises(PairDxError, match="batch_size"):
        TrainingSettings.from_mapping({k: v for k, v in full.items() if k != "batch_size"})


def test_too_few_pairs_are_refused():
    """One training pair cannot be trained on."""
    with pytest.raises(PairDxError, match="too few"):
        run(count=1)


# -------------------------------------------------------------------- resuming


@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, epoch):
    """Stopped after any epoch and run again: weights and losses equal the undisturbed run's."""
    undisturbed, rows = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(state=state, after_epoch=stop_after(epoch))
    done = []
    resumed, again = run(state=state, after_epoch=lambda row: done.append(row["epoch"]))
    assert done == list(range(epoch + 1, 5))
    assert same_weights(undisturbed, resumed)
    for column in (
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
    ):
        assert rows[column].tolist() == again[column].tolist()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_newest_state_falls_back_to_the_one_before(tmp_path, damage):
    """Two generations are kept, so that a damaged file costs one epoch and changes no weight."""
    undisturbed, _ = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(state=state, after_epoch=stop_after(3))
    older, newest = sorted(tmp_path.glob("*.pt"))
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    newest.write_bytes(
        {"truncated": content[: len(content) // 2], "empty": b""}.get(damage, content)
    )
    assert state.load()["epoch"] == 2
    resumed, rows = run(state=state)
    assert same_weights(undisturbed, resumed)
    assert len(rows) == 4
    assert not older.exists()


def test_two_generations_are_kept_and_removed(tmp_path):
    """The folder never grows beyond two states, and goes as a whole."""
    folder = tmp_path / "state"
    run(state=StateFolder(folder, "settings"))
    assert [path.name for path in sorted(folder.iterdir())] == ["epoch-00003.pt", "epoch-00004.pt"]
    remove_state(folder)
    remove_state(folder)
    assert not folder.exists()


def test_a_state_of_other_settings_is_not_used(tmp_path):
    """A state only fits the settings it was made with."""
    StateFolder(tmp_path, "one").save(1, {"module": {}})
    assert StateFolder(tmp_path, "other").load() is None
    assert StateFolder(tmp_path, "one").load()["epoch"] == 1
    assert StateFolder(tmp_path / "nowhere", "one").load() is None


def test_a_state_that_holds_code_is_not_executed(tmp_path):
    """A pickle that would run something when loaded is left unused."""
    marker = tmp_path / "executed"
    torch.save(
        {"settings_hash": "one", "epoch": 1, "trap": Trap(marker)}, tmp_path / "epoch-00001.pt"
    )
    assert StateFolder(tmp_path, "one").load() is None
    assert not marker.exists()


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_settings_hash_follows_content_not_order():
    """Equal settings have equal hashes whatever the order of their keys; a change shows."""
    one = settings_hash({"a": 1, "b": {"c": [1, 2], "d": None}})
    assert one == settings_hash({"b": {"d": None, "c": [1, 2]}, "a": 1})
    assert one != settings_hash({"a": 1, "b": {"c": [2, 1], "d": None}})
    assert len(one) == 16
    assert int(one, 16) >= 0


# -------------------------------------------------------------------- the passport


def test_the_passport_says_what_made_the_model():
    """Settings, seed, versions, host, device, memory and pairs are all there, as plain JSON."""
    made = passport(
        settings={"epochs": 1}, seed=3, device="cpu", wall_seconds=1.5,
        pairs={"train": 5, "validation": 1, "test": 1}, parameters=10, stand_in=True,
    )  # fmt: skip
    assert made["seed"] == 3
    assert made["stand_in"] is True
    assert made["versions"]["torch"] == torch.__version__.split("+")[0]
    assert made["device"]["kind"] == "cpu"
    assert made["device"]["name"]
    assert made["peak_memory_bytes"]["host"] > 10_000_000
    assert made["peak_memory_bytes"]["device"] is None


def test_git_state_of_a_checkout_and_of_none(tmp_path):
    """Revision and dirtiness of the file's own checkout; nulls outside one, and for strangers."""

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    unknown = {"revision": None, "dirty": None}
    file = tmp_path / "code.py"
    file.write_text("1")
    assert git_state(file) == unknown
    git("init", "-q")
    assert git_state(file) == unknown
    git("add", "code.py")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "first")
    clean = git_state(file)
    assert len(clean["revision"]) == 40
    assert clean["dirty"] is False
    file.write_text("2")
    assert git_state(file) == {"revision": clean["revision"], "dirty": True}
    (tmp_path / "stranger.py").write_text("3")
    assert git_state(tmp_path / "stranger.py") == unknown
