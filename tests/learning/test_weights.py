"""Weights from outside, saved in other ways than today's PyTorch saves them."""

from __future__ import annotations

import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18

from files_as_saved import torchvision_state
from pairdx.errors import PairDxError
from pairdx.models.weights import load_strictly, read_weights

SLACK = 3000  # bytes; PyTorch adds a few records to its zip files that it did not add then


def module(seed: int = 1) -> nn.Module:
    """A convolution with its normalisation, which has seen three batches."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        for _ in range(3):
            made(torch.rand(2, 3, 8, 8))
    return made.eval()


def saved(content: Any, path: Path, *, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


FORMS = {
    "as first saved": lambda state: state,
    "wrapped as open_clip": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {}},
    "wrapped as torchvision": lambda state: {"model": state, "epoch": 3},
    "data-parallel": lambda state: {f"module.{name}": value for name, value in state.items()},
    "data-parallel and compiled": lambda state: OrderedDict(
        (f"module._orig_mod.{name}", value) for name, value in state.items()
    ),
    "compiled and data-parallel": lambda state: {
        f"_orig_mod.module.{name}": value for name, value in state.items()
    },
    "compiled twice": lambda state: {
        f"_orig_mod.module._orig_mod.{name}": value for name, value in state.items()
    },
    "in another order": lambda state: dict(reversed(state.items())),
    "in half precision": lambda state: {name: value.half() for name, value in state.items()},
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before zip"])
@pytest.mark.parametrize("form", FORMS)
def test_weights_are_loaded_however_they_were_saved(
    tmp_path: Path, form: str, zipped: bool
) -> None:
    """Parameters, without counts of batches; a module of other numbers then computes the same."""
    original, loaded = module(), module(seed=2)
    path = saved(FORMS[form](torchvision_state(original)), tmp_path / "old.pth", zipped=zipped)
    weights = read_weights(path)
    assert not any(isinstance(value, nn.Parameter) for value in weights.values())
    load_strictly(loaded, weights, path)
    images = torch.rand(2, 3, 8, 8)
    tolerance = 1e-2 if "half" in form else 0
    torch.testing.assert_close(loaded(images), original(images), rtol=tolerance, atol=tolerance)
    assert all(value.dtype == torch.float32 for value in loaded.parameters())
    assert all(value.requires_grad for value in loaded.parameters())


@pytest.mark.parametrize("before", ["", "module.", "_orig_mod.module.", "module._orig_mod.module."])
def test_names_of_safetensors_files_lose_their_prefixes_too(tmp_path: Path, before: str) -> None:
    state = module().state_dict()
    save_file({before + name: value for name, value in state.items()}, tmp_path / "x.safetensors")
    read = read_weights(tmp_path / "x.safetensors")
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_a_prefix_that_only_some_names_have_is_a_name(tmp_path: Path) -> None:
    """And a file without any tensor has none to take off."""
    one, none = ({"module.a": torch.ones(2), "b": torch.ones(2)}, {})
    for weights in (one, none):
        save_file(weights, tmp_path / "x.safetensors")
        assert read_weights(tmp_path / "x.safetensors").keys() == weights.keys()


@pytest.mark.filterwarnings("ignore")  # PyTorch gives up quantisation and dislikes sparse CSR
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.ones(2, device="meta"), "without numbers"),
        (lambda: torch.eye(2).to_sparse(), "sparse"),
        (lambda: torch.eye(2).to_sparse_csr(), "sparse"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8), "quantised"),
    ],
    ids=["meta", "sparse", "csr", "quantised"],
)
def test_tensors_without_plain_numbers_are_refused_by_name(
    tmp_path: Path, make: Callable[[], Tensor], message: str
) -> None:
    """Files of a model that was never filled, or was pruned: PyTorch's own errors name no file."""
    path = saved({"a.weight": torch.ones(2), "b.weight": make()}, tmp_path / "x.pth")
    with pytest.raises(PairDxError, match=rf"b\.weight is a.*{message}[\s\S]*x\.pth"):
        read_weights(path)


