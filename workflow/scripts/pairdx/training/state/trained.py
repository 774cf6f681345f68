"""What of a module belongs into its training state: all but what training never moves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError

NAMED_IN_AN_ERROR = 3


def moving(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's state dict without its frozen parameters; buffers stay.

    Word vectors, frozen encoders and the weights below adapters are as they were built: whoever
    goes on builds them again.
    """
    frozen = set(_frozen(module))
    return {name: tensor for name, tensor in module.state_dict().items() if name not in frozen}


def fill(module: nn.Module, found: Mapping[str, Tensor]) -> None:
    """Put what :func:`moving` returned into a module of the same kind.

    Raises:
        PairDxError: Tensors are missing, too many or of another shape.
    """
    wanted = moving(module)
    odd = sorted(wanted.keys() ^ found.keys())
    odd += [
        name for name in wanted.keys() & found.keys() if wanted[name].shape != found[name].shape
    ]
    if odd:
        raise PairDxError(
            f"{len(odd)} tensors of the training state are not those of the module, such as "
            f"{', '.join(odd[:NAMED_IN_AN_ERROR])}",
            where="training state",
            remedy="delete the system's folder below state/, and start again; please report this",
        )
    module.load_state_dict(dict(found), strict=False)


def digest_of_frozen(module: nn.Module) -> str:
    """Return the SHA-256 of all frozen parameters with their names; empty where there are none.

    No state holds them, so that only a training with the same ones may go on from it.
    """
    frozen = _frozen(module)
    if not frozen:
        return ""
    digest = hashlib.sha256()
    for name, tensor in sorted(frozen.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        plain = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(plain.numpy().data)
    return digest.hexdigest()


def _frozen(module: nn.Module) -> dict[str, nn.Parameter]:
    return {
        name: parameter
        for name, parameter in module.named_parameters(remove_duplicate=False)
        if not parameter.requires_grad
    }
