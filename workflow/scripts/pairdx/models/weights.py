"""Weights from files, without executing anything in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# Keys under which training checkpoints keep their state dict: open_clip's, torchvision's, others'.
WRAPPERS = ("state_dict", "model", "model_state_dict")
# What data-parallel and compiled modules put before every name.
PREFIXES = ("module.", "_orig_mod.")
# How many batches a normalisation has seen. Files that were first saved before PyTorch counted
# them (torchvision's ResNets) have none; a count of 0 computes the same.
LATER_BUFFER = "num_batches_tracked"
LFS_POINTER = b"version https://git-lfs"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read named tensors from a ``.safetensors`` file or a PyTorch state dict (any other suffix).

    A state dict may lie under one of the keys :data:`WRAPPERS`. Names of either kind of file may
    all begin with ``module.`` and ``_orig_mod.`` (training checkpoints), in any order and number.
    Of Parameters the numbers are returned.

    Raises:
        PairDxError: The file is missing or damaged, holds code or anything but tensors of plain
            numbers, or is a TorchScript archive.
    """
    if not path.is_file():
        raise PairDxError(
            "a folder stands where the weights file belongs"
            if path.is_dir()
            else "the weights file is missing",
            where=path,
            remedy="look at downloads: weights: … path, which names it where the workflow does not "
            "fetch it; what the workflow makes itself is made again once the run is started again",
        )
    if path.suffix == ".safetensors":
        return _without_prefixes(_from_safetensors(path))
    return _without_prefixes(_named(_from_pickle(path), path))


def _without_prefixes(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take off what data-parallel and compiled modules put before every name, one in another."""
    while named:
        common = (one for one in PREFIXES if all(name.startswith(one) for name in named))
        if (prefix := next(common, None)) is None:
            break
        named = {name.removeprefix(prefix): value for name, value in named.items()}
    return named


def _named(content: object, path: Path) -> dict[str, Tensor]:
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise PairDxError(
            f"this file holds no named weights, but {_kind(content)}",
            where=path,
            remedy="use a state dict: names, and a tensor for each",
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise PairDxError(
                f"in this file the name {name!r} stands for {_kind(value)}; a state dict has texts "
                "as names, and a tensor for each",
                where=path,
                remedy="use a state dict saved by torch.save, or a .safetensors file",
            )
        if unusual := _unusual(value):
            raise PairDxError(
                f"in this file {name} is {unusual}, and plain numbers are needed",
                where=path,
                remedy="save the weights anew, every tensor dense and with its numbers",
            )
    return {name: value.detach() for name, value in content.items()}


def _unusual(value: Tensor) -> str | None:
    """Say what makes a tensor one with which no module here computes, or return None."""
    if value.is_meta:
        return "a tensor without numbers (of the device meta)"
    if value.layout != torch.strided:
        return f"a sparse tensor ({value.layout})"
    return "a quantised tensor" if value.is_quantized else None


def _kind(value: object) -> str:
    if isinstance(value, Mapping) and not value:
        return "nothing"
    return f"a {type(value).__name__}"


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
    return _pointer(path) or PairDxError(
        f"this is not a whole safetensors file: {error}",
        where=path,
        remedy="fetch the file again",
    )


def _pointer(path: Path) -> PairDxError | None:
    """Return an error if what cannot be read is only a pointer to the file, or else None."""
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) != LFS_POINTER:
            return None
    return PairDxError(
        "this is Git LFS's pointer to a weights file, not the file",
        where=path,
        remedy="fetch the file itself (git lfs pull)",
    )


def _from_pickle(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    # Bytes that are no pickle of tensors end in errors of every kind, from KeyError to zlib's own.
    except Exception as error:
        if refused := storage_error(error, path):
            raise refused from error
        raise _pointer(path) or PairDxError(
            "this file holds something other than tensors, or is damaged; it was not executed",
            where=path,
            remedy="use a .safetensors file, or a state dict saved by torch.save by its default "
            "protocol (2); TorchScript archives and whole pickled models are refused",
        ) from error


def load_strictly(module: nn.Module, weights: Mapping[str, Tensor], where: Path) -> None:
    """Load weights whose names and shapes must equal the module's own, whatever their order.

    Floating-point numbers of another precision are converted. Counts of batches that the file
    lacks (:data:`LATER_BUFFER`) stay as they are.

    Raises:
        PairDxError: A name is missing or unknown, a shape or kind of number differs, or a weight is
            not a number; the first few are named.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in weights]
    problems = [f"{name} is missing" for name in missing if not name.endswith(LATER_BUFFER)]
    problems += [f"{name} is unknown" for name in weights if name not in own]
    for name in own:
        if name in weights:
            problems += _differences(name, weights[name], own[name])
    if problems:
        raise PairDxError(
            f"the weights do not fit the architecture: {_first_few(problems)}",
            where=where,
            remedy="name the architecture that these weights were trained with",
        )
    require_finite_weights(weights, where)
    module.load_state_dict({name: weights.get(name, value) for name, value in own.items()})


def _differences(name: str, given: Tensor, own: Tensor) -> list[str]:
    if given.shape != own.shape:
        return [f"{name} has the shape {tuple(given.shape)} instead of {tuple(own.shape)}"]
    if given.is_floating_point() != own.is_floating_point():
        return [f"{name} holds {given.dtype} instead of {own.dtype}"]
    return []


def _first_few(problems: Sequence[str]) -> str:
    rest = len(problems) - NAMED_IN_AN_ERROR
    return "; ".join(problems[:NAMED_IN_AN_ERROR]) + (f"; and {rest} more" if rest > 0 else "")


def require_finite_weights(weights: Mapping[str, Tensor], where: Path) -> None:
    """Refuse weights that are infinite or not numbers.

    Raises:
        PairDxError: Some are; the first few tensors are named.
    """
    strange = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
    if strange:
        raise PairDxError(
            f"weights are infinite or not numbers: {_first_few(strange)}",
            where=where,
            remedy="get the file again from where it came from; if it was made by a training, "
            "that training diverged",
        )


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