def test_a_pickle_of_another_protocol_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(module().state_dict(), tmp_path / "x.pth", pickle_protocol=5)
    with pytest.raises(PairDxError, match="by its default protocol"):
        read_weights(tmp_path / "x.pth")


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_missing_file_is_said_where_to_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(PairDxError, match=r"file is missing[\s\S]*downloads: weights"):
        read_weights(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(PairDxError, match=r"a folder stands[\s\S]*downloads: weights"):
        read_weights(tmp_path / name)


def test_the_official_file_is_as_large_as_one_without_counts_of_batches(tmp_path: Path) -> None:
    """Torchvision states its size in MiB, to three digits. A zip file repeats its own name."""
    official = ResNet18_Weights.IMAGENET1K_V1.meta["_file_size"] * 2**20
    original = resnet18(weights=None)
    path = tmp_path / "resnet18-f37072fd.pth"
    old, fresh = (
        saved(content, path).stat().st_size
        for content in (torchvision_state(original), original.state_dict())
    )
    assert abs(old - official) < SLACK < fresh - official


def test_only_counts_of_batches_may_be_missing(tmp_path: Path) -> None:
    """A running mean that is missing would be 0 without a word."""
    state = torchvision_state(module())
    del state["1.running_mean"]
    with pytest.raises(PairDxError, match=r"1\.running_mean is missing"):
        load_strictly(module(), read_weights(saved(state, tmp_path / "x.pth")), tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused_by_name(value: float) -> None:
    state = {name: tensor.clone() for name, tensor in module().state_dict().items()}
    state["1.running_var"][2] = value
    with pytest.raises(PairDxError, match=r"not numbers: 1\.running_var[\s\S]*weights\.pth"):
        load_strictly(module(), state, Path("weights.pth"))


def test_whole_numbers_are_no_weights() -> None:
    """Quantised weights would be taken for large ones."""
    state = module().state_dict() | {"0.weight": torch.ones(4, 3, 3, 3, dtype=torch.int8)}
    with pytest.raises(PairDxError, match=r"0\.weight holds torch\.int8"):
        load_strictly(module(), state, Path("weights.pth"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({1: torch.ones(2)}, "the name 1 stands for a Tensor"),
        ({"a": torch.ones(2), "epoch": 3}, "the name 'epoch' stands for a int"),
        ({"state_dict": {2: torch.ones(2)}}, "the name 2"),
        ([torch.ones(2)], "no named weights, but a list"),
        (torch.ones(2), "no named weights, but a Tensor"),
        (None, "no named weights, but a NoneType"),
        ({}, "no named weights, but nothing"),
        ({"state_dict": {}}, "no named weights, but nothing"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before zip"])
def test_what_is_no_state_dict_is_refused(
    tmp_path: Path, content: Any, message: str, zipped: bool
) -> None:
    with pytest.raises(PairDxError, match=rf"{message}[\s\S]*x\.pth"):
        read_weights(saved(content, tmp_path / "x.pth", zipped=zipped))


class _Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("form", ["zip", "before zip", "plain pickle"])
def test_code_in_a_file_is_not_executed(tmp_path: Path, form: str) -> None:
    path, content = tmp_path / "trap.pth", {"a": _Trap(tmp_path / "executed")}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        saved(content, path, zipped=form == "zip")
    with pytest.raises(PairDxError, match=r"not executed[\s\S]*trap\.pth"):
        read_weights(path)
    assert not (tmp_path / "executed").exists()


def test_torchscript_is_refused(tmp_path: Path) -> None:
    """OpenAI's own ViT-B-32.pt is such an archive: a program with its weights."""
    path = tmp_path / "ViT-B-32.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch gives up the format, whose files remain
        torch.jit.save(torch.jit.trace(module(), torch.rand(1, 3, 8, 8)), path)
    with pytest.raises(PairDxError, match=r"TorchScript archives[\s\S]*refused"):
        read_weights(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before zip"])
def test_a_file_with_damaged_bytes_is_an_error_of_ours_or_is_read(
    tmp_path: Path, zipped: bool
) -> None:
    """PyTorch itself raises errors of ten kinds then."""
    path = saved(torchvision_state(module()), tmp_path / "x.pth", zipped=zipped)
    whole, draw = path.read_bytes(), torch.Generator().manual_seed(1)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in torch.randint(len(whole), (3,), generator=draw).tolist():
            damaged[place] ^= 0x41
        path.write_bytes(damaged)
        try:
            read_weights(path)
        except PairDxError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_pointer_in_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605\n"
    (tmp_path / name).write_bytes(pointer)
    with pytest.raises(PairDxError, match="pointer"):
        read_weights(tmp_path / name)
