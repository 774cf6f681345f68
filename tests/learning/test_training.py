"""The training loop: repeatable, and honest about what it cannot do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from pairdx.errors import PairDxError
from pairdx.training.history import COLUMNS
from pairdx.training.loop import require_sound_start, train
from pairdx.training.optimisation import make_optimiser
from pairdx.training.randomness import epoch_order, mixed_seed
from pairdx.training.settings import TrainingSettings
from tiny_training import (
    SETTINGS,
    CrossEntropy,
    make_examples,
    make_module,
    run,
    same_weights,
)

# A validation loss that only a module has that learned: guessing costs ln 2 = 0.69.
LEARNED = 0.4

# -------------------------------------------------------------------- what training does


def test_training_learns_and_reports_every_epoch():
    """The rows have training.csv's columns, one per epoch, and the loss falls."""
    _, rows = run(
        settings=TrainingSettings(epochs=8, batch_size=8, learning_rate=0.01, weight_decay=0)
    )
    assert list(rows.columns) == COLUMNS
    assert rows["epoch"].tolist() == list(range(1, 9))
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0]
    assert rows["validation_loss"].iloc[-1] < LEARNED
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
        epochs=8, batch_size=8, learning_rate=0.01, weight_decay=0,
        precision="bfloat16", channels_last=True,
    )  # fmt: skip
    module, rows = run(settings=settings)
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert rows["validation_loss"].iloc[-1] < LEARNED


# -------------------------------------------------------------------- what training refuses


@pytest.mark.parametrize(
    ("step", "remedy"),
    [(1, "extreme size in the files"), (2, "learning_rate"), (4, "learning_rate")],
)
def test_a_loss_that_is_not_finite_stops_training_and_names_the_place(step, remedy):
    """An error with epoch, step and a remedy; before any step was made, no setting of them is."""
    calls = []

    class Exploding(CrossEntropy):
        def __call__(self, batch):
            loss, scores = super().__call__(batch)
            calls.append(len(batch.labels))
            return loss * (math.inf if len(calls) == step else 1), scores

    message = rf"epoch 1, step {step}[\s\S]*{remedy}"
    with pytest.raises(PairDxError, match=message) as caught:
        run(count=20, objective=Exploding)
    assert ("learning_rate" in str(caught.value)) is (step > 1)


@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
def test_a_module_with_what_is_no_number_is_not_trained_and_no_rate_is_blamed(name):
    """Frozen or trained, parameter or buffer: the name is in the error."""
    module = make_module().requires_grad_(False)
    module[-1].requires_grad_(True)
    with torch.no_grad():
        module.state_dict()[name].view(-1)[0] = math.nan
    with pytest.raises(PairDxError, match=rf"before any training.*{name}") as caught:
        train(
            module, CrossEntropy(module), make_examples(6), make_examples(4), SETTINGS,
            seed=1, device="cpu",
        )  # fmt: skip
    assert "learning_rate" not in str(caught.value)


def test_masks_of_attention_may_be_infinite_and_nothing_else():
    """They are buffers that are not saved, as CLIP's; what is no number is refused in them, too."""
    module = nn.Linear(2, 2)
    module.register_buffer("mask", torch.tensor([0.0, -math.inf]), persistent=False)
    require_sound_start(module)
    module.mask[0] = math.nan
    with pytest.raises(PairDxError, match="mask"):
        require_sound_start(module)


def test_weights_that_the_last_step_spoiled_are_not_kept():
    """Every loss of the training was a number."""

    class Spoiling(CrossEntropy):
        def after_step(self):
            self.module[-1].bias.fill_(math.inf)

    one_step = TrainingSettings(epochs=1, batch_size=20, learning_rate=0.01, weight_decay=0)
    with pytest.raises(PairDxError, match=r"after training.*5\.bias"):
        run(count=20, settings=one_step, objective=Spoiling)


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
    [{"batch_size": 1}, {"epochs": 0}, {"schedule": "linear"}, {"precision": "float16"},
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


@pytest.mark.parametrize("wanted", [False, True])
def test_the_setting_decides_whether_convolutions_are_timed(wanted):
    """Inside a training, deterministic all the same; after it, as it was."""
    seen = []

    class Watching(CrossEntropy):
        def after_step(self) -> None:
            found = torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled()
            seen.append(found)

    before = torch.backends.cudnn.benchmark
    run(settings=replace(SETTINGS, epochs=1, cudnn_benchmark=wanted), objective=Watching)
    assert set(seen) == {(wanted, True)}
    assert torch.backends.cudnn.benchmark == before
