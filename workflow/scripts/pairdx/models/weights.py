"""Weights from files, without executing anything in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.seals import NAME, fill_seal, header_to_seal, require_sound
from pairdx.storage_errors import storage_error

NAMED_IN_AN_ERROR = 3


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read named tensors from a ``.safetensors`` file or a PyTorch state dict (any other suffix).

    A state dict may lie under the key ``state_dict``, and its names may all begin with ``module.``
    (training checkpoints of open_clip).

    Raises:
        PairDxError: The file is missing or damaged, holds code or anything but tensors, or is a
            TorchScript archive.
    """
    if not path.is_file():
        raise PairDxError("the weights file is missing", where=path)
    if path.suffix == ".safetensors":
        return _from_safetensors(path)
    content = _from_pickle(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise PairDxError("this file holds no named weights", where=path)
    strangers = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if strangers:
        raise PairDxError(f"{strangers[0]!r} in this file is no tensor", where=path)
    wrapped = all(name.startswith("module.") for name in content)
    return {name.removeprefix("module.") if wrapped else name: content[name] for name in content}


def read_header(path: Path) -> dict[str, str]:
    """Read what the header of a ``.safetensors`` file says beside its tensors.

    Empty where it says nothing, and for any other suffix.

    Raises:
        PairDxError: The file is missing or damaged.
    """
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            return {key: value for key, value in header.items() if key != NAME}
    except (SafetensorError, OSError) as error:
        raise storage_error(error, path) or _torn(path, error) from error


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        require_sound(path)
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise storage_error(error, path) or _torn(path, error) from error


def _torn(path: Path, error: Exception) -> PairDxError:
    return PairDxError(
        f"this is not a whole safetensors file: {error}",
        where=path,
        remedy="fetch the file again",
    )


def _from_pickle(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        if refused := storage_error(error, path):
            raise refused from error
        raise PairDxError(
            "this file holds something other than tensors, or is damaged; it was not executed",
            where=path,
            remedy="use a .safetensors file, or a state dict saved by torch.save; "
            "TorchScript archives and whole pickled models are refused",
        ) from error


def load_strictly(module: nn.Module, weights: Mapping[str, Tensor], where: Path) -> None:
    """Load weights whose names and shapes must equal the module's own.

    Raises:
        PairDxError: A name is missing or unknown, or a shape differs; the first few are named.
    """
    own = module.state_dict()
    problems = [f"{name} is missing" for name in own if name not in weights]
    problems += [f"{name} is unknown" for name in weights if name not in own]
    problems += [
        f"{name} has the shape {tuple(weights[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    if problems:
        named = "; ".join(problems[:NAMED_IN_AN_ERROR])
        rest = len(problems) - NAMED_IN_AN_ERROR
        raise PairDxError(
            f"the weights do not fit the architecture: {named}"
            + (f"; and {rest} more" if rest > 0 else ""),
            where=where,
            remedy="name the architecture that these weights were trained with",
        )
    module.load_state_dict(dict(weights))


def save_weights(module: nn.Module, path: Path, header: Mapping[str, str] | None = None) -> None:
    """Write the module's parameters and buffers as safetensors, whole or not at all.

    Args:
        module: Whose parameters and buffers.
        path: The file.
        header: What else :func:`read_header` is to find in it.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()
    }
    with written_whole(path) as aside:
        save_file(tensors, aside, header_to_seal(header))
        fill_seal(aside)
