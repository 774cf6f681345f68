"""What training never moves is in no state, and a state fits only what has the same of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from pairdx.errors import PairDxError
from pairdx.seals import append_seal
from pairdx.training.loop import train
from pairdx.training.state.checkpoint import StateFolder
from pairdx.training.state.trained import digest_of_frozen, fill, moving
from tiny_training import (
    CPU,
    SETTINGS,
    CrossEntropy,
    KilledError,
    make_examples,
    make_module,
    same_weights,
    stop_after,
)


def partly_frozen() -> nn.Module:
    """The convolution is frozen; statistics behind it move all the same."""
    module = make_module()
    module[0].requires_grad_(requires_grad=False)
    return module


def trained(settings=SETTINGS, objective=CrossEntropy, **options) -> nn.Module:
    module = partly_frozen()
    examples = make_examples(17), make_examples(6)
    train(module, objective(module), *examples, settings, seed=1, device="cpu", **options)
    return module


@pytest.mark.parametrize("keep_epoch", ["last", "best"])
def test_a_state_is_without_what_is_frozen_and_training_ends_the_same(tmp_path, keep_epoch):
    """Buffers are in it: statistics of a frozen part may move."""
    settings = replace(SETTINGS, keep_epoch=keep_epoch)
    undisturbed = trained(settings)
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        trained(settings, state=state, after_epoch=stop_after(2))
    found = state.load()
    names = set(make_module().state_dict()) - {"0.weight", "0.bias"}
    assert {"1.running_mean", "1.num_batches_tracked"} < names
    assert found["module"].keys() == names
    assert keep_epoch == "last" or found["best"].keys() == names
    assert same_weights(trained(settings, state=state), undisturbed)


class InRange(CrossEntropy):
    """Keeps a frozen parameter in a range that it is not in at first, as CLIP's temperature."""

    def after_step(self):
        """Clamp it."""
        self.module[0].weight.clamp_(-0.05, 0.05)


def test_what_a_step_does_to_a_frozen_parameter_is_done_to_one_that_is_built_again(tmp_path):
    """Before the first step that goes on, not after it."""
    undisturbed = trained(objective=InRange)
    assert not same_weights(undisturbed, trained())
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        trained(objective=InRange, state=state, after_epoch=stop_after(1))
    assert same_weights(trained(objective=InRange, state=state), undisturbed)


def test_the_rest_of_a_module_is_filled_and_what_is_frozen_stays():
    """Of another one with other numbers everywhere."""
    module, other = partly_frozen(), partly_frozen()
    with torch.no_grad():
        for tensor in other.state_dict().values():
            tensor.add_(1)
    frozen = module[0].weight.clone()
    fill(module, moving(other))
    assert torch.equal(module[0].weight, frozen)
    assert torch.equal(module[5].weight, other[5].weight)
    assert torch.equal(module[1].running_mean, other[1].running_mean)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda found: found.pop("5.weight"), "5.weight"),
        (lambda found: found.update({"0.weight": torch.zeros(4, 3, 3, 3)}), "0.weight"),
        (lambda found: found.update({"5.bias": torch.zeros(3)}), "5.bias"),
    ],
)
def test_any_other_difference_is_refused_by_name(change, named):
    """Missing, too many (a frozen one), of another shape: nothing is filled in."""
    module = partly_frozen()
    found = {name: tensor.clone() for name, tensor in moving(module).items()}
    change(found)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(PairDxError, match=f"such as {named}"):
        fill(module, found)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_the_digest_is_of_what_is_frozen_alone():
    """A bit of it, its name and its shape count; what is trained does not."""
    module = partly_frozen()
    digest = digest_of_frozen(module)
    assert len(digest) == 64
    assert digest == digest_of_frozen(partly_frozen())
    assert digest_of_frozen(make_module()) == ""
    with torch.no_grad():
        module[5].weight.add_(1)
    assert digest_of_frozen(module) == digest
    with torch.no_grad():
        module[0].weight.view(-1)[7] *= -1
    assert digest_of_frozen(module) != digest
    assert digest_of_frozen(nn.Sequential(nn.Identity(), *partly_frozen())) != digest


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.int64])
def test_frozen_parameters_of_any_kind_have_a_digest(kind):
    """A number alone, too."""
    module = nn.Module()
    module.scale = nn.Parameter(torch.tensor(3).to(kind), requires_grad=False)
    module.rows = nn.Parameter(torch.ones(2, 3).to(kind).t(), requires_grad=False)
    assert len(digest_of_frozen(module.to(CPU))) == 64


def test_a_state_of_before_is_left_unused_with_a_line_in_the_log(tmp_path, caplog):
    """It has frozen parameters in it, and says nothing of its format."""
    state = StateFolder(tmp_path, "settings")
    state.save(1, 0, {"module": {}})
    assert state.load() is not None
    (file,) = tmp_path.iterdir()
    content = torch.load(file, weights_only=True)
    del content["format"]
    torch.save(content, file)
    append_seal(file)
    assert state.load() is None
    assert f"{file} is left unused: another version of the workflow wrote it" in caplog.text
